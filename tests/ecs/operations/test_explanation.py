"""ExplainService, ExplainDeployment, ExplainHost: what is said of each state that one asks about."""

import re

import msgspec
import pytest

from moorage.ecs import api
from moorage.gateway.compose import own_api
from moorage.ground.fault import Fault
from moorage.ground.instant import seconds
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import a_definition, a_host, a_service, a_task
from tests.house import OTHER, root

OWN = own_api()


def own(house, action, by=None, **members):
    """Call one of our own operations as the gateway does."""
    operation = OWN.operations[action]
    request = json11.decode(msgspec.json.encode(members), operation.request)
    check(OWN, request)
    answer = house.run(operation, request, principal=by or root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def refused(house, action, code, **members):
    with pytest.raises(Fault) as caught:
        own(house, action, **members)
    assert caught.value.code == code
    return caught.value.message


def waits(answer):
    return " | ".join(one["text"] for one in answer["waits"])


def report(house, key, task, status, **container):
    """The host of a task says how it goes."""
    house.ask(
        "SubmitTaskStateChange",
        by=key,
        cluster="default",
        task=task,
        status=status,
        containers=[{"containerName": "web", "status": status, **container}],
    )
    house.settle()


def tasks_of(house, service="web"):
    return house.ask("ListTasks", serviceName=service)["taskArns"]


def send(house, key):
    """The orders of a host are numbered, as when they are sent."""
    house.write(lambda call: api.AGENT.outgoing(call, key.instance, False), principal=key)


def test_a_service_that_has_all_it_wants_and_one_that_is_on_its_way(house):
    key = a_host(house)
    a_service(house, count=2)
    house.settle()
    send(house, key)
    answer = own(house, "ExplainService", service="web")
    assert answer["pendingCount"] == 2
    assert "wants 2 tasks of web:1" in answer["headline"]
    assert "Not running yet: 2 tasks (" in waits(answer)
    assert "on host-1" in waits(answer) or answer["placement"]["takers"]
    for task in tasks_of(house):
        report(house, key, task, "RUNNING")
    answer = own(house, "ExplainService", service="web")
    assert answer["waits"] == []
    assert answer["headline"].endswith("Nothing is missing.")
    assert answer["healthyCount"] == answer["runningCount"] == 2
    assert any("has reached a steady state" in one["text"] for one in answer["causes"])


def test_a_service_without_room_names_each_filter_and_the_closest_host(house):
    a_host(house, "small", cpu=300, memory=600)
    a_host(house, "away", connect=False)
    definition = a_definition(house, container={"cpu": 200, "memory": 512})
    a_service(house, count=2, taskDefinition=definition)
    house.settle()
    answer = own(house, "ExplainService", service="web")
    placement = answer["placement"]
    assert placement["hosts"] == 2
    assert placement["closest"] == "small"
    assert placement["lacks"] == "has too little CPU (200 wanted, 100 left)"
    assert {one["name"]: one["refused"] for one in placement["filters"] if one["refused"]} == {
        "within reach and sound: The agent is not connected": 1,
        "200 CPU units": 1,
    }
    assert "It waits for room. None of 2 hosts can take another task. small" in waits(answer)
    host = own(house, "ExplainHost", host="small")
    assert host["reasons"] == [
        (
            "Service web waits for room, and not here: the host has too little CPU (200 wanted, "
            "100 left)."
        )
    ]
    away = own(house, "ExplainHost", host="away")
    assert "takes no new task" in away["headline"]
    assert "The agent is not connected" in away["reasons"][0]


def test_frozen_backing_off_and_deleted_services_say_so(house):
    key = a_host(house)
    a_service(house, count=1)
    house.settle()
    send(house, key)
    for _ in range(3):
        (task,) = tasks_of(house)
        report(house, key, task, "STOPPED", reason="CannotPullContainerError: no such image")
        house.settle()
        send(house, key)
        if not tasks_of(house):
            break
    answer = own(house, "ExplainService", service="web")
    assert "starts failed in a row: the scheduler tries again at" in waits(answer)
    assert answer["waits"][0]["until"] > 0
    own(house, "FreezeScheduling", service="web", reason="night", durationSeconds=60)
    house.settle()
    answer = own(house, "ExplainService", service="web")
    assert 'frozen (operator: "night")' in answer["waits"][0]["text"]
    assert answer["waits"][0]["text"].endswith("moorage thaw default --service web")
    own(house, "ThawScheduling", service="web")
    house.ask("DeleteService", service="web", force=True)
    house.settle()
    answer = own(house, "ExplainService", service="web")
    assert "was deleted" in answer["headline"]
    refused(house, "ExplainService", "ServiceNotFoundException", service="none")


BREAKER = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
}


