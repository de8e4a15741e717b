"""DAEMON services through the operations: what may be asked of them, and how they are shown."""

import pytest

from tests.builders import a_definition, a_host, a_service

PREFIX = "The daemon scheduling strategy does not support "


def a_daemon(house, name="logs", **members):
    given = {"serviceName": name, "schedulingStrategy": "DAEMON", **members}
    given.setdefault("taskDefinition", a_definition(house, name))
    return house.ask("CreateService", **given)["service"]


def described(house, name="logs"):
    return house.ask("DescribeServices", services=[name])["services"][0]


def running(house, *keys):
    """Every task of the cluster is RUNNING."""
    speaks = {key.instance: key for key in keys}
    for task in tasks(house):
        key, arn = speaks[task["containerInstanceArn"]], task["taskArn"]
        house.ask("SubmitTaskStateChange", by=key, cluster="default", task=arn, status="RUNNING")
    house.settle()


def tasks(house):
    arns = house.ask("ListTasks")["taskArns"]
    return house.ask("DescribeTasks", tasks=arns)["tasks"]


def test_it_is_made_without_a_count_and_counts_its_hosts(house):
    keys = a_host(house), a_host(house, "host-2")
    service = a_daemon(house)
    assert (service["schedulingStrategy"], service["desiredCount"]) == ("DAEMON", 0)
    configuration = service["deploymentConfiguration"]
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (0, 100)
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    house.settle()
    shown = described(house)
    assert (shown["desiredCount"], shown["pendingCount"]) == (2, 2)
    assert shown["deployments"][0]["desiredCount"] == 2
    assert len({task["containerInstanceArn"] for task in tasks(house)}) == 2
    running(house, *keys)
    shown = described(house)
    assert shown["deployments"][0]["rolloutState"] == "COMPLETED"
    assert shown["events"][0]["message"] == "(service logs) has reached a steady state."


def test_it_is_listed_by_its_strategy(house):
    a_service(house)
    daemon = a_daemon(house)
    listed = house.ask("ListServices", schedulingStrategy="DAEMON")["serviceArns"]
    assert listed == [daemon["serviceArn"]]
    assert len(house.ask("ListServices", schedulingStrategy="REPLICA")["serviceArns"]) == 1


def test_asked_again_alike_it_is_the_same_whatever_it_counts_by_now(house):
    definition = a_definition(house, "logs")
    a_host(house)
    first = a_daemon(house, taskDefinition=definition)
    house.settle()
    again = a_daemon(house, taskDefinition=definition)
    assert again["serviceArn"] == first["serviceArn"]
    assert again["desiredCount"] == 1
    message = house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="logs",
        taskDefinition=definition,
        schedulingStrategy="DAEMON",
        deploymentConfiguration={"minimumHealthyPercent": 50},
    )
    assert message == "Creation of service was not idempotent."


REFUSED = [
    (
        {"desiredCount": 1},
        f"{PREFIX}a desired count for services. Remove the desired count value and try again",
    ),
    (
        {"placementStrategy": [{"type": "random"}]},
        f"{PREFIX}placement strategies. Remove the placement strategy and try again",
    ),
    (
        {"placementConstraints": [{"type": "distinctInstance"}]},
        (
            f"{PREFIX}the distinctInstance placement constraint. Remove the placement constraint and "
            "try again"
        ),
    ),
    (
        {"deploymentConfiguration": {"maximumPercent": 200}},
        (
            f"{PREFIX}values above 100 for maximumPercent on a deployment configuration. Change the "
            "maximumPercent value to 100, and try again"
        ),
    ),
    (
        {"deploymentConfiguration": {"minimumHealthyPercent": 100}},
        (
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments."
        ),
    ),
    (
        {"capacityProviderStrategy": [{"capacityProvider": "x"}]},
        (
            "Specifying a capacity provider strategy is not supported when you create a service using "
            "the DAEMON scheduling strategy."
        ),
    ),
    (
        {"availabilityZoneRebalancing": "ENABLED"},
        f"{PREFIX}Availability Zone rebalancing. Remove availabilityZoneRebalancing and try again",
    ),
]


@pytest.mark.parametrize(("members", "words"), REFUSED)
def test_what_it_cannot_be_asked_is_refused_in_amazons_words(house, members, words):
    definition = a_definition(house, "logs")
    message = house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="logs",
        taskDefinition=definition,
        schedulingStrategy="DAEMON",
        **members,
    )
    assert message == words
    a_daemon(house, taskDefinition=definition)
    before = described(house)
    message = house.refused("UpdateService", "InvalidParameterException", service="logs", **members)
    assert message == words
    assert described(house) == before


def test_what_asks_for_nothing_is_fine(house):
    service = a_daemon(
        house,
        placementStrategy=[],
        placementConstraints=[{"type": "memberOf", "expression": "attribute:disk == ssd"}],
        capacityProviderStrategy=[],
        availabilityZoneRebalancing="DISABLED",
        deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 50},
    )
    assert service["status"] == "ACTIVE"
    changed = house.ask("UpdateService", service="logs", placementConstraints=[])["service"]
    assert changed["placementConstraints"] == []
    assert len(changed["deployments"]) == 1
    percentages = changed["deploymentConfiguration"]
    assert (percentages["minimumHealthyPercent"], percentages["maximumPercent"]) == (50, 100)


def test_it_is_deleted_without_force(house):
    key = a_host(house)
    a_daemon(house)
    house.settle()
    running(house, key)
    gone = house.ask("DeleteService", service="logs")["service"]
    assert gone["status"] == "DRAINING"
    house.settle()
    for arn in house.ask("ListTasks", desiredStatus="STOPPED")["taskArns"]:
        house.ask("SubmitTaskStateChange", by=key, cluster="default", task=arn, status="STOPPED")
    house.settle()
    assert described(house)["status"] == "INACTIVE"


def test_its_constraints_take_effect_at_once(house):
    """ECS wants the service restarted for that."""
    keys = a_host(house), a_host(house, "host-2")
    a_daemon(house)
    house.settle()
    running(house, *keys)
    only = [{"type": "memberOf", "expression": "ec2InstanceId == host-2"}]
    house.ask("UpdateService", service="logs", placementConstraints=only)
    house.settle()
    shown = described(house)
    assert shown["desiredCount"] == 1
    stopping = house.ask("ListTasks", desiredStatus="STOPPED")["taskArns"]
    (task,) = house.ask("DescribeTasks", tasks=stopping)["tasks"]
    assert task["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")


def test_a_task_is_not_placed_where_a_daemon_has_no_room_yet(house):
    """The daemon cannot be pulled, and its room is kept for it all the same."""
    key = a_host(house)
    definition = a_definition(house, "logs", container={"cpu": 4000})
    a_daemon(house, taskDefinition=definition)
    house.settle()
    (task,) = house.ask("ListTasks")["taskArns"]
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="STOPPED",
              reason="CannotPullContainerError: none")  # fmt: skip
    small = a_definition(house, "small", container={"cpu": 512})
    answer = house.ask("RunTask", taskDefinition=small)
    assert [one["reason"] for one in answer["failures"]] == ["RESOURCE:CPU"]
    house.ask("DeleteService", service="logs")
    assert house.ask("RunTask", taskDefinition=small)["failures"] == []
