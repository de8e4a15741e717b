"""RunTask and StartTask."""

import pytest

from tests.builders import OTHER, REGION, a_container, a_definition, a_host, root

FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:task-definition/web:1"


def test_a_task_is_placed_in_the_call(house):
    key = a_host(house, zone="z1")
    definition = a_definition(house)
    answer = house.ask(
        "RunTask",
        taskDefinition="web",
        startedBy="me",
        tags=[{"key": "a", "value": "b"}],
        enableExecuteCommand=True,
    )
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    assert task["taskDefinitionArn"].endswith(f"/{definition}")
    assert task["containerInstanceArn"] == key.instance
    assert (task["lastStatus"], task["desiredStatus"]) == ("PENDING", "RUNNING")
    assert (task["group"], task["startedBy"]) == ("family:web", "me")
    assert (task["launchType"], task["availabilityZone"]) == ("EC2", "z1")
    assert (task["cpu"], task["memory"]) == ("256", "512")
    assert task["attachments"] == task["attributes"] == []
    assert task["tags"] == [{"key": "a", "value": "b"}]
    assert task["overrides"]["containerOverrides"] == [{"name": "web"}]
    assert task["enableExecuteCommand"] is True
    (container,) = task["containers"]
    assert container["networkBindings"] == container["networkInterfaces"] == []
    assert container["taskArn"] == task["taskArn"]
    assert container["lastStatus"] == "PENDING"


def test_what_finds_no_room_says_why_for_each_host(house):
    house.refused("RunTask", "ClientException", taskDefinition="web")
    definition = a_definition(house, container={"cpu": 3000})
    message = house.refused("RunTask", "InvalidParameterException", taskDefinition=definition)
    assert message == "No Container Instances were found in your cluster."
    key, other = a_host(house, "one"), a_host(house, "two", connect=False)
    answer = house.ask("RunTask", taskDefinition=definition, count=2)
    assert len(answer["tasks"]) == 1
    assert {one["arn"]: one["reason"] for one in answer["failures"]} == {
        key.instance: "RESOURCE:CPU",
        other.instance: "AGENT",
    }


@pytest.mark.parametrize(
    ("members", "container", "reason"),
    [
        ({}, {"memory": 9000}, "RESOURCE:MEMORY"),
        ({}, {"portMappings": [{"containerPort": 80, "hostPort": 22}]}, "RESOURCE:PORTS"),
        (
            {},
            {"resourceRequirements": [{"type": "GPU", "value": "1"}]},
            "RESOURCE:GPU",
        ),
        (
            {"placementConstraints": [{"type": "memberOf", "expression": "attribute:rack == r1"}]},
            {},
            "MemberOf placement constraint unsatisfied.",
        ),
    ],
)
def test_reasons(house, members, container, reason):
    a_host(house)
    definition = a_definition(house, container=container)
    answer = house.ask("RunTask", taskDefinition=definition, **members)
    assert answer["tasks"] == []
    assert [one["reason"] for one in answer["failures"]] == [reason]


def test_distinct_hosts_and_fixed_ports_are_held(house):
    keys = [a_host(house, name) for name in ("one", "two")]
    ports = [{"containerPort": 80, "hostPort": 8080}]
    definition = a_definition(house, container={"portMappings": ports})
    answer = house.ask("RunTask", taskDefinition=definition, count=3)
    assert sorted(one["containerInstanceArn"] for one in answer["tasks"]) == sorted(
        key.instance for key in keys
    )
    assert {one["reason"] for one in answer["failures"]} == {"RESOURCE:PORTS"}
    distinct = [{"type": "distinctInstance"}]
    answer = house.ask(
        "RunTask",
        taskDefinition=a_definition(house, "other"),
        count=3,
        placementConstraints=distinct,
        placementStrategy=[{"type": "random"}],
    )
    assert len(answer["tasks"]) == 2


def test_a_client_token_runs_once(house):
    a_host(house)
    definition = a_definition(house)
    first = house.ask("RunTask", taskDefinition=definition, clientToken="t")
    assert house.ask("RunTask", taskDefinition=definition, clientToken="t") == first
    house.refused(
        "RunTask", "ConflictException", taskDefinition=definition, clientToken="t", count=2
    )
    assert len(house.ask("ListTasks")["taskArns"]) == 1


def test_overrides_are_merged_and_shown(house):
    a_host(house)
    definition = a_definition(house)
    given = {"name": "web", "command": ["true"], "cpu": 512, "memory": 1024}
    (task,) = house.ask(
        "RunTask", taskDefinition=definition, overrides={"containerOverrides": [given]}
    )["tasks"]
    assert task["overrides"]["containerOverrides"] == [given]
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    unknown = {"containerOverrides": [{"name": "other", "command": ["true"]}]}
    house.refused(
        "RunTask", "InvalidParameterException", taskDefinition=definition, overrides=unknown
    )


