"""PreviewRebalancing, StartRebalancing, and availabilityZoneRebalancing by the API."""

import msgspec
import pytest

from moorage.ecs.store import tasks
from moorage.gateway.compose import own_api
from moorage.ground.fault import Fault
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import EcsHouse, a_definition, a_host, a_service
from tests.house import root

OWN = own_api()


def own(house, action, **members):
    """Call one of our own operations as the gateway does."""
    operation = OWN.operations[action]
    request = json11.decode(msgspec.json.encode(members), operation.request)
    check(OWN, request)
    answer = house.run(operation, request, principal=root())
    return msgspec.json.decode(msgspec.json.encode(answer))


def refused(house, action, code, **members):
    with pytest.raises(Fault) as caught:
        own(house, action, **members)
    assert caught.value.code == code
    return caught.value.message


def run_all(house, service="web"):
    """What the hosts do: every task that should runs, every other is STOPPED."""

    def work(call):
        for task in tasks.of_service(call.tx, call_arn):
            if task.is_stopped:
                continue
            if task.desired_status == "STOPPED":
                tasks.write(call.tx, evolve(task, last_status="STOPPED", stopped_at=call.now))
            elif task.last_status != "RUNNING":
                tasks.write(call.tx, evolve(task, last_status="RUNNING", started_at=call.now))

    (found,) = house.ask("DescribeServices", services=[service])["services"]
    call_arn = found["serviceArn"]
    for _ in range(4):
        house.write(work)
        house.settle()
        house.pass_time(seconds(2))


@pytest.fixture
def two():
    """A steady service of four tasks on the first of two hosts."""
    house = EcsHouse(
        rebalance_moves_max=2,
        rebalance_pause=seconds(1),
        rebalance_settling=seconds(600),
    )
    a_host(house, "host-1", zone="zone-a")
    a_service(house, count=4, availabilityZoneRebalancing="DISABLED")
    house.settle()
    run_all(house)
    a_host(house, "host-2", zone="zone-a")
    house.settle()
    yield house
    house.close()


def test_a_preview_shows_every_move_and_changes_nothing(two):
    before = two.ask("ListTasks")
    answer = own(two, "PreviewRebalancing")
    assert [(one["fromHost"], one["toHost"], one["kind"]) for one in answer["moves"]] == [
        ("host-1", "host-2", "host")
    ] * 2
    assert answer["moves"][0]["reason"] == (
        "from the host host-1 (4 tasks of the service) to the host host-2 (0)"
    )
    assert answer["moves"][0]["taskArn"] in before["taskArns"]
    assert (answer["moves"][0]["fromZone"], answer["movesMax"]) == ("zone-a", 2)
    (stay,) = answer["stays"]
    assert (stay["service"], stay["mode"], stay["balanced"]) == ("web", "hosts", True)
    two.settle()
    assert two.ask("ListTasks") == before
    assert own(two, "PreviewRebalancing", service="web")["moves"] == answer["moves"]


def test_a_preview_of_what_has_only_just_become_steady_heeds_what_it_needs():
    house = EcsHouse(rebalance_moves_max=2, rebalance_pause=seconds(3600))
    a_host(house, "host-1", zone="zone-a")
    a_service(house, count=4, availabilityZoneRebalancing="DISABLED")
    house.settle()
    run_all(house)
    a_host(house, "host-2", zone="zone-a", cpu=1)
    house.settle()
    answer = own(house, "PreviewRebalancing")
    assert answer["moves"] == []
    assert "RESOURCE:CPU" in answer["stays"][0]["reason"]
    house.close()


def test_by_itself_the_server_waits_for_hosts_to_settle(two):
    answer = own(two, "PreviewRebalancing", settled=True)
    assert answer["moves"] == []
    assert {one["host"] for one in answer["closedHosts"]} >= {"host-2"}
    assert "has only just joined or returned" in answer["closedHosts"][-1]["reason"]


def test_asked_for_it_begins_at_once(two):
    answer = own(two, "StartRebalancing", cluster="default", service="web")
    assert len(answer["moves"]) == 2
    for _ in range(8):
        two.settle()
        run_all(two)
    named = two.ask("ListTasks", serviceName="web")["taskArns"]
    shown = two.ask("DescribeTasks", tasks=named)["tasks"]
    hosts = [one["containerInstanceArn"] for one in shown]
    assert sorted(map(hosts.count, set(hosts))) == [2, 2]
    assert own(two, "PreviewRebalancing")["moves"] == []


def test_who_is_asked_for_must_be_there(two):
    refused(two, "PreviewRebalancing", "ClusterNotFoundException", cluster="nowhere")
    refused(two, "StartRebalancing", "ServiceNotFoundException", service="nobody")
    two.ask("DeleteService", service="web", force=True)
    refused(two, "PreviewRebalancing", "ServiceNotActiveException", service="web")


def test_a_server_that_moves_nothing_says_so(house):
    a_host(house)
    assert "rebalance_moves_max is 0" in refused(house, "StartRebalancing", "ValidationException")
    answer = own(house, "PreviewRebalancing")
    assert (answer["moves"], answer["movesMax"]) == ([], 0)


