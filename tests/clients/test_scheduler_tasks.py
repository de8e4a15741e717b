"""What RunTask, StartTask, task protection and filters make of each member, on three real hosts."""

from collections import Counter
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from tests.clients.place import Place
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]
OWN, INHERITED = {"key": "own", "value": "1"}, {"key": "of", "value": "definition"}
NOWHERE = "d" * 32
INVALID = "InvalidParameterException"


@pytest.fixture
def shell(place: Place, images) -> str:
    container = {"image": images["shell"], "command": FOREVER}
    return place.register("crew", container, tags=[INHERITED])


def listed(place: Place, **query: Any) -> set[str]:
    """What ListTasks finds, two a page."""
    pages = place.ecs.get_paginator("list_tasks").paginate(
        **query, PaginationConfig={"PageSize": 2}
    )
    found = [page["taskArns"] for page in pages]
    assert all(len(page) <= 2 for page in found)
    return set(chain(*found))


def tags_of(place: Place, arn: str) -> dict[str, str]:
    (task,) = place.ecs.describe_tasks(tasks=[arn], include=["TAGS"])["tasks"]
    assert place.describe(arn)[0]["tags"] == [], "only where they are asked for"
    return {one["key"]: one["value"] for one in task["tags"]}


def test_each_member_of_run_task_is_on_its_tasks_and_lists_find_them(place: Place, shell):
    ecs = place.ecs
    answer = ecs.run_task(
        taskDefinition=shell,
        count=3,
        cluster="default",
        group="watch",
        startedBy="the-test",
        launchType="EXTERNAL",
        enableExecuteCommand=True,
        enableECSManagedTags=True,
        propagateTags="TASK_DEFINITION",
        tags=[OWN],
        placementConstraints=[{"type": "distinctInstance"}],
        placementStrategy=[{"type": "binpack", "field": "memory"}],
        overrides={
            "containerOverrides": [
                {"name": "main", "cpu": 8, "environment": [{"name": "A", "value": "b"}]}
            ]
        },
    )
    assert answer["failures"] == []
    told = answer["tasks"]
    hosts = {task["containerInstanceArn"] for task in told}
    assert len(hosts) == 3, "distinct, though it packs"
    for task in told:
        assert (task["group"], task["startedBy"]) == ("watch", "the-test")
        assert (task["launchType"], task["enableExecuteCommand"]) == ("EXTERNAL", True)
        (override,) = task["overrides"]["containerOverrides"]
        assert (override["cpu"], override["environment"][0]["value"]) == (8, "b")
    managed = {"aws:ecs:clusterName": "default"}
    assert tags_of(place, told[0]["taskArn"]) == {"own": "1", "of": "definition", **managed}
    host = told[0]["containerInstanceArn"]
    (plain,) = ecs.start_task(
        taskDefinition=shell.partition(":")[0], containerInstances=[host.rpartition("/")[2]]
    )["tasks"]
    assert (plain["group"], plain["launchType"]) == ("family:crew", "EC2")
    assert tags_of(place, plain["taskArn"]) == {}
    found_by_lists(place, told, plain)
    again = ecs.run_task(
        taskDefinition=shell,
        group="watch",
        placementConstraints=[{"type": "distinctInstance"}],
    )
    assert {one["reason"] for one in again["failures"]} == {
        "DistinctInstance placement constraint unsatisfied."
    }
    beside = [{"type": "memberOf", "expression": "task:group == family:crew"}]
    (near,) = ecs.run_task(taskDefinition=shell, placementConstraints=beside)["tasks"]
    assert near["containerInstanceArn"] == host


