"""PutAttributes, DeleteAttributes, ListAttributes."""

import pytest

from moorage.ecs.store import timeline
from moorage.ground.instant import seconds
from tests.builders import OTHER, REGION, a_definition, a_host, a_service, bound, resources, root

FOREIGN = f"arn:aws:ecs:{REGION}:{OTHER}:container-instance/default/{'a' * 32}"
UNKNOWN = "b" * 32
OURS = {"targetType": "container-instance"}


def put(house, key, **values):
    given = [
        {"name": name, "targetId": key.instance} | ({"value": value} if value else {})
        for name, value in values.items()
    ]
    return house.ask("PutAttributes", attributes=given)["attributes"]


def listed(house, **members):
    return house.ask("ListAttributes", **OURS, **members)["attributes"]


def test_attributes_are_put_changed_and_deleted(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    answer = put(house, key, stack="prod", bare="")
    assert answer == [
        {"name": "stack", "value": "prod", "targetId": key.instance},
        {"name": "bare", "targetId": key.instance},
    ]
    put(house, key, stack="dev")
    assert listed(house, attributeName="stack") == [
        {"name": "stack", "value": "dev", "targetId": key.instance}
    ]
    short = key.instance.rpartition("/")[2]
    gone = house.ask(
        "DeleteAttributes",
        attributes=[
            {"name": "stack", "targetId": short, **OURS},
            {"name": "bare", "targetId": short, **OURS, "value": "other"},
            {"name": "stack", "targetId": other.instance},
        ],
    )
    assert gone["attributes"] == [{"name": "stack", "value": "dev", "targetId": key.instance}]
    assert listed(house, attributeName="stack") == []
    assert listed(house, attributeName="bare") == [{"name": "bare", "targetId": key.instance}]
    (shown,) = house.ask("DescribeContainerInstances", containerInstances=[short])[
        "containerInstances"
    ]
    assert {"name": "bare"} in shown["attributes"]


def test_one_call_may_be_for_several_hosts_and_is_done_whole_or_not_at_all(house):
    keys = [a_host(house, name) for name in ("one", "two")]
    given = [{"name": "rack", "value": key.name, "targetId": key.instance} for key in keys]
    house.refused(
        "PutAttributes",
        "TargetNotFoundException",
        attributes=[*given, {"name": "rack", "targetId": UNKNOWN, **OURS}],
    )
    assert listed(house, attributeName="rack") == []
    assert house.ask("PutAttributes", attributes=given)["attributes"] == given
    assert len(listed(house, attributeName="rack")) == 2
    assert [one["value"] for one in listed(house, attributeName="rack", attributeValue="two")] == [
        "two"
    ]


def test_a_host_has_ten_custom_attributes_and_no_more(house):
    key = a_host(house)
    put(house, key, **{f"a{number}": "x" for number in range(10)})
    put(house, key, a3="y")
    house.refused(
        "PutAttributes",
        "AttributeLimitExceededException",
        attributes=[{"name": "a10", "targetId": key.instance}],
    )
    house.ask("DeleteAttributes", attributes=[{"name": "a0", "targetId": key.instance}])
    put(house, key, a10="x")


def test_the_list_comes_by_page_with_the_capabilities(house):
    keys = [a_host(house, f"h{number}", zone="a") for number in range(3)]
    put(house, keys[1], rack="r1")
    whole = listed(house)
    assert {"ecs.availability-zone", "moorage.capability.agent", "rack"} <= {
        one["name"] for one in whole
    }
    answer = house.ask("ListAttributes", **OURS, maxResults=4)
    found = answer["attributes"]
    while "nextToken" in answer:
        assert len(answer["attributes"]) == 4
        answer = house.ask("ListAttributes", **OURS, maxResults=4, nextToken=answer["nextToken"])
        found += answer["attributes"]
    assert found == whole
    assert len({(one["targetId"], one["name"]) for one in found}) == len(found)
    house.ask("DeregisterContainerInstance", containerInstance=keys[1].instance)
    assert listed(house, attributeName="rack") == []
    assert listed(house, by=root(OTHER)) == []


@pytest.mark.parametrize(
    ("action", "attributes", "code"),
    [
        ("PutAttributes", [], "InvalidParameterException"),
        ("PutAttributes", [{"name": f"a{n}"} for n in range(11)], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a b"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": ""}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "x" * 129}], "InvalidParameterException"),
        ("PutAttributes", [{"value": "x"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "value": ""}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "value": " b"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "value": "b,c"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "value": "x" * 129}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "targetId": None}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "targetId": UNKNOWN}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "targetType": "service"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "ecs.os-type"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "moorage.shared-engine"}], "InvalidParameterException"),
        ("PutAttributes", [{"name": "a", "targetId": FOREIGN}], "InvalidParameterException"),
        (
            "PutAttributes",
            [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}],
            "InvalidParameterException",
        ),
        ("DeleteAttributes", [], "InvalidParameterException"),
        ("DeleteAttributes", [{"name": "ecs.os-type"}], "InvalidParameterException"),
        (
            "DeleteAttributes",
            [{"name": "a", "targetId": UNKNOWN, "targetType": "container-instance"}],
            "TargetNotFoundException",
        ),
    ],
)
def test_what_cannot_be_put_or_deleted_is_refused(house, action, attributes, code):
    key = a_host(house)
    given = [{"targetId": key.instance, **one} for one in attributes]
    house.refused(action, code, attributes=given)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"targetType": None}, "InvalidParameterException"),
        ({"targetType": "task"}, "InvalidParameterException"),
        ({"attributeValue": "x"}, "InvalidParameterException"),
        ({"maxResults": 101}, "InvalidParameterException"),
        ({"nextToken": "x"}, "InvalidParameterException"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
    ],
)
def test_what_cannot_be_listed_is_refused(house, members, code):
    house.refused("ListAttributes", code, **{**OURS, **members})