def test_a_deployment_that_fails_says_what_failed_and_that_it_went_back(house):
    key = a_host(house)
    a_service(house, count=1, deploymentConfiguration=BREAKER)
    house.settle()
    send(house, key)
    (good,) = tasks_of(house)
    report(house, key, good, "RUNNING")
    house.pass_time(seconds(1))
    house.ask("UpdateService", service="web", taskDefinition=a_definition(house))
    house.settle()
    bad = own(house, "ExplainDeployment", deployment="web")["deployment"]
    for _ in range(3):
        send(house, key)
        (task,) = [one for one in tasks_of(house) if one != good]
        report(house, key, task, "STOPPED", reason="CannotPullContainerError: no such image")
        house.pass_time(seconds(5))
    answer = own(house, "ExplainDeployment", deployment=bad)
    chain = " | ".join(one["text"] for one in answer["causes"])
    assert "The circuit breaker tripped: 3 failed tasks, and 3 are enough." in chain
    assert chain.count(" failed. ") == 3
    assert "CannotPullContainerError: no such image" in chain
    assert "The service went back to deployment ecs-svc/" in chain
    assert len(answer["failedTasks"]) == 3
    told = own(house, "ExplainService", service="web")["causes"][-1]["text"]
    assert told.startswith(f"It went back from its newest deployment {bad} (")
    assert "CannotPullContainerError: no such image" in told
    newest = own(house, "ExplainDeployment", deployment="web")
    assert newest["deployment"] == bad, "who asks why, asks for the one that failed"
    (good_id,) = re.findall(r"The service went back to deployment (ecs-svc/\d+)", chain)
    back = own(house, "ExplainDeployment", deployment=good_id)
    assert f"because {bad} failed" in " ".join(one["text"] for one in back["causes"])
    by_arn = own(house, "ExplainDeployment", deployment=answer["serviceDeploymentArn"])
    assert by_arn["deployment"] == bad


@pytest.mark.parametrize("name", ["ecs-svc/1", "none", "arn:aws:ecs:us-east-1:1:service/a/b"])
def test_a_deployment_that_is_not_there(house, name):
    a_service(house)
    refused(house, "ExplainDeployment", "InvalidParameterException", deployment=name)


def test_a_host_shows_what_it_holds_and_promises_and_nobody_elses(house):
    a_host(house, cpu=1000, memory=2000)
    definition = a_definition(
        house,
        container={"cpu": 300, "portMappings": [{"containerPort": 80, "hostPort": 8080}]},
    )
    task = a_task(house, taskDefinition=definition)
    answer = own(house, "ExplainHost", host="host-1")
    cpu = next(one for one in answer["resources"] if one["name"] == "CPU")
    assert cpu == {"name": "CPU", "has": 1000, "promised": 300, "left": 700}
    (held,) = answer["tasks"]
    assert held["taskArn"] == task["taskArn"]
    assert (held["owner"], held["ports"], held["cpu"]) == ("web:1", ["8080/tcp"], 300)
    assert answer["reservedPorts"] == ["22/tcp"]
    assert answer["reasons"] == []
    assert "takes tasks. It holds 1 task" in answer["headline"]
    refused(house, "ExplainHost", "ValidationException", host="none")
    refused(house, "ExplainHost", "ValidationException", host="host-1", by=root(OTHER))
