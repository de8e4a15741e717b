"""What a service and its deployments keep of each member, by boto3; nothing runs here."""

from datetime import timedelta
from typing import Any

import pytest

from tests.clients.desk import PAUSED, VPC, Desk
from tests.clients.processes import until

pytestmark = [pytest.mark.clients]

TAGS = [{"key": "team", "value": "harbour"}]
ZONE = {"type": "spread", "field": "attribute:ecs.availability-zone"}
BINPACK = {"type": "binpack", "field": "memory"}
MEMBER = {"type": "memberOf", "expression": "attribute:disk == ssd"}
BREAKER = {
    "enable": True,
    "rollback": True,
    "resetOnHealthyTask": True,
    "thresholdConfiguration": {"type": "COUNT", "value": 5},
}
HOOK = {
    "targetType": "PAUSE",
    "lifecycleStages": ["POST_SCALE_UP"],
    "timeoutConfiguration": {"timeoutInMinutes": 5, "action": "CONTINUE"},
}
CP = [{"capacityProvider": "cp", "weight": 3, "base": 1}]
ENDED_SECONDS_MAX = 15.0
# What is asked of a service, and shown as it was asked, made or updated.
KEPT: list[dict[str, Any]] = [
    {"placementStrategy": [ZONE, BINPACK, {"type": "random"}]},
    {"placementStrategy": [BINPACK], "availabilityZoneRebalancing": "DISABLED"},
    {"placementConstraints": [{"type": "distinctInstance"}, MEMBER]},
    {"availabilityZoneRebalancing": "DISABLED"},
    {"healthCheckGracePeriodSeconds": 77},
    {"enableECSManagedTags": True, "propagateTags": "SERVICE"},
    {"propagateTags": "TASK_DEFINITION"},
    {"enableExecuteCommand": True},
    {"deploymentController": {"type": "ECS"}},
    {"capacityProviderStrategy": CP},
    {"taskDefinition": "vpc:1", "networkConfiguration": VPC},
]
CONFIGURED: list[dict[str, Any]] = [
    {"minimumHealthyPercent": 50, "maximumPercent": 150},
    {"deploymentCircuitBreaker": BREAKER},
    {"lifecycleHooks": [HOOK]},
    {
        "earlySuccessCriteria": {
            "enable": True,
            "healthyPercent": 100,
            "sourceServiceRevisionCleanup": "DEFERRED",
        }
    },
    {"strategy": "ROLLING", "bakeTimeInMinutes": 0},
]


def shown(desk: Desk, name: str) -> dict[str, Any]:
    (found,) = desk.ecs.describe_services(services=[name])["services"]
    return found  # type: ignore[no-any-return]


def short(value: Any) -> Any:
    """A definition is shown by its ARN."""
    return value.rpartition("/")[2] if isinstance(value, str) else value


@pytest.fixture
def named(desk):
    """A name for a service, which is deleted again."""
    yield "kept"
    desk.ecs.delete_service(service="kept", force=True)
    until(
        lambda: shown(desk, "kept")["status"] == "INACTIVE",
        ENDED_SECONDS_MAX,
        "the service is INACTIVE",
    )


@pytest.mark.parametrize("members", KEPT, ids=lambda members: next(iter(members)))
def test_a_member_is_kept_by_creation_and_by_update(desk, named, members):
    ecs = desk.ecs
    asked = {"taskDefinition": "web:1", "desiredCount": 0, **members}
    made = ecs.create_service(serviceName=named, **asked)["service"]
    again = ecs.create_service(serviceName=named, **asked)["service"]
    assert made["serviceArn"] == again["serviceArn"], "asked alike, it is the same"
    told = shown(desk, made["serviceArn"])
    assert {name: short(told[name]) for name in members} == members
    lists = {name: [] for name, value in members.items() if isinstance(value, list)}
    if lists:
        ecs.update_service(service=named, **lists)
        told = shown(desk, named)
        assert [told.get(name, []) for name in lists] == [[]] * len(lists), "an empty list empties"
    if "placementStrategy" in members:
        ecs.update_service(service=named, **members)
        ecs.update_service(service=named, placementStrategy=[{}])
        assert shown(desk, named)["placementStrategy"] == [], "so does an empty object"
    ecs.update_service(service=made["serviceArn"], cluster=desk.names["cluster"], **members)
    told = shown(desk, named)
    assert {name: short(told[name]) for name in members} == members
    ecs.update_service(service=named, desiredCount=0)
    assert {name: shown(desk, named)[name] for name in members} == {
        name: told[name] for name in members
    }, "what is left out stays"
    assert len(desk.deployments(named)) == 1, "nothing that runs has changed"
    ecs.update_service(service=named, forceNewDeployment=True)
    assert len(desk.deployments(named)) == 2


