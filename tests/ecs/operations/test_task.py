"""StopTask, DescribeTasks, ListTasks."""

import pytest

from moorage.ecs.agents import AGENT
from tests.builders import ACCOUNT, OTHER, REGION, a_definition, a_host, a_service, a_task, root

FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:task/default/{'a' * 32}"


def test_tasks_are_described_by_id_and_arn_and_the_rest_is_missing(house):
    a_host(house)
    task = a_task(house, tags=[{"key": "a", "value": "b"}])
    identity = task["taskArn"].rpartition("/")[2]
    unknown = "f" * 32
    answer = house.ask("DescribeTasks", tasks=[identity, task["taskArn"], unknown, f"no/{unknown}"])
    assert [one["taskArn"] for one in answer["tasks"]] == [task["taskArn"]]
    assert answer["tasks"][0]["tags"] == []
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/{unknown}"
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}] * 2
    tagged = house.ask("DescribeTasks", tasks=[identity], include=["TAGS"])["tasks"][0]
    assert tagged["tags"] == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"tasks": []}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
        ({"tasks": ["a"] * 101}, "InvalidParameterException"),
        ({"tasks": [FOREIGN]}, "InvalidParameterException"),
        ({"tasks": ["a"], "cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"tasks": [1]}, "SerializationException"),
        ({"tasks": ["a"], "include": ["EVERYTHING"]}, "InvalidParameterException"),
    ],
)
def test_what_cannot_be_described_is_refused(house, members, code):
    house.refused("DescribeTasks", code, **members)


def test_a_task_that_nobody_was_told_of_stops_at_once(house):
    a_host(house)
    task = a_task(house, tags=[{"key": "a", "value": "b"}])["taskArn"]
    shown = house.ask("StopTask", task=task, reason="enough")["task"]
    assert (shown["desiredStatus"], shown["lastStatus"]) == ("STOPPED", "STOPPED")
    assert (shown["stopCode"], shown["stoppedReason"]) == ("UserInitiated", "enough")
    assert shown["tags"] == []
    assert house.ask("StopTask", task=task, reason="again")["task"] == shown


def test_a_task_on_its_host_is_stopping_until_it_is_reported(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="RUNNING")
    house.write(lambda call: AGENT.outgoing(call, key.instance, False))
    shown = house.ask("StopTask", task=task)["task"]
    assert (shown["desiredStatus"], shown["lastStatus"]) == ("STOPPED", "RUNNING")
    assert shown["stoppedReason"] == "Task stopped by user"
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="STOPPED")
    shown = house.ask("DescribeTasks", tasks=[task])["tasks"][0]
    assert (shown["lastStatus"], shown["stopCode"]) == ("STOPPED", "UserInitiated")
    assert shown["stoppedAt"] >= shown["stoppingAt"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"task": "f" * 32}, "InvalidParameterException"),
        ({"task": FOREIGN}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
        ({"task": "f" * 32, "cluster": "nowhere"}, "ClusterNotFoundException"),
    ],
)
def test_what_cannot_be_stopped_is_refused(house, members, code):
    house.refused("StopTask", code, **members)


def test_a_reason_is_bounded(house):
    a_host(house)
    task = a_task(house)["taskArn"]
    house.refused("StopTask", "InvalidParameterException", task=task, reason="x" * 256)
    house.refused("StopTask", "ClusterNotFoundException", by=root(OTHER), cluster="x", task=task)
    house.refused("StopTask", "InvalidParameterException", by=root(OTHER), task=task)


def test_tasks_are_listed_by_what_they_are(house):
    keys = [a_host(house, name) for name in ("one", "two")]
    a_definition(house, "job")
    service = a_service(house, count=2)
    house.settle()
    jobs = [a_task(house, taskDefinition="job", startedBy="me")["taskArn"] for _ in range(2)]
    external = a_task(house, taskDefinition="job", launchType="EXTERNAL")["taskArn"]
    stopped = a_task(house, taskDefinition="job")["taskArn"]
    house.ask("StopTask", task=stopped)

    def listed(**members):
        return house.ask("ListTasks", **members)["taskArns"]

    of_service = listed(serviceName="web")
    assert len(of_service) == 2
    assert listed(serviceName=service["serviceArn"]) == of_service
    assert listed() == sorted([*of_service, *jobs, external])
    assert listed(family="job") == sorted([*jobs, external])
    assert listed(startedBy="me") == sorted(jobs)
    assert listed(launchType="EXTERNAL") == [external]
    assert listed(family="job", launchType="EC2") == sorted(jobs)
    assert listed(desiredStatus="STOPPED") == [stopped]
    assert listed(desiredStatus="PENDING") == []
    by_host = [listed(containerInstance=key.instance) for key in keys]
    assert sorted([*by_host[0], *by_host[1]]) == listed()
    assert listed(by=root(OTHER)) == []
    first = house.ask("ListTasks", maxResults=3)
    rest = house.ask("ListTasks", maxResults=3, nextToken=first["nextToken"])
    assert first["taskArns"] + rest["taskArns"] == listed()
    house.refused(
        "ListTasks", "InvalidParameterException", maxResults=3, nextToken=first["nextToken"],
        family="job",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"serviceName": "nothing"}, "ServiceNotFoundException"),
        ({"startedBy": "me", "family": "web"}, "InvalidParameterException"),
        ({"daemonName": "d"}, "UnsupportedFeatureException"),
        ({"containerInstance": "f" * 32}, "InvalidParameterException"),
        ({"desiredStatus": "GONE"}, "InvalidParameterException"),
        ({"maxResults": 101}, "InvalidParameterException"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
    ],
)
def test_what_cannot_be_listed_is_refused(house, members, code):
    house.refused("ListTasks", code, **members)