def test_placement_sees_an_attribute_at_once_and_who_waits_is_woken(house):
    key = a_host(house)
    member = [{"type": "memberOf", "expression": "attribute:stack == prod"}]
    definition = a_definition(house, "job")
    refused = house.ask("RunTask", taskDefinition=definition, placementConstraints=member)
    assert [one["reason"] for one in refused["failures"]] == [
        "MemberOf placement constraint unsatisfied."
    ]
    a_service(house, placementConstraints=member)
    house.settle()
    assert house.ask("ListTasks", serviceName="web")["taskArns"] == []
    put(house, key, stack="prod")
    house.settle()
    assert len(house.ask("ListTasks", serviceName="web")["taskArns"]) == 1
    placed = house.ask("RunTask", taskDefinition=definition, placementConstraints=member)
    assert len(placed["tasks"]) == 1
    found = house.ask("ListContainerInstances", filter="attribute:stack == prod")
    assert found["containerInstanceArns"] == [key.instance]


def test_a_restart_of_the_agent_undoes_nothing(house):
    key = house.host_key()
    sent = {
        "totalResources": resources(),
        "attributes": [{"name": "rack", "value": "r1"}, {"name": "old", "value": "1"}],
    }
    first = house.ask("RegisterContainerInstance", by=key, **sent)["containerInstance"]
    key = bound(key, first["containerInstanceArn"])
    put(house, key, rack="r2")
    house.ask("DeleteAttributes", attributes=[{"name": "old", "targetId": key.instance}])
    again = house.ask(
        "RegisterContainerInstance", by=key, containerInstanceArn=key.instance, **sent
    )
    assert again["containerInstance"]["attributes"] == [{"name": "rack", "value": "r2"}]
    forgot = house.ask("RegisterContainerInstance", by=key, **sent)["containerInstance"]
    assert forgot["attributes"] == sent["attributes"], "it registers as if for the first time"


def test_the_timeline_tells_what_was_put_and_deleted(house):
    key = a_host(house)
    put(house, key, stack="prod", bare="")
    put(house, key, stack="prod")
    house.clock.advance(seconds(1))
    house.ask("DeleteAttributes", attributes=[{"name": "bare", "targetId": key.instance}])
    found = house.read(
        lambda call: timeline.page(
            call.tx, {"instance": key.instance, "kind": "host-attributes"}, None, 9
        )
    )
    assert [one.text for one in found] == ["Deleted: bare.", "Put: stack=prod, bare."]


def test_daemons_follow_the_attributes_of_hosts_and_are_not_protected(house):
    key = a_host(house)
    house.ask(
        "CreateService",
        serviceName="d",
        taskDefinition=a_definition(house),
        schedulingStrategy="DAEMON",
        placementConstraints=[{"type": "memberOf", "expression": "attribute:logs exists"}],
    )
    house.settle()
    assert house.ask("ListTasks", serviceName="d")["taskArns"] == []
    put(house, key, logs="")
    house.settle()
    (task,) = house.ask("ListTasks", serviceName="d")["taskArns"]
    answer = house.ask(
        "UpdateTaskProtection", cluster="default", tasks=[task], protectionEnabled=True
    )
    assert [one["reason"] for one in answer["failures"]] == ["TASK_NOT_VALID"]
    house.ask("DeleteAttributes", attributes=[{"name": "logs", "targetId": key.instance}])
    house.settle()
    assert house.ask("ListTasks", serviceName="d")["taskArns"] == []