def test_tags_are_inherited_and_managed(house):
    a_host(house)
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]
    definition = a_definition(house, tags=tags)
    (task,) = house.ask(
        "RunTask",
        taskDefinition=definition,
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
        tags=[{"key": "b", "value": "2"}],
    )["tasks"]
    assert {one["key"]: one["value"] for one in task["tags"]} == {
        "a": "1",
        "b": "2",
        "aws:ecs:clusterName": "default",
    }
    (plain,) = house.ask("RunTask", taskDefinition=definition)["tasks"]
    assert plain["tags"] == []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({}, "InvalidParameterException"),
        ({"taskDefinition": "nothing"}, "ClientException"),
        ({"taskDefinition": FOREIGN}, "InvalidParameterException"),
        ({"taskDefinition": "web", "count": 0}, "InvalidParameterException"),
        ({"taskDefinition": "web", "count": 11}, "InvalidParameterException"),
        ({"taskDefinition": "web", "count": "2"}, "SerializationException"),
        ({"taskDefinition": "web", "launchType": "FARGATE"}, "UnsupportedFeatureException"),
        ({"taskDefinition": "web", "launchType": "MOON"}, "InvalidParameterException"),
        ({"taskDefinition": "web", "cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"taskDefinition": "web", "startedBy": "x" * 129}, "InvalidParameterException"),
        ({"taskDefinition": "web", "referenceId": "x"}, "UnsupportedFeatureException"),
        ({"taskDefinition": "web", "group": "service:x"}, "InvalidParameterException"),
        ({"taskDefinition": "web", "propagateTags": "SERVICE"}, "InvalidParameterException"),
        ({"taskDefinition": "web", "tags": [{"key": "aws:x"}]}, "InvalidParameterException"),
        (
            {"taskDefinition": "web", "placementStrategy": [{"type": "binpack", "field": "disk"}]},
            "InvalidParameterException",
        ),
        (
            {"taskDefinition": "web", "capacityProviderStrategy": [{"capacityProvider": "x"}]},
            "InvalidParameterException",
        ),
        (
            {
                "taskDefinition": "web",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["s"]}},
            },
            "InvalidParameterException",
        ),
    ],
)
def test_what_cannot_be_asked_starts_nothing(house, members, code):
    a_host(house)
    a_definition(house)
    house.refused("RunTask", code, **members)
    assert house.ask("ListTasks")["taskArns"] == []


def test_another_accounts_hosts_are_not_mine(house):
    a_host(house)
    a_definition(house)
    house.refused("RunTask", "ClientException", by=root(OTHER), taskDefinition="web")


def test_start_task_names_its_hosts(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    definition = a_definition(house, containerDefinitions=[a_container(), a_container(name="b")])
    unknown = "c" * 32
    answer = house.ask(
        "StartTask",
        taskDefinition=definition,
        containerInstances=[key.instance, unknown],
        group="mine",
    )
    (task,) = answer["tasks"]
    assert (task["containerInstanceArn"], task["group"]) == (key.instance, "mine")
    assert len({one["containerArn"] for one in task["containers"]}) == 2
    assert [one["reason"] for one in answer["failures"]] == ["MISSING"]
    house.ask(
        "UpdateContainerInstancesState", containerInstances=[other.instance], status="DRAINING"
    )
    answer = house.ask("StartTask", taskDefinition=definition, containerInstances=[other.instance])
    assert answer["tasks"] == []
    assert len(answer["failures"]) == 1


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"containerInstances": []}, "InvalidParameterException"),
        ({"containerInstances": ["a"] * 11}, "InvalidParameterException"),
        ({"containerInstances": ["a"], "taskDefinition": "nothing"}, "ClientException"),
        ({"containerInstances": ["a"], "startedBy": "x" * 37}, "InvalidParameterException"),
        ({"containerInstances": "a"}, "SerializationException"),
        (
            {
                "containerInstances": [
                    f"arn:aws:ecs:{REGION}:{OTHER}:container-instance/default/{'a' * 32}"
                ]
            },
            "InvalidParameterException",
        ),
    ],
)
def test_start_task_refuses(house, members, code):
    a_host(house)
    a_definition(house)
    house.refused("StartTask", code, **{"taskDefinition": "web", **members})


def test_constraints_of_the_definition_count_with_those_of_the_call(house):
    a_host(house)
    member = {"type": "memberOf", "expression": "runningTasksCount >= 0"}
    definition = a_definition(house, placementConstraints=[member] * 6)
    many = {"taskDefinition": definition, "placementConstraints": [member] * 5}
    said = "The maximum number of placement constraints is 10"
    assert said in house.refused("RunTask", "InvalidParameterException", **many)
    service = {"serviceName": "web", "desiredCount": 0}
    assert said in house.refused("CreateService", "InvalidParameterException", **service, **many)
    few = {**many, "placementConstraints": [member] * 4}
    assert house.ask("RunTask", **few)["tasks"]
    house.ask("CreateService", **service, **few)
    assert said in house.refused(
        "UpdateService", "InvalidParameterException", service="web", **many
    )
