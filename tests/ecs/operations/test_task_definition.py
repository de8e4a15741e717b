"""RegisterTaskDefinition, Deregister, Describe, ListTaskDefinitions, ListTaskDefinitionFamilies."""

import pytest

from tests.builders import ACCOUNT, OTHER, REGION, a_container, a_definition, root

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"


def test_revisions_are_counted_and_read_back_in_normal_form(house):
    first = house.ask(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[a_container(portMappings=[{"containerPort": 80}])],
        cpu="1 vCPU",
        tags=[{"key": "a", "value": "b"}],
    )
    shown = first["taskDefinition"]
    assert shown["taskDefinitionArn"] == f"{ARN}/web:1"
    assert (shown["family"], shown["revision"], shown["status"]) == ("web", 1, "ACTIVE")
    assert shown["cpu"] == "1024"
    (container,) = shown["containerDefinitions"]
    assert container["environment"] == container["mountPoints"] == container["volumesFrom"] == []
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]
    assert shown["registeredBy"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert shown["registeredAt"] == house.clock.now() / 1_000_000
    assert first["tags"] == [{"key": "a", "value": "b"}]
    assert a_definition(house) == "web:2"
    for text in ("web:1", f"{ARN}/web:1"):
        described = house.ask("DescribeTaskDefinition", taskDefinition=text)
        assert described["taskDefinition"] == shown
        assert described["tags"] == []
    newest = house.ask("DescribeTaskDefinition", taskDefinition="web", include=["TAGS"])
    assert newest["taskDefinition"]["revision"] == 2
    tagged = house.ask("DescribeTaskDefinition", taskDefinition="web:1", include=["TAGS"])
    assert tagged["tags"] == [{"key": "a", "value": "b"}]


def test_a_deregistered_revision_is_inactive_and_its_number_is_not_used_again(house):
    for _ in range(2):
        a_definition(house)
    gone = house.ask("DeregisterTaskDefinition", taskDefinition="web:2")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    assert gone["deregisteredAt"] > 0
    described = house.ask("DescribeTaskDefinition", taskDefinition="web:2")["taskDefinition"]
    assert described["status"] == "INACTIVE"
    assert house.ask("DescribeTaskDefinition", taskDefinition="web")["taskDefinition"][
        "revision"
    ] == (1)
    house.refused("DeregisterTaskDefinition", "ClientException", taskDefinition="web:2")
    house.refused("RunTask", "ClientException", taskDefinition="web:2")
    assert a_definition(house) == "web:3"


@pytest.mark.parametrize(
    ("action", "text", "code"),
    [
        ("DescribeTaskDefinition", "web", "ClientException"),
        ("DescribeTaskDefinition", "web:9", "ClientException"),
        ("DescribeTaskDefinition", "web:x", "ClientException"),
        ("DescribeTaskDefinition", "web:99999999", "ClientException"),
        ("DescribeTaskDefinition", "no spaces:1", "ClientException"),
        ("DescribeTaskDefinition", 5, "SerializationException"),
        (
            "DescribeTaskDefinition",
            f"arn:aws:ecs:{REGION}:{OTHER}:task-definition/web:1",
            "InvalidParameterException",
        ),
        ("DescribeTaskDefinition", "arn:aws:ecs:nonsense", "InvalidParameterException"),
        ("DeregisterTaskDefinition", "web:9", "ClientException"),
        ("DeregisterTaskDefinition", "web", "InvalidParameterException"),
        ("DeregisterTaskDefinition", f"{ARN}/web", "InvalidParameterException"),
    ],
)
def test_what_is_not_there_is_refused(house, action, text, code):
    house.refused(action, code, taskDefinition=text)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"family": "web", "containerDefinitions": []}, "ClientException"),
        ({"family": "web"}, "InvalidParameterException"),
        ({"containerDefinitions": [a_container()]}, "InvalidParameterException"),
        ({"family": "no spaces", "containerDefinitions": [a_container()]}, "ClientException"),
        ({"family": "web", "containerDefinitions": "web"}, "SerializationException"),
        (
            {
                "family": "web",
                "containerDefinitions": [a_container()],
                "tags": [{"key": "aws:x", "value": "y"}],
            },
            "InvalidParameterException",
        ),
    ],
)
def test_what_is_not_sound_registers_nothing(house, members, code):
    house.refused("RegisterTaskDefinition", code, **members)
    assert house.ask("ListTaskDefinitionFamilies")["families"] == []


def test_nothing_crosses_accounts(house):
    a_definition(house)
    house.refused(
        "DescribeTaskDefinition", "ClientException", by=root(OTHER), taskDefinition="web:1"
    )
    assert house.ask("ListTaskDefinitions", by=root(OTHER))["taskDefinitionArns"] == []


def pages(house, action, member, **members):
    seen, token = [], None
    while token is not None or not seen:
        page = house.ask(action, **members, **({"nextToken": token} if token else {}))
        seen += page[member]
        token = page.get("nextToken")
        if not page[member]:
            break
    return seen


def test_definitions_are_listed_by_family_and_revision(house):
    for family, count in (("web", 11), ("api", 2)):
        for _ in range(count):
            a_definition(house, family)
    house.ask("DeregisterTaskDefinition", taskDefinition="web:3")
    expected = [f"{ARN}/api:{n}" for n in (1, 2)]
    expected += [f"{ARN}/web:{n}" for n in range(1, 12) if n != 3]
    seen = pages(house, "ListTaskDefinitions", "taskDefinitionArns", maxResults=5)
    assert seen == expected
    seen = pages(house, "ListTaskDefinitions", "taskDefinitionArns", maxResults=4, sort="DESC")
    assert seen == expected[::-1]
    only = house.ask("ListTaskDefinitions", familyPrefix="api")["taskDefinitionArns"]
    assert only == expected[:2]
    assert house.ask("ListTaskDefinitions", familyPrefix="we")["taskDefinitionArns"] == []
    inactive = house.ask("ListTaskDefinitions", status="INACTIVE")["taskDefinitionArns"]
    assert inactive == [f"{ARN}/web:3"]
    token = house.ask("ListTaskDefinitions", maxResults=1)["nextToken"]
    house.refused("ListTaskDefinitions", "InvalidParameterException", nextToken=token, sort="DESC")
    house.refused("ListTaskDefinitions", "InvalidParameterException", status="GONE")


def test_families_are_listed_by_name_and_status(house):
    for family in ("web", "web-b", "api", "wea", "wec"):
        a_definition(house, family)
    house.ask("DeregisterTaskDefinition", taskDefinition="api:1")
    every = ["api", "wea", "web", "web-b", "wec"]
    assert house.ask("ListTaskDefinitionFamilies")["families"] == every
    assert pages(house, "ListTaskDefinitionFamilies", "families", maxResults=2) == every
    assert house.ask("ListTaskDefinitionFamilies", status="ACTIVE")["families"] == every[1:]
    assert house.ask("ListTaskDefinitionFamilies", status="INACTIVE")["families"] == ["api"]
    assert house.ask("ListTaskDefinitionFamilies", status="ALL")["families"] == every
    assert house.ask("ListTaskDefinitionFamilies", familyPrefix="web")["families"] == [
        "web",
        "web-b",
    ]
    assert house.ask("ListTaskDefinitionFamilies", familyPrefix="x")["families"] == []
    house.refused("ListTaskDefinitionFamilies", "ClientException", familyPrefix="no spaces")
