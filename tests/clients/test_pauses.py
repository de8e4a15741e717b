"""Deployments that are paused, continued, and sent back, as boto3 and the AWS CLI ask for it."""

from collections import Counter

import pytest

from tests.clients.place import Place, page
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

PORTS = [{"containerPort": 8080}]


def hooked(*stages: str) -> dict:
    """A deploymentConfiguration with a PAUSE hook."""
    hook = {
        "targetType": "PAUSE",
        "lifecycleStages": [*stages],
        "timeoutConfiguration": {"timeoutInMinutes": 30, "action": "ROLLBACK"},
    }
    return {"lifecycleHooks": [hook]}


def newest(place: Place, name: str) -> dict:
    """The newest deployment of a service, as it is described."""
    listed = place.ecs.list_service_deployments(service=name, maxResults=1)["serviceDeployments"]
    arn = listed[0]["serviceDeploymentArn"]
    return place.ecs.describe_service_deployments(serviceDeploymentArns=[arn])[
        "serviceDeployments"
    ][0]


def awaited(place: Place, name: str) -> dict:
    """The deployment of a service, once a hook of it waits."""

    def waits() -> bool:
        details = newest(place, name).get("lifecycleHookDetails", [])
        return any(one["status"] == "AWAITING_ACTION" for one in details)

    until(waits, 30, "a hook waits", lambda: (newest(place, name), place.messages(name)))
    return newest(place, name)


def versions(place: Place, name: str) -> Counter[str]:
    """How many running tasks serve which version."""
    found = [page(task) or "" for task in place.running(name)]
    return Counter(text.partition("version ")[2][:1] for text in found)


def test_a_deployment_is_paused_continued_and_sent_back(place: Place, images):
    """At POST_SCALE_UP both versions serve; at PRE_SCALE_UP the old one does, and is left alone."""
    old = place.register("hold", {"image": images["web:1"], "portMappings": PORTS})
    new = place.register("hold", {"image": images["web:2"], "portMappings": PORTS})
    place.ecs.create_service(serviceName="hold", taskDefinition=old, desiredCount=2)
    place.steady("hold")
    place.ecs.update_service(
        service="hold", taskDefinition=new, deploymentConfiguration=hooked("POST_SCALE_UP")
    )
    shown = awaited(place, "hold")
    assert (shown["status"], shown["lifecycleStage"]) == ("IN_PROGRESS", "POST_SCALE_UP")
    until(lambda: versions(place, "hold") == {"1": 2, "2": 2}, 10, "both versions serve")
    [hook] = shown["lifecycleHookDetails"]
    assert (hook["targetType"], hook["timeoutAction"]) == ("PAUSE", "ROLLBACK")
    waited = hook["expiresAt"] - shown["startedAt"]
    assert 30 * 60 <= waited.total_seconds() <= 32 * 60
    assert any("is paused at POST_SCALE_UP" in text for text in place.messages("hold"))
    arn = shown["serviceDeploymentArn"]
    told = place.aws(
        *("ecs", "continue-service-deployment", "--action", "CONTINUE"),
        *("--service-deployment-arn", arn, "--hook-id", hook["hookId"]),
    )
    assert told == {"serviceDeploymentArn": arn}
    place.steady("hold")
    assert versions(place, "hold") == {"2": 2}
    assert newest(place, "hold")["status"] == "SUCCESSFUL"
    before = place.containers()
    place.ecs.update_service(
        service="hold", taskDefinition=old, deploymentConfiguration=hooked("PRE_SCALE_UP")
    )
    paused = awaited(place, "hold")
    assert versions(place, "hold") == {"2": 2}
    place.ecs.stop_service_deployment(serviceDeploymentArn=paused["serviceDeploymentArn"])
    until(
        lambda: newest(place, "hold")["status"] == "ROLLBACK_SUCCESSFUL",
        20,
        "the deployment is rolled back",
        lambda: newest(place, "hold"),
    )
    done = place.steady("hold")
    assert done["taskDefinition"].endswith(new)
    assert before.items() <= place.containers().items()
    back = newest(place, "hold")["rollback"]
    assert back["serviceRevisionArn"] == shown["targetServiceRevision"]["arn"]
    refused(place, arn, hook["hookId"])


def refused(place: Place, arn: str, hook: str) -> None:
    """What a deployment that is over, or never was, does not take."""
    faults = place.ecs.exceptions
    with pytest.raises(faults.ConflictException, match="SUCCESSFUL"):
        place.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    with pytest.raises(faults.InvalidParameterException, match="not IN_PROGRESS"):
        place.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook)
    with pytest.raises(faults.ServiceDeploymentNotFoundException):
        place.ecs.stop_service_deployment(serviceDeploymentArn=f"{arn}0")
    hooks = {"lifecycleHooks": [{"hookTargetArn": arn, "lifecycleStages": ["PRE_SCALE_UP"]}]}
    with pytest.raises(faults.UnsupportedFeatureException, match="AWS_LAMBDA"):
        place.ecs.update_service(service="hold", deploymentConfiguration=hooks)
