"""UpdateContainerAgent: there is never an update to send, and the sentence says what to do."""

import pytest

from moorage.ecs.store import container_instances
from moorage.ground.record import evolve
from tests.builders import ACCOUNT, OTHER, REGION, a_host

UNKNOWN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:container-instance/default/{'a' * 32}"
FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:container-instance/default/{'a' * 32}"


def changed(house, key, **members):
    """Write the host's row as if it had come so."""

    def work(call):
        found = container_instances.get(call.tx, key.instance)
        container_instances.write(call.tx, evolve(found, **members))

    house.write(work)


def test_our_agent_is_upgraded_with_its_package(house):
    key = a_host(house)
    for text in (key.instance, key.instance.rpartition("/")[2]):
        said = house.refused(
            "UpdateContainerAgent", "NoUpdateAvailableException", containerInstance=text
        )
        assert said.startswith("There is no update available for your container agent.")
        assert "host-1" in said
        assert "docs/how-to/upgrade.md" in said
    (host,) = house.ask("DescribeContainerInstances", containerInstances=[key.instance])[
        "containerInstances"
    ]
    assert host.get("agentUpdateStatus") is None


def test_amazons_agent_has_a_package_of_its_own(house):
    key = a_host(house)
    changed(house, key, attributes=())
    said = house.refused(
        "UpdateContainerAgent", "NoUpdateAvailableException", containerInstance=key.instance
    )
    assert "ecs-init" in said


def test_a_host_that_is_away_or_has_no_version(house):
    key = a_host(house)
    changed(house, key, agent_version="")
    house.refused("UpdateContainerAgent", "MissingVersionException", containerInstance=key.instance)
    changed(house, key, connected=False)
    said = house.refused("UpdateContainerAgent", "ClientException", containerInstance=key.instance)
    assert "is not connected" in said


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "InvalidParameterException"),
        ({"containerInstance": UNKNOWN}, "InvalidParameterException"),
        ({"containerInstance": "a" * 32}, "InvalidParameterException"),
        ({"containerInstance": FOREIGN}, "InvalidParameterException"),
        ({"containerInstance": UNKNOWN, "cluster": "nowhere"}, "ClusterNotFoundException"),
    ],
)
def test_hosts_that_are_not_there(house, members, code):
    house.refused("UpdateContainerAgent", code, **members)


def test_a_host_of_another_cluster_and_one_that_was_deregistered(house):
    house.ask("CreateCluster", clusterName="web")
    key = a_host(house)
    elsewhere = {"cluster": "web", "containerInstance": key.instance}
    house.refused("UpdateContainerAgent", "InvalidParameterException", **elsewhere)
    house.ask("DeregisterContainerInstance", containerInstance=key.instance)
    house.refused(
        "UpdateContainerAgent", "InvalidParameterException", containerInstance=key.instance
    )
