"""StopServiceDeployment and ContinueServiceDeployment."""

import pytest

from moorage.ground.instant import minutes
from tests.builders import OTHER, REGION, a_service, root

PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}


def described(house, arn=None):
    """The newest deployment, or that of an ARN, as it is described."""
    arn = arn or newest(house)
    (shown,) = house.ask("DescribeServiceDeployments", serviceDeploymentArns=[arn])[
        "serviceDeployments"
    ]
    return shown


def newest(house):
    listed = house.ask("ListServiceDeployments", service="web")["serviceDeployments"]
    return listed[0]["serviceDeploymentArn"]


def updated(house, **members):
    """A service that was COMPLETED once, and an update of it that cannot get on: there is no host."""
    a_service(house, count=0)
    house.settle()
    house.pass_time(minutes(1))
    house.ask("UpdateService", service="web", desiredCount=2, forceNewDeployment=True, **members)
    return newest(house)


@pytest.fixture
def under_way(house):
    arn = updated(house)
    house.settle()
    return arn


@pytest.fixture
def paused(house):
    arn = updated(house, deploymentConfiguration={"lifecycleHooks": [PAUSE]})
    house.settle()
    return arn


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    ("members", "asked", "ended"),
    [
        ({}, "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"),
        ({"stopType": "ROLLBACK"}, "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"),
        ({"stopType": "ABORT"}, "STOP_REQUESTED", "STOPPED"),
    ],
)
def test_a_deployment_is_stopped(house, members, asked, ended, settled):
    arn = updated(house)
    if settled:
        house.settle()
    before = house.ask("ListServiceDeployments", service="web")["serviceDeployments"][1]
    answer = house.ask("StopServiceDeployment", serviceDeploymentArn=arn, **members)
    assert answer == {"serviceDeploymentArn": arn}
    assert described(house)["status"] == asked
    house.settle()
    shown = described(house, arn)
    assert shown["status"] == ended
    if ended == "STOPPED":
        assert shown["stoppedAt"] == shown["finishedAt"]
        assert shown["statusReason"] == "Service deployment stopped by StopServiceDeployment."
    else:
        assert shown["rollback"]["serviceRevisionArn"] == before["targetServiceRevisionArn"]
        assert shown["rollback"]["reason"] == shown["statusReason"]
        assert shown["rollback"]["startedAt"] == shown["updatedAt"]


def test_to_stop_what_is_stopping_changes_nothing(house, under_way):
    for _ in range(2):
        house.ask("StopServiceDeployment", serviceDeploymentArn=under_way)
    assert described(house, under_way)["status"] == "ROLLBACK_REQUESTED"
    house.ask("StopServiceDeployment", serviceDeploymentArn=under_way, stopType="ABORT")
    assert described(house, under_way)["status"] == "ROLLBACK_REQUESTED"
    house.settle()
    house.ask("StopServiceDeployment", serviceDeploymentArn=under_way)
    assert described(house, under_way)["status"] == "ROLLBACK_IN_PROGRESS"


def test_what_has_ended_cannot_be_stopped(house):
    a_service(house, count=0)
    house.settle()
    said = house.refused(
        "StopServiceDeployment", "ConflictException", serviceDeploymentArn=newest(house)
    )
    assert said == "The service deployment is SUCCESSFUL and can no longer be stopped."


def test_what_was_superseded_cannot_be_stopped(house, under_way):
    house.ask("UpdateService", service="web", forceNewDeployment=True)
    said = house.refused(
        "StopServiceDeployment", "ConflictException", serviceDeploymentArn=under_way
    )
    assert said.endswith("a newer one has taken its place.")
    house.settle()
    assert described(house, under_way)["status"] == "STOPPED"


def test_a_first_deployment_has_nowhere_to_go_back_to(house):
    a_service(house, count=1)
    house.settle()
    arn = newest(house)
    said = house.refused("StopServiceDeployment", "ConflictException", serviceDeploymentArn=arn)
    assert "no deployment of the service has completed before it" in said
    assert "ABORT" in said
    house.ask("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ABORT")
    house.settle()
    assert described(house)["status"] == "STOPPED"


def test_a_pause_is_described_and_continued(house, paused):
    shown = described(house)
    assert (shown["status"], shown["lifecycleStage"]) == ("IN_PROGRESS", "PRE_SCALE_UP")
    (hook,) = shown["lifecycleHookDetails"]
    assert hook == {
        "hookId": hook["hookId"],
        "targetType": "PAUSE",
        "status": "AWAITING_ACTION",
        "expiresAt": shown["startedAt"] + 24 * 3600,
        "timeoutAction": "ROLLBACK",
    }
    (primary, _) = house.ask("DescribeServices", services=["web"])["services"][0]["deployments"]
    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert hook["hookId"] in primary["rolloutStateReason"]
    asked = {"serviceDeploymentArn": paused, "hookId": hook["hookId"]}
    assert house.ask("ContinueServiceDeployment", **asked) == {"serviceDeploymentArn": paused}
    assert described(house)["lifecycleHookDetails"][0]["status"] == "SUCCEEDED"
    house.settle()
    assert described(house)["lifecycleStage"] == "SCALE_UP"
    said = house.refused("ContinueServiceDeployment", "InvalidParameterException", **asked)
    assert said == f"The hook {hook['hookId']} is SUCCEEDED, not AWAITING_ACTION."


def test_a_pause_is_rolled_back(house, paused):
    (hook,) = described(house)["lifecycleHookDetails"]
    house.ask(
        "ContinueServiceDeployment",
        serviceDeploymentArn=paused,
        hookId=hook["hookId"],
        action="ROLLBACK",
    )
    house.settle()
    shown = described(house, paused)
    assert shown["status"] == "ROLLBACK_IN_PROGRESS"
    assert shown["lifecycleHookDetails"][0]["status"] == "FAILED"
    house.ask("UpdateService", service="web", desiredCount=0)
    house.settle()
    shown = described(house, paused)
    assert (shown["status"], "finishedAt" in shown) == ("ROLLBACK_SUCCESSFUL", True)