@pytest.mark.parametrize("given", CONFIGURED, ids=lambda given: next(iter(given)))
def test_a_deployment_configuration_is_laid_over_what_was(desk, named, given):
    ecs = desk.ecs
    web = {"serviceName": named, "taskDefinition": "web:1", "desiredCount": 0}
    made = ecs.create_service(**web, deploymentConfiguration=given)["service"]
    told = made["deploymentConfiguration"]
    assert {**told, **given} == told
    assert told["strategy"] == "ROLLING"
    ecs.update_service(service=named, deploymentConfiguration={"maximumPercent": 170})
    told = shown(desk, named)["deploymentConfiguration"]
    assert told == {**told, **given, "maximumPercent": 170}
    first = desk.deployments(named)
    ecs.update_service(service=named, forceNewDeployment=True, deploymentConfiguration=given)
    newest = desk.deployments(named)[0]
    assert newest not in first
    kept = desk.deployment(newest)["deploymentConfiguration"]
    assert {**kept, **given} == kept


def test_what_is_left_out_has_the_defaults_of_ecs(desk, named):
    ecs = desk.ecs
    made = ecs.create_service(
        serviceName=named, taskDefinition="web", desiredCount=0, clientToken="one", tags=TAGS
    )["service"]
    assert made["taskDefinition"].endswith("/web:2"), "the newest ACTIVE revision"
    told = {
        "availabilityZoneRebalancing": "ENABLED",
        "schedulingStrategy": "REPLICA",
        "launchType": "EC2",
        "healthCheckGracePeriodSeconds": 0,
        "propagateTags": "NONE",
        "enableECSManagedTags": False,
        "deploymentController": {"type": "ECS"},
        "placementStrategy": [],
        "placementConstraints": [],
    }
    assert {name: made[name] for name in told} == told
    configured = made["deploymentConfiguration"]
    assert (configured["minimumHealthyPercent"], configured["maximumPercent"]) == (100, 200)
    assert made["tags"] == TAGS
    assert shown(desk, named)["tags"] == []
    (tagged,) = ecs.describe_services(services=[named], include=["TAGS"])["services"]
    assert tagged["tags"] == TAGS
    for strategy, rebalancing in (([BINPACK], "DISABLED"), ([ZONE], "ENABLED")):
        other = ecs.create_service(
            serviceName="other", taskDefinition="web", desiredCount=0, placementStrategy=strategy
        )["service"]
        assert other["availabilityZoneRebalancing"] == rebalancing
        ecs.delete_service(service="other")
        until(lambda: shown(desk, "other")["status"] == "INACTIVE", ENDED_SECONDS_MAX, "it is gone")
    found = ecs.list_services(launchType="EC2", schedulingStrategy="REPLICA", maxResults=100)
    assert made["serviceArn"] in found["serviceArns"]
    assert ecs.list_services(schedulingStrategy="DAEMON")["serviceArns"] == []
    assert ecs.list_services(launchType="EXTERNAL")["serviceArns"] == []


def test_a_daemon_has_a_table_of_its_own(desk, named):
    ecs = desk.ecs
    web = {"taskDefinition": "web", "schedulingStrategy": "DAEMON"}
    made = ecs.create_service(serviceName=named, **web, placementConstraints=[MEMBER])["service"]
    told = made["deploymentConfiguration"]
    assert (told["minimumHealthyPercent"], told["maximumPercent"]) == (0, 100)
    assert made["availabilityZoneRebalancing"] == "DISABLED"
    assert made["placementConstraints"] == [MEMBER]
    assert ecs.list_services(schedulingStrategy="DAEMON")["serviceArns"] == [made["serviceArn"]]
    for members, said in (
        ({"desiredCount": 2}, "desired count"),
        ({"placementStrategy": [ZONE]}, "placement strategies"),
        ({"deploymentConfiguration": {"maximumPercent": 101}}, "maximumPercent"),
        ({"capacityProviderStrategy": CP}, "capacity provider strategy"),
    ):
        desk.refused("update_service", "InvalidParameterException", said, service=named, **members)
    changed = ecs.update_service(
        service=named,
        placementConstraints=[],
        deploymentConfiguration={"minimumHealthyPercent": 50},
    )["service"]
    assert changed["placementConstraints"] == []


