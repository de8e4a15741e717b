"""CheckDefinition: what becomes of each member, and where it would find room; nothing is changed."""

import json

import msgspec
import pytest

from moorage.gateway.compose import own_api
from moorage.ground.fault import Fault
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import IMAGE, a_definition, a_host
from tests.house import root

OWN = own_api()
CONTAINER = {"name": "web", "image": IMAGE, "cpu": 256, "memory": 512}


def asked(house, document, **members):
    """The answer to a document, as it is or as text."""
    text = document if isinstance(document, str) else json.dumps(document)
    operation = OWN.operations["CheckDefinition"]
    request = json11.decode(msgspec.json.encode({"document": text, **members}), operation.request)
    check(OWN, request)
    answer = house.run(operation, request, principal=root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def verdicts(answer):
    return {one.get("member", ""): one["verdict"] for one in answer["findings"]}


def test_a_definition_that_runs_says_what_is_acted_on_and_where(house):
    a_host(house, cpu=1024, memory=1024)
    a_host(house, "small", cpu=100, memory=1024)
    answer = asked(
        house,
        {
            "family": "web",
            "executionRoleArn": "arn:aws:iam::123456789012:role/x",
            "containerDefinitions": [
                {**CONTAINER, "portMappings": [{"containerPort": 80, "name": "http"}], "memry": 1}
            ],
        },
    )
    assert answer["kind"] == "taskDefinition"
    assert answer["headline"] == "It runs here: 1 task would find a host now."
    assert verdicts(answer) == {
        "family": "runs",
        "executionRoleArn": "stored",
        "containerDefinitions[0].name": "runs",
        "containerDefinitions[0].image": "runs",
        "containerDefinitions[0].cpu": "runs",
        "containerDefinitions[0].memory": "runs",
        "containerDefinitions[0].portMappings": "runs",
        "containerDefinitions[0].portMappings[0].name": "stored",
        "containerDefinitions[0].memry": "unknown",
    }
    assert answer["placement"]["takers"] == ["host-1"]
    assert answer["hosts"] == [{"host": "host-1", "tasks": 1}]
    assert house.ask("ListTaskDefinitions")["taskDefinitionArns"] == []


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"taskRoleArn": "arn:aws:iam::123456789012:role/x"}, "taskRoleArn"),
        ({"networkMode": "awsvpc"}, "networkMode"),
        (
            {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]},
            "volumes",
        ),
    ],
)
def test_what_no_host_can_registers_and_is_told(house, members, member):
    a_host(house)
    answer = asked(house, {"family": "web", "containerDefinitions": [CONTAINER], **members})
    assert verdicts(answer)[member] == "unplaced"
    assert answer["headline"].startswith("It registers, and no host can run it: ")
    assert answer["fits"] == 0
    assert "lacks the attribute" in answer["placement"]["lacks"]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"containerDefinitions": [CONTAINER]}, "'family'"),
        ({"family": "a b", "containerDefinitions": [CONTAINER]}, "Family contains"),
        ({"family": "a", "containerDefinitions": []}, "Container list cannot be empty."),
        (
            {"family": "a", "containerDefinitions": [{"name": "a", "image": "b"}]},
            "At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
        (
            {"serviceName": "a", "taskDefinition": "none", "desiredCount": 1},
            "TaskDefinition not found: none. Register it first.",
        ),
        (
            {
                "serviceName": "a",
                "taskDefinition": "web",
                "desiredCount": 1,
                "launchType": "FARGATE",
            },
            "The launch type FARGATE is not supported",
        ),
    ],
)
def test_what_would_be_refused_says_why(house, document, sentence):
    a_definition(house)
    answer = asked(house, document)
    assert "refused" in verdicts(answer).values()
    assert answer["headline"].startswith("It would be refused: ")
    assert any(sentence in one.get("text", "") for one in answer["findings"])
    assert "placement" not in answer


def test_a_service_says_how_many_of_its_tasks_find_a_host(house):
    a_host(house, "h1", cpu=600, memory=4096)
    a_host(house, "h2", cpu=300, memory=4096)
    a_definition(house)
    document = {"serviceName": "a", "taskDefinition": "web", "desiredCount": 4}
    answer = asked(house, {**document, "enableExecuteCommand": True})
    assert answer["headline"] == "It is sound, and only 3 of 4 tasks would find a host now."
    assert answer["hosts"] == [{"host": "h1", "tasks": 2}, {"host": "h2", "tasks": 1}]
    assert verdicts(answer)["enableExecuteCommand"] == "stored"
    described = asked(house, {"service": document})
    assert described["fits"] == 3
    house.ask("CreateCluster", clusterName="empty")
    elsewhere = asked(house, document, cluster="empty")
    assert elsewhere["placement"]["summary"] == "The cluster has no host at all."
    arn = house.ask("DescribeClusters", clusters=["empty"])["clusters"][0]["clusterArn"]
    assert asked(house, {**document, "clusterArn": arn})["fits"] == 0
    assert asked(house, {**document, "cluster": "empty"}) == elsewhere | {
        "findings": [
            *elsewhere["findings"],
            {"member": "cluster", "verdict": "runs"},
        ]
    }


def test_a_daemon_asks_for_one_on_each_host_that_takes_it(house):
    for name in ("h1", "h2"):
        a_host(house, name)
    a_definition(house)
    answer = asked(
        house, {"serviceName": "d", "taskDefinition": "web", "schedulingStrategy": "DAEMON"}
    )
    assert (answer["asked"], answer["fits"]) == (2, 2)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{]", "SerializationException"),
        ("[" * 5000, "SerializationException"),
        ("[]", "ValidationException"),
        ('{"family": "a"}', "ValidationException"),
        ('{"containerDefinitions": 7}', "SerializationException"),
    ],
)
def test_what_is_no_definition_and_no_service(house, document, code):
    with pytest.raises(Fault) as caught:
        asked(house, document)
    assert caught.value.code == code


def test_a_tag_that_fences_asks_for_hosts_that_can(house):
    """`moorage:fence` is a wish for hosts too: what cannot fence takes no such task."""
    a_host(house)
    a_definition(house)
    document = {"serviceName": "a", "taskDefinition": "web", "desiredCount": 1}
    fenced = {**document, "tags": [{"key": "moorage:fence", "value": "TRUE"}]}
    assert asked(house, document)["fits"] == 1
    answer = asked(house, fenced)
    assert answer["fits"] == 0
    assert answer["headline"] == "It is sound, and only 0 of 1 task would find a host now."
    assert "lacks the attribute moorage.capability.fence" in answer["placement"]["lacks"]
    assert verdicts(answer)["tags"] == "runs"
    odd = {**document, "tags": [{"key": "moorage:fence", "value": "yes"}]}
    answer = asked(house, odd)
    assert answer["fits"] == 1
    (told,) = [one for one in answer["findings"] if one["verdict"] == "stored"]
    assert told["member"] == "tags[0]"
    assert "moorage:fence=yes (allowed: true, false)" in told["text"]
    elsewhere = asked(
        house,
        {"family": "web", "containerDefinitions": [CONTAINER], "tags": fenced["tags"]},
    )
    (told,) = [one for one in elsewhere["findings"] if one["verdict"] == "stored"]
    assert told["text"].startswith("moorage:fence is heeded on a service")