def test_a_first_pause_has_nowhere_to_go_back_to(house):
    a_service(house, count=1, deploymentConfiguration={"lifecycleHooks": [PAUSE]})
    house.settle()
    (hook,) = described(house)["lifecycleHookDetails"]
    said = house.refused(
        "ContinueServiceDeployment",
        "InvalidParameterException",
        serviceDeploymentArn=newest(house),
        hookId=hook["hookId"],
        action="ROLLBACK",
    )
    assert "ABORT" in said


@pytest.mark.parametrize("action", ["StopServiceDeployment", "ContinueServiceDeployment"])
@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (None, "InvalidParameterException"),
        ("web", "InvalidParameterException"),
        (f"arn:aws:ecs:{REGION}:{OTHER}:service-deployment/default/web/a", None),
        ("unknown", "ServiceDeploymentNotFoundException"),
    ],
)
def test_another_arn_is_refused(house, paused, action, arn, code):
    arn = f"{paused.rpartition('/')[0]}/{arn}" if arn == "unknown" else arn
    members = {} if arn is None else {"serviceDeploymentArn": arn}
    hook = {"hookId": "h"} if action.startswith("Continue") else {}
    house.refused(action, code or "InvalidParameterException", **members, **hook)


@pytest.mark.parametrize(
    ("action", "members", "said"),
    [
        ("StopServiceDeployment", {"stopType": "PAUSE"}, "PAUSE"),
        ("ContinueServiceDeployment", {"hookId": "other"}, "has no hook other"),
        ("ContinueServiceDeployment", {"hookId": ""}, "hookId"),
        ("ContinueServiceDeployment", {"hookId": "h", "action": "STOP"}, "STOP"),
    ],
)
def test_other_members_are_refused(house, paused, action, members, said):
    sentence = house.refused(
        action, "InvalidParameterException", serviceDeploymentArn=paused, **members
    )
    assert said in sentence


def test_what_is_not_in_progress_does_not_go_on(house, under_way):
    house.ask("StopServiceDeployment", serviceDeploymentArn=under_way)
    said = house.refused(
        "ContinueServiceDeployment",
        "InvalidParameterException",
        serviceDeploymentArn=under_way,
        hookId="h",
    )
    assert said == "The service deployment is ROLLBACK_REQUESTED, not IN_PROGRESS."


def test_another_account_is_refused(house, under_way):
    for action, more in (
        ("StopServiceDeployment", {}),
        ("ContinueServiceDeployment", {"hookId": "h"}),
    ):
        house.refused(
            action,
            "InvalidParameterException",
            by=root(OTHER),
            serviceDeploymentArn=under_way,
            **more,
        )


@pytest.mark.parametrize("action", ["CreateService", "UpdateService"])
@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        (
            {"lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]},
            "UnsupportedFeatureException",
        ),
        ({"lifecycleHooks": [{**PAUSE, "lifecycleStages": ["BAKE"]}]}, None),
        ({"earlySuccessCriteria": {"enable": True}}, None),
        (
            {
                "minimumHealthyPercent": 60,
                "earlySuccessCriteria": {
                    "enable": True,
                    "healthyPercent": 50,
                    "sourceServiceRevisionCleanup": "DEFERRED",
                },
            },
            None,
        ),
        (
            {
                "deploymentCircuitBreaker": {
                    "enable": True,
                    "rollback": True,
                    "thresholdConfiguration": {"type": "SOME", "value": 3},
                }
            },
            None,
        ),
    ],
)
def test_configurations_that_are_refused(house, action, configuration, code):
    asked = {"deploymentConfiguration": configuration}
    if action == "CreateService":
        with_definition = a_service(house, name="other", count=0)
        asked |= {"taskDefinition": with_definition["taskDefinition"], "desiredCount": 0}
        asked |= {"serviceName": "web"}
    else:
        a_service(house, count=0)
        asked |= {"service": "web"}
    house.refused(action, code or "InvalidParameterException", **asked)


def test_a_minimum_that_is_raised_must_agree_with_the_criteria(house):
    early = {
        "enable": True,
        "healthyPercent": 50,
        "sourceServiceRevisionCleanup": "BLOCKING",
    }
    configuration = {"minimumHealthyPercent": 50, "earlySuccessCriteria": early}
    shown = a_service(house, count=0, deploymentConfiguration=configuration)
    assert shown["deploymentConfiguration"]["earlySuccessCriteria"] == early
    said = house.refused(
        "UpdateService",
        "InvalidParameterException",
        service="web",
        deploymentConfiguration={"minimumHealthyPercent": 51},
    )
    assert said.endswith("must not be below minimumHealthyPercent.")


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
@pytest.mark.parametrize(
    ("members", "why"),
    [
        (("UpdateService", {"forceNewDeployment": True}), "a newer one has taken its place."),
        (("DeleteService", {"force": True}), "its service is deleted."),
    ],
)
def test_what_will_not_go_on_is_not_said_to(house, paused, action, members, why):
    """The controller has not looked yet: in a freeze it does not for long."""
    (hook,) = described(house, paused)["lifecycleHookDetails"]
    operation, given = members
    house.ask(operation, service="web", **given)
    said = house.refused(
        "ContinueServiceDeployment",
        "InvalidParameterException",
        serviceDeploymentArn=paused,
        hookId=hook["hookId"],
        action=action,
    )
    assert said == f"The service deployment can no longer go on: {why}"