def test_deployments_are_listed_by_status_and_time_and_described(desk):
    ecs, paused, first = desk.ecs, desk.names["paused"], desk.names["first"]
    held = {"service": "held"}

    def listed(**members: Any) -> list[str]:
        found = ecs.list_service_deployments(**{**held, **members})["serviceDeployments"]
        return [one["serviceDeploymentArn"] for one in found]

    assert listed() == [paused, first]
    service = ecs.describe_services(services=["held"])["services"][0]["serviceArn"]
    assert listed(service=service, cluster=desk.names["cluster"]) == [paused, first]
    assert listed(status=["SUCCESSFUL"]) == [first]
    assert listed(status=["IN_PROGRESS", "PENDING"]) == [paused]
    assert listed(status=["STOPPED"]) == []
    told = desk.deployment(paused)
    moment, step = told["createdAt"], timedelta(milliseconds=1)
    assert listed(createdAt={"before": moment - step}) == [first]
    assert listed(createdAt={"after": moment - step}) == [paused]
    assert listed(createdAt={"after": moment - step, "before": moment - step}) == []
    assert (told["status"], told["lifecycleStage"]) == ("IN_PROGRESS", "PRE_SCALE_UP")
    [hook] = told["lifecycleHookDetails"]
    assert (hook["hookId"], hook["status"]) == (desk.names["hook"], "AWAITING_ACTION")
    assert hook["timeoutAction"] == "ROLLBACK"
    assert told["deploymentConfiguration"]["lifecycleHooks"] == PAUSED["lifecycleHooks"]
    asked = [paused, first, paused, f"{first}0"]
    answer = ecs.describe_service_deployments(serviceDeploymentArns=asked)
    found = [one["serviceDeploymentArn"] for one in answer["serviceDeployments"]]
    assert found == [paused, first]
    assert answer["failures"] == [{"arn": f"{first}0", "reason": "MISSING"}]
    revision = told["targetServiceRevision"]["arn"]
    (described,) = ecs.describe_service_revisions(serviceRevisionArns=[revision])[
        "serviceRevisions"
    ]
    assert described["taskDefinition"].endswith("web:1")


@pytest.mark.parametrize(
    ("operation", "members", "ends"),
    [
        ("stop_service_deployment", {}, "ROLLBACK_SUCCESSFUL"),
        ("stop_service_deployment", {"stopType": "ROLLBACK"}, "ROLLBACK_SUCCESSFUL"),
        ("stop_service_deployment", {"stopType": "ABORT"}, "STOPPED"),
        ("continue_service_deployment", {"action": "ROLLBACK"}, "ROLLBACK_SUCCESSFUL"),
    ],
    ids=["default", "rollback", "abort", "continue-rollback"],
)
def test_a_paused_deployment_is_ended(desk, named, operation, members, ends):
    """Asked twice to stop, it goes on stopping; once it has ended, there is nothing to stop."""
    ecs = desk.ecs
    arn, hook = desk.paused(named, "web:1")
    extra = {"hookId": hook} if operation.startswith("continue") else {}
    answer = getattr(ecs, operation)(serviceDeploymentArn=arn, **extra, **members)
    assert answer["serviceDeploymentArn"] == arn
    until(
        lambda: desk.deployment(arn)["status"] == ends,
        ENDED_SECONDS_MAX,
        f"it is {ends}",
        lambda: desk.deployment(arn),
    )
    desk.refused("stop_service_deployment", "ConflictException", ends, serviceDeploymentArn=arn)
    desk.refused(
        "continue_service_deployment",
        "InvalidParameterException",
        "not IN_PROGRESS",
        serviceDeploymentArn=arn,
        hookId=hook,
    )
    if ends == "ROLLBACK_SUCCESSFUL":
        assert desk.deployment(arn)["rollback"]["serviceRevisionArn"]


def test_a_first_deployment_has_nothing_to_go_back_to(desk, named):
    desk.ecs.create_service(
        serviceName=named, taskDefinition="web:1", desiredCount=1, deploymentConfiguration=PAUSED
    )
    (arn,) = desk.deployments(named)

    def hook() -> str:
        found = desk.deployment(arn).get("lifecycleHookDetails", [])
        return found[0]["hookId"] if found else ""

    waiting = until(hook, ENDED_SECONDS_MAX, "it waits")
    desk.refused("stop_service_deployment", "ConflictException", "ABORT", serviceDeploymentArn=arn)
    desk.refused(
        "continue_service_deployment",
        "InvalidParameterException",
        "cannot be rolled back",
        serviceDeploymentArn=arn,
        hookId=waiting,
        action="ROLLBACK",
    )
    desk.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=waiting)
    until(
        lambda: desk.deployment(arn)["lifecycleHookDetails"][0]["status"] == "SUCCEEDED",
        ENDED_SECONDS_MAX,
        "it goes on",
    )


def test_people_see_what_a_service_waits_for(desk):
    """`moorage status` and `explain` ask by the same door; nothing is moved where nothing runs."""
    told = desk.server.command("status")
    assert "cluster default" in told
    assert "held" in told
    assert "rebalanced" not in told
    explained = desk.server.command("explain", "service", "held")
    assert "is paused at PRE_SCALE_UP by a lifecycle hook" in " ".join(explained.split())