def test_zones_are_rebalanced_unless_somebody_says_otherwise(house):
    a_definition(house)
    shown = a_service(house, "plain", taskDefinition="web")
    assert shown["availabilityZoneRebalancing"] == "ENABLED"
    shown = a_service(house, "off", taskDefinition="web", availabilityZoneRebalancing="DISABLED")
    assert shown["availabilityZoneRebalancing"] == "DISABLED"
    packed = [{"type": "binpack", "field": "cpu"}]
    shown = a_service(house, "packed", taskDefinition="web", placementStrategy=packed)
    assert shown["availabilityZoneRebalancing"] == "DISABLED"
    message = house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="wrong",
        taskDefinition="web",
        desiredCount=1,
        placementStrategy=packed,
        availabilityZoneRebalancing="ENABLED",
    )
    assert message.startswith("Availability Zone rebalancing does not support a first placement")


def test_asked_for_again_a_service_keeps_what_it_has(house):
    a_definition(house)
    members = {"taskDefinition": "web"}
    a_service(house, "web", **members, availabilityZoneRebalancing="DISABLED")
    assert a_service(house, "web", **members)["availabilityZoneRebalancing"] == "DISABLED"
    house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="web",
        desiredCount=1,
        availabilityZoneRebalancing="ENABLED",
        **members,
    )


def test_an_update_changes_it_and_keeps_its_guards(house):
    made = a_service(house)
    bounds = {"minimumHealthyPercent": 0, "maximumPercent": 100}
    house.refused(
        "UpdateService",
        "InvalidParameterException",
        service="web",
        deploymentConfiguration=bounds,
    )
    shown = house.ask(
        "UpdateService",
        service="web",
        deploymentConfiguration=bounds,
        availabilityZoneRebalancing="DISABLED",
    )["service"]
    assert shown["availabilityZoneRebalancing"] == "DISABLED"
    assert [one["id"] for one in shown["deployments"]] == [made["deployments"][0]["id"]]
    house.refused(
        "UpdateService",
        "InvalidParameterException",
        service="web",
        availabilityZoneRebalancing="ENABLED",
    )
    house.ask("UpdateService", service="web", deploymentConfiguration={"maximumPercent": 200})
    shown = house.ask("UpdateService", service="web", availabilityZoneRebalancing="ENABLED")
    assert shown["service"]["availabilityZoneRebalancing"] == "ENABLED"


def test_what_is_under_way_is_listed_and_explained(two):
    """Until a rebalancing is over, people see it: which task moves, from where to where."""
    assert own(two, "ListRebalancings")["rebalancings"] == []
    own(two, "StartRebalancing")
    two.settle()
    (found,) = own(two, "ListRebalancings", cluster="default")["rebalancings"]
    assert (found["service"], len(found["moves"])) == ("web", 1)
    (move,) = found["moves"]
    assert (move["fromHost"], move["toHost"]) == ("host-1", "host-2")
    assert {move["taskArn"], move["successorArn"]} <= set(two.ask("ListTasks")["taskArns"])
    told = own(two, "ExplainService", service="web")
    identity = move["taskArn"].rpartition("/")[2][:8]
    (wait,) = [one["text"] for one in told["waits"] if "rebalanced" in one["text"]]
    assert wait.startswith("It is being rebalanced since ")
    assert wait.endswith(f": 1 task now ({identity} from host-1 to host-2), start first.")
    assert not [one for one in told["waits"] if one["text"].startswith("To leave")]
    for _ in range(6):
        run_all(two)
    assert own(two, "ListRebalancings")["rebalancings"] == []
    told = own(two, "ExplainService", service="web")
    assert told["headline"].endswith("Nothing is missing.")
    refused(two, "ListRebalancings", "ClusterNotFoundException", cluster="nowhere")


def test_an_attribute_that_opens_a_host_lets_it_take_its_share(two):
    """A host that suits by what was put on it is looked at like one that joined."""
    hosts = {
        one["ec2InstanceId"]: one["containerInstanceArn"]
        for one in two.ask(
            "DescribeContainerInstances",
            containerInstances=two.ask("ListContainerInstances")["containerInstanceArns"],
        )["containerInstances"]
    }
    member = [{"type": "memberOf", "expression": "attribute:disk == ssd"}]
    disk = {"name": "disk", "value": "ssd"}
    two.ask("PutAttributes", attributes=[{**disk, "targetId": hosts["host-1"]}])
    two.ask("UpdateService", service="web", placementConstraints=member)
    two.settle()
    run_all(two)
    two.pass_time(seconds(700))
    (shown,) = own(two, "PreviewRebalancing")["stays"]
    assert shown["balanced"] is False, "host-2 lacks the attribute"
    two.ask("PutAttributes", attributes=[{**disk, "targetId": hosts["host-2"]}])
    two.settle()
    two.pass_time(seconds(3))
    (found,) = own(two, "ListRebalancings")["rebalancings"]
    assert [one["toHost"] for one in found["moves"]] == ["host-2"]
