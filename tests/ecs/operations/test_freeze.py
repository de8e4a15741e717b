"""FreezeScheduling, ThawScheduling, ListFreezes; and what others may still do meanwhile."""

import msgspec
import pytest

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes
from moorage.gateway.compose import own_api
from moorage.ground.fault import Fault
from moorage.ground.instant import later, minutes, seconds
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import ACCOUNT, REGION, a_definition, a_host, a_service, a_task
from tests.house import OTHER, root

OWN = own_api()


def own(house, action, by=None, **members):
    """Call one of our own operations as the gateway does."""
    operation = OWN.operations[action]
    request = json11.decode(msgspec.json.encode(members), operation.request)
    check(OWN, request)
    answer = house.run(operation, request, principal=by or root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def refused(house, action, code, by=None, **members):
    with pytest.raises(Fault) as caught:
        own(house, action, by=by, **members)
    assert caught.value.code == code
    return caught.value.message


def messages(house, service="web"):
    (found,) = house.ask("DescribeServices", services=[service])["services"]
    return [event["message"] for event in found["events"]]


def test_a_cluster_is_frozen_listed_and_thawed(house):
    a_host(house)
    a_service(house)
    house.settle()
    answer = own(house, "FreezeScheduling", reason="moving the rack", durationSeconds=600)
    frozen = answer["freeze"]
    assert frozen["until"] - frozen["createdAt"] == 600
    assert (frozen["cluster"], frozen["cause"]) == ("default", "operator")
    assert "service" not in frozen
    assert frozen["createdBy"] == root().arn
    assert own(house, "ListFreezes")["freezes"] == [frozen]
    assert own(house, "ListFreezes", cluster="default")["freezes"] == [frozen]
    assert own(house, "ListFreezes", by=root(OTHER))["freezes"] == []
    house.settle()
    assert "(service web) is frozen until" in messages(house)[0]
    assert own(house, "ThawScheduling", cluster="default")["thawed"] == [frozen]
    house.settle()
    assert messages(house)[0] == "(service web) is no longer frozen."
    assert own(house, "ThawScheduling")["thawed"] == []
    assert own(house, "ListFreezes")["freezes"] == []


def test_a_freeze_ends_by_itself(house):
    a_host(house)
    a_service(house)
    house.settle()
    own(house, "FreezeScheduling", service="web", reason="for a while", durationSeconds=60)
    house.settle()
    house.ask("UpdateService", service="web", desiredCount=3)
    house.pass_time(seconds(59))
    assert len(house.ask("ListTasks")["taskArns"]) == 1
    house.pass_time(seconds(2))
    assert len(house.ask("ListTasks")["taskArns"]) == 3
    kept = house.read(lambda call: freezes.of_account(call.tx, ACCOUNT, REGION))
    assert kept == []


def test_a_second_freeze_takes_the_place_of_the_first(house):
    own(house, "FreezeScheduling", reason="one", durationSeconds=60)
    own(house, "FreezeScheduling", reason="two")
    (only,) = own(house, "ListFreezes")["freezes"]
    assert only["reason"] == "two"
    assert "until" not in only


def test_the_freeze_of_a_restored_database_is_thawed_too_and_the_brake_is_not(house):
    def keep(call, cause):
        freeze = Freeze(
            account=ACCOUNT,
            region=REGION,
            cluster="default",
            service="",
            cause=cause,
            reason="so",
            created_at=call.now,
            until=later(call.now, minutes(5)),
        )
        freezes.put(call.tx, freeze)

    for cause in ("restore", "brake"):
        house.write(lambda call, cause=cause: keep(call, cause))
    assert [one["cause"] for one in own(house, "ListFreezes")["freezes"]] == ["brake", "restore"]
    assert [one["cause"] for one in own(house, "ThawScheduling")["thawed"]] == ["restore"]
    assert [one["cause"] for one in own(house, "ListFreezes")["freezes"]] == ["brake"]
    a_host(house)
    assert house.ask("RunTask", taskDefinition=a_definition(house))["tasks"]


def test_in_a_frozen_cluster_nothing_is_started_and_people_may_stop(house):
    key = a_host(house)
    definition = a_definition(house)
    task = a_task(house, taskDefinition=definition)
    own(house, "FreezeScheduling", reason="moving the rack", durationSeconds=600)
    for action, members in (
        ("RunTask", {}),
        ("StartTask", {"containerInstances": [key.instance]}),
    ):
        message = house.refused(action, "ClientException", taskDefinition=definition, **members)
        assert message.startswith("The cluster default is frozen until ")
        assert "moving the rack" in message
    house.ask("StopTask", task=task["taskArn"])
    a_service(house, taskDefinition=definition)
    house.settle()
    assert house.ask("ListTasks", serviceName="web")["taskArns"] == []
    own(house, "ThawScheduling")
    house.settle()
    assert len(house.ask("ListTasks", serviceName="web")["taskArns"]) == 1


def test_a_frozen_service_does_not_freeze_its_cluster(house):
    a_host(house)
    a_service(house)
    own(house, "FreezeScheduling", service="web", reason="so")
    assert a_task(house)["lastStatus"] == "PENDING"


def test_a_deleted_cluster_leaves_no_freeze(house):
    house.ask("CreateCluster", clusterName="old")
    own(house, "FreezeScheduling", cluster="old", reason="so")
    house.ask("DeleteCluster", cluster="old")
    house.settle()
    house.ask("CreateCluster", clusterName="old")
    assert own(house, "ListFreezes", cluster="old")["freezes"] == []


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("ClusterNotFoundException", {"cluster": "none", "reason": "x"}),
        ("ServiceNotFoundException", {"service": "none", "reason": "x"}),
        ("ValidationException", {"reason": "  "}),
        ("ValidationException", {}),
        ("ValidationException", {"reason": "x" * 256}),
        ("ValidationException", {"reason": "x", "durationSeconds": 0}),
    ],
)
def test_what_cannot_be_frozen(house, code, members):
    assert refused(house, "FreezeScheduling", code, **members)


def test_hosts_freeze_nothing():
    for action in ("FreezeScheduling", "ThawScheduling", "ListFreezes"):
        assert OWN.operations[action].callers == {"operator", "root"}


def test_an_inactive_service_is_not_frozen(house):
    a_service(house, count=0)
    house.ask("DeleteService", service="web")
    house.settle()
    refused(house, "FreezeScheduling", "ServiceNotActiveException", service="web", reason="x")


def test_a_tag_takes_effect_at_once(house):
    a_host(house)
    service = a_service(house)
    house.settle()
    tag = {"key": "moorage:on-host-loss", "value": "perhaps"}
    house.ask("TagResource", resourceArn=service["serviceArn"], tags=[tag])
    house.settle()
    assert messages(house)[0] == (
        "(service web) ignores its tag moorage:on-host-loss=perhaps (allowed: replace, wait)."
    )