def found_by_lists(place: Place, watch: list[dict[str, Any]], plain: dict[str, Any]) -> None:
    """The tasks of the group `watch`, and one more beside the first of them."""
    ecs, host = place.ecs, plain["containerInstanceArn"]
    arns = {task["taskArn"] for task in watch}
    hosts = {task["containerInstanceArn"] for task in watch}
    everyone = arns | {plain["taskArn"]}
    for query, found in (
        ({}, everyone),
        ({"family": "crew"}, everyone),
        ({"family": "other"}, set()),
        ({"startedBy": "the-test"}, arns),
        ({"launchType": "EXTERNAL"}, arns),
        ({"containerInstance": host}, {watch[0]["taskArn"], plain["taskArn"]}),
        ({"containerInstance": host.rpartition("/")[2], "launchType": "EC2"}, {plain["taskArn"]}),
        ({"desiredStatus": "PENDING"}, set()),
    ):
        assert listed(place, **query) == found, query
    for expression, found in (
        ("task:group == watch", hosts),
        ("task:group == family:crew", {host}),
        ("not(task:group == family:crew)", hosts - {host}),
        ("runningTasksCount >= 0 and agentConnected == true", hosts),
        ("agentConnected == false", set()),
    ):
        answer = ecs.list_container_instances(filter=expression)["containerInstanceArns"]
        assert set(answer) == found, expression


def test_a_group_of_a_service_is_nobodys_to_take(place: Place, shell):
    """Else a task of nobody's would count among a service's, or hold a daemon's place."""
    made = place.ecs.create_service(
        serviceName="logs", taskDefinition=shell, schedulingStrategy="DAEMON"
    )["service"]
    until(lambda: len(place.running("logs")) == 3, 30, "one on each host")
    (host, *_) = (one["containerInstanceArn"] for one in place.instances())
    refused = place.ecs.exceptions.InvalidParameterException
    for call, more in (
        (place.ecs.run_task, {}),
        (place.ecs.start_task, {"containerInstances": [host]}),
    ):
        with pytest.raises(refused, match="Invalid namespace for group"):
            call(taskDefinition=shell, group="service:logs", **more)
    place.run_task(shell, group="service")
    told = place.service("logs")
    assert told["serviceArn"] == made["serviceArn"]
    assert (told["desiredCount"], told["runningCount"] + told["pendingCount"]) == (3, 3)


def test_start_task_names_its_hosts_and_says_which_are_not_there(place: Place, shell):
    ecs = place.ecs
    one, two, _ = (host["containerInstanceArn"] for host in place.instances())
    answer = ecs.start_task(
        taskDefinition=shell,
        containerInstances=[one, two.rpartition("/")[2], NOWHERE],
        group="crew-2",
        startedBy="me",
        enableECSManagedTags=True,
        tags=[OWN],
        propagateTags="TASK_DEFINITION",
        enableExecuteCommand=True,
        overrides={"containerOverrides": [{"name": "main", "memory": 48}]},
    )
    started = answer["tasks"]
    assert {task["containerInstanceArn"] for task in started} == {one, two}
    (missing,) = answer["failures"]
    assert missing["reason"] == "MISSING"
    assert missing["arn"].endswith(NOWHERE)
    for task in started:
        assert (task["group"], task["startedBy"]) == ("crew-2", "me")
        assert task["enableExecuteCommand"] is True
        assert task["overrides"]["containerOverrides"][0]["memory"] == 48
        assert set(tags_of(place, task["taskArn"])) == {"own", "of", "aws:ecs:clusterName"}


def test_strategies_that_are_chained_choose_as_their_first_does(place: Place, shell):
    """Packed: all on one. Spread over hosts first: even, whatever comes after."""
    pack, spread = {"type": "binpack", "field": "cpu"}, {"type": "spread", "field": "instanceId"}
    for chain_of, expected in (
        ([pack, spread], [6]),
        ([spread, pack], [2, 2, 2]),
        ([{"type": "spread", "field": "attribute:ecs.os-type"}, spread, pack], [2, 2, 2]),
    ):
        answer = place.ecs.run_task(taskDefinition=shell, count=6, placementStrategy=chain_of)
        found = Counter(task["containerInstanceArn"] for task in answer["tasks"])
        assert sorted(found.values()) == expected
        for task in answer["tasks"]:
            place.ecs.stop_task(task=task["taskArn"])
        for task in answer["tasks"]:
            place.stopped(task["taskArn"])


