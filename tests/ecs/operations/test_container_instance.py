"""DescribeContainerInstances, ListContainerInstances, UpdateContainerInstancesState, Deregister."""

import pytest

from tests.builders import OTHER, REGION, a_definition, a_host, a_service, a_task, root

FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:container-instance/default/{'a' * 32}"


def by_name(resources):
    return {one["name"]: one for one in resources}


def test_a_host_is_described_with_what_is_left_of_it(house):
    key = a_host(house)
    definition = a_definition(
        house, container={"portMappings": [{"containerPort": 80, "hostPort": 8080}]}
    )
    a_task(house, taskDefinition=definition)
    for text in (key.instance, key.instance.rpartition("/")[2]):
        answer = house.ask("DescribeContainerInstances", containerInstances=[text])
        assert answer["failures"] == []
        (shown,) = answer["containerInstances"]
        left = by_name(shown["remainingResources"])
        assert left["CPU"]["integerValue"] == 4096 - 256
        assert left["MEMORY"]["integerValue"] == 8192 - 512
        assert left["PORTS"]["stringSetValue"] == ["22", "8080"]
        assert left["PORTS_UDP"]["stringSetValue"] == []
        assert (shown["agentConnected"], shown["pendingTasksCount"]) == (True, 1)
        assert shown["runningTasksCount"] == 0
        assert shown["attachments"] == []
        assert "healthStatus" not in shown
    (shown,) = house.ask(
        "DescribeContainerInstances",
        containerInstances=[key.instance],
        include=["CONTAINER_INSTANCE_HEALTH", "TAGS"],
    )["containerInstances"]
    assert shown["healthStatus"]["overallStatus"] == "INITIALIZING"


def test_a_batch_answers_what_is_missing(house):
    key = a_host(house)
    unknown = "b" * 32
    answer = house.ask(
        "DescribeContainerInstances",
        containerInstances=[unknown, key.instance, key.instance, f"other/{unknown}"],
    )
    assert len(answer["containerInstances"]) == 1
    assert [one["reason"] for one in answer["failures"]] == ["MISSING", "MISSING"]
    assert answer["failures"][0]["arn"].endswith(f"container-instance/default/{unknown}")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"containerInstances": []}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
        ({"containerInstances": ["a"] * 101}, "InvalidParameterException"),
        ({"containerInstances": [FOREIGN]}, "InvalidParameterException"),
        ({"containerInstances": ["a"], "cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"containerInstances": "a"}, "SerializationException"),
        ({"containerInstances": ["a"], "include": ["ALL"]}, "InvalidParameterException"),
    ],
)
def test_what_cannot_be_described_is_refused(house, members, code):
    house.refused("DescribeContainerInstances", code, **members)


def test_hosts_are_listed_by_status_and_filter(house):
    keys = [a_host(house, f"h{n}", zone="ab"[n % 2]) for n in range(4)]
    arns = sorted(key.instance for key in keys)
    assert house.ask("ListContainerInstances")["containerInstanceArns"] == arns
    house.ask(
        "UpdateContainerInstancesState", containerInstances=[keys[0].instance], status="DRAINING"
    )
    house.ask("DeregisterContainerInstance", containerInstance=keys[1].instance)
    live = sorted(key.instance for key in (keys[0], *keys[2:]))
    assert house.ask("ListContainerInstances")["containerInstanceArns"] == live
    for status, expected in (
        ("ACTIVE", [keys[2], keys[3]]),
        ("DRAINING", [keys[0]]),
        ("REGISTERING", []),
    ):
        found = house.ask("ListContainerInstances", status=status)["containerInstanceArns"]
        assert found == sorted(key.instance for key in expected)
    zone = "attribute:ecs.availability-zone == a"
    found = house.ask("ListContainerInstances", filter=zone)["containerInstanceArns"]
    assert found == sorted(key.instance for key in (keys[0], keys[2]))
    house.refused("ListContainerInstances", "InvalidParameterException", status="INACTIVE")
    house.refused("ListContainerInstances", "InvalidParameterException", filter="zone ===")
    first = house.ask("ListContainerInstances", maxResults=2)
    rest = house.ask("ListContainerInstances", maxResults=2, nextToken=first["nextToken"])
    assert first["containerInstanceArns"] + rest["containerInstanceArns"] == live
    assert "nextToken" not in rest


def test_a_host_is_drained_and_taken_back(house):
    key = a_host(house)
    for status in ("DRAINING", "DRAINING", "ACTIVE"):
        answer = house.ask(
            "UpdateContainerInstancesState", containerInstances=[key.instance], status=status
        )
        assert answer["containerInstances"][0]["status"] == status
        assert answer["failures"] == []
    house.ask("DeregisterContainerInstance", containerInstance=key.instance)
    answer = house.ask(
        "UpdateContainerInstancesState",
        containerInstances=[key.instance, "c" * 32],
        status="DRAINING",
    )
    assert sorted(one["reason"] for one in answer["failures"]) == ["INACTIVE", "MISSING"]


def test_a_host_may_drain_itself_alone(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    action = "UpdateContainerInstancesState"
    own = {"containerInstances": [key.instance], "status": "DRAINING"}
    assert house.ask(action, by=key, **own)["containerInstances"][0]["status"] == "DRAINING"
    house.refused(action, "AccessDeniedException", by=other, **own)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"status": "ACTIVE", "containerInstances": []}, "InvalidParameterException"),
        ({"status": "INACTIVE", "containerInstances": ["a"]}, "InvalidParameterException"),
        ({"status": "ACTIVE", "containerInstances": ["a"] * 11}, "InvalidParameterException"),
        ({"containerInstances": ["a"]}, "InvalidParameterException"),
    ],
)
def test_a_state_that_cannot_be_set_is_refused(house, members, code):
    house.refused("UpdateContainerInstancesState", code, **members)


def test_a_host_with_tasks_is_only_deregistered_by_force(house):
    key = a_host(house)
    service = a_service(house)
    house.settle()
    action = "DeregisterContainerInstance"
    message = house.refused(action, "InvalidParameterException", containerInstance=key.instance)
    assert message == "Found running tasks on the instance."
    gone = house.ask(action, containerInstance=key.instance, force=True)["containerInstance"]
    assert (gone["status"], gone["agentConnected"]) == ("INACTIVE", False)
    house.settle()
    listed = house.ask("ListTasks", serviceName=service["serviceName"], desiredStatus="STOPPED")
    (task,) = house.ask("DescribeTasks", tasks=listed["taskArns"])["tasks"]
    assert task["lastStatus"] == "STOPPED"
    assert task["stoppedReason"] == "Host deregistered"
    house.refused(action, "InvalidParameterException", containerInstance=key.instance)
    house.refused(action, "InvalidParameterException", containerInstance=FOREIGN)
    house.refused(action, "ClusterNotFoundException", by=root(OTHER), cluster="nowhere",
                  containerInstance="a")  # fmt: skip
