"""enableECSManagedTags and propagateTags: CreateService, UpdateService, RunTask, StartTask."""

import pytest

from tests.builders import a_definition, a_host, a_service

TEAM = [{"key": "team", "value": "definition"}, {"key": "of", "value": "definition"}]
SERVICE = [{"key": "team", "value": "service"}, {"key": "tier", "value": "service"}]
OF_DEFINITION = {"team": "definition", "of": "definition"}
OF_SERVICE = {"team": "service", "tier": "service"}
CLUSTER = {"aws:ecs:clusterName": "default"}
BOTH = {**CLUSTER, "aws:ecs:serviceName": "web"}


def tags(house, task):
    (shown,) = house.ask("DescribeTasks", tasks=[task], include=["TAGS"])["tasks"]
    (plain,) = house.ask("DescribeTasks", tasks=[task])["tasks"]
    assert plain["tags"] == []
    found = {one["key"]: one["value"] for one in shown["tags"]}
    listed = house.ask("ListTagsForResource", resourceArn=task)["tags"]
    assert {one["key"]: one["value"] for one in listed} == found
    return found


def newest(house):
    """The tags of the service's tasks, oldest first."""
    house.settle()
    arns = house.ask("ListTasks", serviceName="web")["taskArns"]
    found = house.ask("DescribeTasks", tasks=arns)["tasks"]
    return [tags(house, one["taskArn"]) for one in sorted(found, key=lambda one: one["createdAt"])]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"propagateTags": "NONE"}, {}),
        ({"propagateTags": "TASK_DEFINITION"}, OF_DEFINITION),
        ({"propagateTags": "SERVICE"}, OF_SERVICE),
        ({"enableECSManagedTags": True}, BOTH),
        ({"enableECSManagedTags": False, "propagateTags": "SERVICE"}, OF_SERVICE),
        (
            {"enableECSManagedTags": True, "propagateTags": "TASK_DEFINITION"},
            BOTH | OF_DEFINITION,
        ),
        ({"enableECSManagedTags": True, "propagateTags": "SERVICE"}, BOTH | OF_SERVICE),
    ],
)
def test_the_tasks_of_a_service(house, members, expected):
    a_host(house)
    definition = a_definition(house, tags=TEAM)
    shown = a_service(house, taskDefinition=definition, tags=SERVICE, **members)
    assert shown["propagateTags"] == members.get("propagateTags", "NONE")
    assert shown["enableECSManagedTags"] is members.get("enableECSManagedTags", False)
    assert newest(house) == [expected]


def test_a_change_holds_for_tasks_that_start_from_now_on(house):
    a_host(house)
    definition = a_definition(house, tags=TEAM)
    a_service(house, taskDefinition=definition, tags=SERVICE)
    assert newest(house) == [{}]
    house.clock.advance(1_000_000)
    given = {"enableECSManagedTags": True, "propagateTags": "SERVICE"}
    shown = house.ask("UpdateService", service="web", desiredCount=2, **given)["service"]
    assert {name: shown[name] for name in given} == given
    assert len(shown["deployments"]) == 1
    assert newest(house) == [{}, BOTH | OF_SERVICE]
    house.clock.advance(1_000_000)
    house.ask(
        "UpdateService",
        service="web",
        desiredCount=3,
        propagateTags="NONE",
        enableECSManagedTags=False,
    )
    assert newest(house) == [{}, BOTH | OF_SERVICE, {}]
    house.refused(
        "UpdateService", "InvalidParameterException", service="web", propagateTags="CLUSTER"
    )


@pytest.mark.parametrize("action", ["RunTask", "StartTask"])
@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"propagateTags": "NONE"}, {}),
        ({"propagateTags": "TASK_DEFINITION"}, OF_DEFINITION),
        (
            {"propagateTags": "TASK_DEFINITION", "tags": [{"key": "team", "value": "own"}]},
            OF_DEFINITION | {"team": "own"},
        ),
        ({"enableECSManagedTags": True}, CLUSTER),
        (
            {"enableECSManagedTags": True, "tags": [{"key": "a", "value": "b"}]},
            CLUSTER | {"a": "b"},
        ),
    ],
)
def test_tasks_of_no_service(house, action, members, expected):
    key = a_host(house)
    definition = a_definition(house, tags=TEAM)
    where = {"containerInstances": [key.instance]} if action == "StartTask" else {}
    answer = house.ask(action, taskDefinition=definition, **where, **members)
    (task,) = answer["tasks"]
    assert {one["key"]: one["value"] for one in task["tags"]} == expected
    assert tags(house, task["taskArn"]) == expected


@pytest.mark.parametrize("action", ["RunTask", "StartTask"])
@pytest.mark.parametrize(
    "members",
    [
        {"propagateTags": "SERVICE"},
        {"propagateTags": "CLUSTER"},
        {
            "propagateTags": "TASK_DEFINITION",
            "tags": [{"key": f"k{number}"} for number in range(49)],
        },
    ],
)
def test_what_cannot_be_inherited_starts_nothing(house, action, members):
    key = a_host(house)
    definition = a_definition(house, tags=TEAM)
    where = {"containerInstances": [key.instance]} if action == "StartTask" else {}
    house.refused(
        action, "InvalidParameterException", taskDefinition=definition, **where, **members
    )
    assert house.ask("ListTasks")["taskArns"] == []


def test_managed_tags_are_nobodys_to_give_or_take(house):
    a_host(house)
    definition = a_definition(house)
    (task,) = house.ask("RunTask", taskDefinition=definition, enableECSManagedTags=True)["tasks"]
    arn = task["taskArn"]
    bad = {"key": "aws:ecs:clusterName", "value": "mine"}
    house.refused("TagResource", "InvalidParameterException", resourceArn=arn, tags=[bad])
    house.refused(
        "UntagResource", "InvalidParameterException", resourceArn=arn, tagKeys=[bad["key"]]
    )
    more = [{"key": f"k{number}"} for number in range(50)]
    house.ask("TagResource", resourceArn=arn, tags=more)
    assert tags(house, arn) == CLUSTER | {one["key"]: "" for one in more}