def test_protection_is_told_set_anew_and_ended(place: Place, shell):
    ecs = place.ecs
    ecs.create_service(serviceName="kept", taskDefinition=shell, desiredCount=2)
    until(lambda: len(place.running("kept")) == 2, 30, "two run")
    one, two = (task["taskArn"] for task in place.running("kept"))
    short = one.rpartition("/")[2]
    here: dict[str, Any] = {"cluster": place.service("kept")["clusterArn"]}
    before = ecs.get_task_protection(**here, tasks=[short, two, one, NOWHERE])
    assert before["protectedTasks"] == [
        {"taskArn": arn, "protectionEnabled": False} for arn in (one, two)
    ]
    (missing,) = before["failures"]
    assert (missing["reason"], missing["arn"].rpartition("/")[2]) == ("MISSING", NOWHERE)

    def protect(**members: Any) -> dict[str, Any]:
        asked = {**here, "tasks": [short], "protectionEnabled": True, **members}
        (shown,) = ecs.update_task_protection(**asked)["protectedTasks"]
        return shown  # type: ignore[no-any-return]

    usual = protect()
    assert (usual["taskArn"], usual["protectionEnabled"]) == (one, True)
    longer = protect(expiresInMinutes=2880)
    two_hours, two_days = timedelta(hours=2), timedelta(hours=48)
    between = longer["expirationDate"] - usual["expirationDate"]
    assert two_days - two_hours <= between < two_days - two_hours + timedelta(minutes=1)
    sooner = protect(expiresInMinutes=1)
    assert sooner["expirationDate"] < usual["expirationDate"], "each call sets the time anew"
    (told,) = ecs.get_task_protection(**here, tasks=[one])["protectedTasks"]
    assert told == sooner
    assert protect(protectionEnabled=False) == {"taskArn": one, "protectionEnabled": False}
    ecs.create_cluster(clusterName="elsewhere")
    far = ecs.get_task_protection(cluster="elsewhere", tasks=[one])
    assert [failure["reason"] for failure in far["failures"]] == ["MISSING"]
    ecs.delete_cluster(cluster="elsewhere")
    alone = place.run_task(shell)
    ecs.update_service(service="kept", desiredCount=1)
    until(lambda: len(place.tasks(serviceName="kept")) == 1, 20, "one is told to stop")
    gone = ({one, two} - {place.tasks(serviceName="kept")[0]["taskArn"]}).pop()
    answer = ecs.update_task_protection(
        **here, tasks=[alone, gone], protectionEnabled=True, expiresInMinutes=5
    )
    assert answer["protectedTasks"] == []
    reasons = {failure["arn"]: failure for failure in answer["failures"]}
    assert {failure["reason"] for failure in reasons.values()} == {"TASK_NOT_VALID"}
    assert "belongs to no service" in reasons[alone]["detail"]
    assert "stop" in reasons[gone]["detail"]


def test_the_agent_of_a_host_has_no_update_and_is_told_how(place: Place):
    """By id and by ARN."""
    (host, *_) = (one["containerInstanceArn"] for one in place.instances())
    for name in (host, host.rpartition("/")[2]):
        with pytest.raises(place.ecs.exceptions.NoUpdateAvailableException, match="package"):
            place.ecs.update_container_agent(cluster="default", containerInstance=name)


def test_a_provider_without_a_host_leaves_its_tasks_unplaced_by_name(place: Place, shell):
    """A strategy names who may take a task: hosts of nobody's pool take none."""
    refused = place.ecs.exceptions.InvalidParameterException
    with pytest.raises(refused, match="not associated"):
        place.ecs.run_task(
            taskDefinition=shell, capacityProviderStrategy=[{"capacityProvider": "none"}]
        )
    placed = place.ecs.run_task(taskDefinition=shell, capacityProviderStrategy=[])
    assert placed["tasks"], "an empty strategy asks for none"
