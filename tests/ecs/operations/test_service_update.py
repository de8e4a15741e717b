"""UpdateService."""

import pytest

from moorage.ground.instant import seconds
from tests.builders import OTHER, REGION, a_definition, a_host, a_service, root


def update(house, **members):
    return house.ask("UpdateService", service="web", **members)["service"]


@pytest.fixture
def service(house):
    return a_service(house, count=2, availabilityZoneRebalancing="DISABLED")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"desiredCount": 5},
        {"deploymentConfiguration": {"minimumHealthyPercent": 50}},
        {"placementStrategy": [{"type": "random"}]},
        {"healthCheckGracePeriodSeconds": 60},
        {"enableExecuteCommand": True},
        {"propagateTags": "SERVICE"},
        {"taskDefinition": "web:1"},
        {"forceNewDeployment": False},
        {"loadBalancers": []},
    ],
)
def test_what_changes_nothing_that_runs_makes_no_deployment(house, service, members):
    shown = update(house, **members)
    assert [one["id"] for one in shown["deployments"]] == [
        one["id"] for one in service["deployments"]
    ]
    for member, value in members.items():
        if member in {"desiredCount", "placementStrategy", "propagateTags"}:
            assert shown[member] == value


def test_configurations_are_laid_over_each_other(house, service):
    update(house, deploymentConfiguration={"minimumHealthyPercent": 50})
    shown = update(house, deploymentConfiguration={"maximumPercent": 150})
    configuration = shown["deploymentConfiguration"]
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (50, 150)
    assert update(house, placementStrategy=[{"type": "random"}])["placementStrategy"]
    assert update(house, placementStrategy=[])["placementStrategy"] == []


@pytest.mark.parametrize("way", ["definition", "family", "force"])
def test_a_new_definition_or_force_makes_one(house, service, way):
    a_host(house)
    house.settle()
    definition = a_definition(house, container={"cpu": 128})
    ways = {
        "definition": {"taskDefinition": definition},
        "family": {"taskDefinition": "web"},
        "force": {"forceNewDeployment": True},
    }
    house.clock.advance(seconds(1))
    shown = update(house, **ways[way])
    assert [one["status"] for one in shown["deployments"]] == ["PRIMARY", "ACTIVE"]
    primary, active = shown["deployments"]
    assert active["id"] == service["deployments"][0]["id"]
    assert primary["id"] != active["id"]
    assert active["desiredCount"] == 2
    expected = "web:1" if way == "force" else "web:2"
    assert shown["taskDefinition"].endswith(expected)
    house.settle()
    newest = house.ask("ListServiceDeployments", service="web")["serviceDeployments"]
    assert newest[0]["targetServiceRevisionArn"].endswith(primary["id"].partition("/")[2])


def test_an_inactive_definition_keeps_serving_who_has_it(house, service):
    house.ask("DeregisterTaskDefinition", taskDefinition="web:1")
    assert update(house, desiredCount=3)["desiredCount"] == 3
    house.refused("UpdateService", "ClientException", service="web", taskDefinition="web:1")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"service": "nothing"}, "ServiceNotFoundException"),
        ({"service": None}, "InvalidParameterException"),
        (
            {"service": f"arn:aws:ecs:{REGION}:{OTHER}:service/default/web"},
            "InvalidParameterException",
        ),
        ({"cluster": "no"}, "ClusterNotFoundException"),
        ({"desiredCount": -1}, "InvalidParameterException"),
        ({"desiredCount": 1.5}, "SerializationException"),
        ({"taskDefinition": "nothing"}, "ClientException"),
        ({"loadBalancers": [{"containerName": "web"}]}, "UnsupportedFeatureException"),
        ({"platformVersion": "LATEST"}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"maximumPercent": 99}}, "InvalidParameterException"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}}},
            "InvalidParameterException",
        ),
        (
            {
                "monitoring": {
                    "metricConfigurations": [
                        {"metricNames": ["SERVICE_CPU_UTILIZATION"], "resolutionSeconds": 20}
                    ]
                }
            },
            "UnsupportedFeatureException",
        ),
    ],
)
def test_what_cannot_be_changed_changes_nothing(house, service, members, code):
    given = {"service": "web", "desiredCount": 9, **members}
    house.refused("UpdateService", code, **{k: v for k, v in given.items() if v is not None})
    (shown,) = house.ask("DescribeServices", services=["web"])["services"]
    assert shown["desiredCount"] == 2
    assert len(shown["deployments"]) == 1


def test_another_accounts_service_is_not_there(house, service):
    house.refused("UpdateService", "ServiceNotFoundException", by=root(OTHER), service="web")
