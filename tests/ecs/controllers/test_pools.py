"""Pools grow for what waits, and shrink again; tasks that wait are placed, or give up."""

import pytest

from moorage.ecs.api import AGENT
from moorage.ecs.operations.explain import explain_task
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes, machine_orders, pools
from moorage.ground.instant import minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.moorage.post_mortem import ExplainTaskRequest
from tests.builders import a_definition, a_service, connect_host
from tests.ecs.operations.pools_scene import (
    POOL,
    a_house,
    a_provider,
    a_rule,
    known_machines,
    live_hosts,
    make,
)
from tests.house import ACCOUNT, REGION

STRATEGY = [{"capacityProvider": "cp", "weight": 1}]


def run(house, count=1, **members):
    """RunTask by the strategy."""
    members = {"capacityProviderStrategy": STRATEGY} | members
    definition = members.pop("taskDefinition", None) or a_definition(house)
    return house.ask("RunTask", taskDefinition=definition, count=count, **members)


def described(house, *tasks):
    return house.ask("DescribeTasks", tasks=[one["taskArn"] for one in tasks])["tasks"]


def statuses(house, pool=POOL):
    return sorted(one.status for one in known_machines(house, pool))


def remembered(house):
    return house.read(lambda call: pools.get(call.tx, ACCOUNT, REGION, POOL))


def test_a_pool_grows_from_nothing_for_a_task_that_waits_and_shrinks_again():
    house = a_house()
    a_provider(house)
    answer = run(house)
    assert not answer["failures"]
    (task,) = answer["tasks"]
    assert task["lastStatus"] == "PROVISIONING"
    assert task["capacityProviderName"] == "cp"
    assert "containerInstanceArn" not in task
    house.settle()
    assert statuses(house) == ["CREATING", "CREATING"]  # from nothing, as ECS does, two
    keys = make(house)
    assert len(keys) == 2
    (task,) = described(house, task)
    assert task["lastStatus"] == "PENDING"
    host = task["containerInstanceArn"]
    (shown,) = house.ask("DescribeContainerInstances", containerInstances=[host])[
        "containerInstances"
    ]
    assert shown["capacityProviderName"] == "cp"
    house.pass_time(minutes(14))
    assert statuses(house) == ["JOINED", "JOINED"]
    house.pass_time(minutes(2))
    make(house)
    (left,) = known_machines(house)
    assert left.instance == host, "the empty one went"
    house.ask("StopTask", task=task["taskArn"])
    house.settle()
    house.pass_time(minutes(16))
    make(house)
    assert not known_machines(house)
    assert not live_hosts(house)
    assert remembered(house).reservation == 100


def test_waiting_tasks_show_their_position_and_why():
    house = a_house()
    a_provider(house)
    tasks = run(house, 3)["tasks"]
    found = [
        {one["name"]: one["value"] for one in task["attributes"]}
        for task in described(house, *tasks)
    ]
    assert sorted(one["moorage.provisioning-position"] for one in found) == ["1", "2", "3"]
    assert all("No Container Instances" in one["moorage.provisioning-reason"] for one in found)


def test_a_task_that_finds_no_room_gives_up_and_says_why():
    house = a_house(a_rule(size_max=0))
    a_provider(house)
    (task,) = run(house)["tasks"]
    house.settle()
    house.pass_time(minutes(9))
    assert described(house, task)[0]["lastStatus"] == "PROVISIONING"
    house.pass_time(minutes(2))
    (task,) = described(house, task)
    assert task["lastStatus"] == "STOPPED"
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(
        "Capacity is unavailable at this time: the task waited 600 s in PROVISIONING for room on "
        "the capacity provider cp."
    )


def test_a_waiting_task_is_stopped_at_once():
    house = a_house()
    a_provider(house)
    (task,) = run(house)["tasks"]
    assert house.ask("StopTask", task=task["taskArn"])["task"]["lastStatus"] == "STOPPED"
    house.settle()
    assert not known_machines(house)


def test_so_many_may_wait_and_no_more():
    house = a_house(provisioning_tasks=2)
    a_provider(house)
    definition = a_definition(house)
    run(house, 2, taskDefinition=definition)
    said = house.refused(
        "RunTask",
        "ClientException",
        taskDefinition=definition,
        capacityProviderStrategy=STRATEGY,
    )
    assert "PROVISIONING" in said


def test_a_frozen_cluster_places_nothing_and_nobody_gives_up_in_it():
    house = a_house()
    a_provider(house)
    (task,) = run(house)["tasks"]
    house.settle()
    freeze = Freeze(
        account=ACCOUNT,
        region=REGION,
        cluster="default",
        service="",
        cause="operator",
        reason="moving",
        created_at=house.clock.now(),
    )
    house.write(lambda call: freezes.put(call.tx, freeze))
    make(house)
    house.pass_time(minutes(11))
    assert described(house, task)[0]["lastStatus"] == "PROVISIONING"
    house.write(lambda call: freezes.delete(call.tx, freeze))
    house.pass_time(seconds(20))
    assert described(house, task)[0]["lastStatus"] == "PENDING"


def test_a_service_without_room_lets_the_pool_grow_and_runs():
    house = a_house()
    a_provider(house)
    a_service(house, count=8, capacityProviderStrategy=STRATEGY)
    house.settle()
    assert len(known_machines(house)) == 2
    make(house)
    (shown,) = house.ask("DescribeServices", services=["web"])["services"]
    assert shown["pendingCount"] == 8, "four on each of two hosts"
    house.ask("UpdateService", service="web", desiredCount=13)
    house.settle()
    assert statuses(house) == ["CREATING", "CREATING", "JOINED", "JOINED"]
    make(house)
    (shown,) = house.ask("DescribeServices", services=["web"])["services"]
    assert shown["pendingCount"] == 13
    house.pass_time(minutes(20))
    assert len(known_machines(house)) == 4


def test_a_pool_has_its_minimum_and_a_host_that_is_removed_is_replaced():
    house = a_house(a_rule(size_min=2))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    make(house)
    assert statuses(house) == ["JOINED", "JOINED"]
    gone = known_machines(house)[0]
    house.ask("DeregisterContainerInstance", containerInstance=gone.instance)
    house.settle()
    make(house)
    assert statuses(house) == ["JOINED", "JOINED"]
    assert gone.name not in {one.name for one in known_machines(house)}


def test_a_machine_whose_host_does_not_join_is_unmade_and_the_pool_pauses_and_says_why():
    house = a_house(a_rule(size_min=1))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    (machine,) = known_machines(house)
    house.write(lambda call: machine_orders.made(call.tx, machine))
    house.settle()
    house.pass_time(minutes(9))
    assert statuses(house) == ["JOINING"]
    house.pass_time(seconds(90))
    assert statuses(house) == ["DESTROYING"]
    known = remembered(house)
    assert known.failures == 1
    assert "no host of it joined within 600 s" in known.reason
    house.write(lambda call: machine_orders.destroyed(call.tx, machine))
    house.settle()
    assert statuses(house) == []
    house.pass_time(minutes(1))
    assert statuses(house) == ["CREATING"], "after a pause"
    make(house)
    assert remembered(house).failures == 0
    assert remembered(house).reason == ""


def test_empty_hosts_take_nothing_any_more_before_they_go():
    house = a_house()
    a_provider(house)
    tasks = run(house, 8)["tasks"]
    house.settle()
    make(house)
    assert statuses(house) == ["JOINED", "JOINED"]
    for task in tasks:
        house.ask("StopTask", task=task["taskArn"])
    house.settle()
    house.pass_time(minutes(16))
    assert statuses(house) == ["DESTROYING", "DESTROYING"]
    assert {one.status for one in live_hosts(house)} == {"DRAINING"}
    make(house)
    assert not live_hosts(house)


def crowded(house):
    """Two hosts of the pool, each with a task of no service; answers the tasks."""
    tasks = run(house, 8)["tasks"]
    house.settle()
    make(house)
    return described(house, *tasks)


def lowered(house, size_max, **rule):
    """The operator allows fewer hosts, and starts the server again."""
    house.site = evolve(house.site, pools=(a_rule(size_max=size_max, **rule),))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()


def test_protected_hosts_with_tasks_stay_even_above_the_maximum():
    house = a_house()
    a_provider(house, managedTerminationProtection="ENABLED")
    crowded(house)
    lowered(house, 1)
    house.pass_time(minutes(20))
    assert statuses(house) == ["JOINED", "JOINED"]


def test_above_the_maximum_the_least_used_host_is_drained_until_the_operators_deadline():
    house = a_house()
    a_provider(house)
    tasks = crowded(house)
    lowered(house, 1, drain=minutes(30))
    assert statuses(house) == ["JOINED", "RETIRING"]
    (going,) = (one for one in known_machines(house) if one.status == "RETIRING")
    house.pass_time(minutes(31))
    assert statuses(house) == ["JOINED", "RETIRING"], "what was told to stop has time to"
    house.pass_time(minutes(2))
    make(house)
    assert statuses(house) == ["JOINED"]
    lost = [one for one in tasks if one["containerInstanceArn"] == going.instance]
    assert {one["lastStatus"] for one in described(house, *lost)} == {"STOPPED"}


def test_a_host_that_a_person_takes_back_stays():
    house = a_house()
    a_provider(house)
    crowded(house)
    lowered(house, 1, drain=minutes(30))
    (going,) = (one for one in known_machines(house) if one.status == "RETIRING")
    lowered(house, 2)
    assert statuses(house) == ["JOINED", "RETIRING"]
    house.ask("UpdateContainerInstancesState", containerInstances=[going.instance], status="ACTIVE")
    house.settle()
    assert statuses(house) == ["JOINED", "JOINED"]


def test_without_managed_draining_hosts_go_at_once():
    house = a_house()
    a_provider(house, managedDraining="DISABLED")
    tasks = crowded(house)
    lowered(house, 1)
    assert statuses(house) == ["DESTROYING", "JOINED"]
    make(house)
    states = [one["lastStatus"] for one in described(house, *tasks)]
    assert states.count("STOPPED") == 4


def test_hosts_that_were_about_to_go_are_taken_back_before_others_are_made():
    house = a_house()
    a_provider(house)
    crowded(house)
    lowered(house, 1, drain=minutes(30))
    assert statuses(house) == ["JOINED", "RETIRING"]
    lowered(house, 4)
    run(house, 1)
    house.settle()
    assert statuses(house) == ["JOINED", "JOINED"] or "CREATING" in statuses(house)
    assert "RETIRING" not in statuses(house)


def test_a_pool_that_left_the_settings_is_left_alone():
    house = a_house(a_rule(size_min=1))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    make(house)
    house.site = evolve(house.site, pools=())
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    assert statuses(house) == ["JOINED"]


def test_converging_twice_changes_nothing():
    house = a_house(a_rule(size_min=1))
    a_provider(house)
    crowded(house)
    before = known_machines(house), remembered(house)
    for _ in range(2):
        house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
        house.settle()
    assert (known_machines(house), remembered(house)) == before


@pytest.mark.parametrize("host_connected", [True, False])
def test_what_a_source_does_not_list_is_made_anew_unless_its_host_is_connected(host_connected):
    house = a_house(a_rule(size_min=1))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    (key,) = make(house)
    house.pass_time(minutes(1))
    if not host_connected:
        house.write(lambda call: AGENT.disconnected(call, key.instance, "closed"))
    gone = house.write(
        lambda call: machine_orders.missing(call.tx, (ACCOUNT, REGION, POOL), frozenset(), call.now)
    )
    house.settle()
    assert bool(gone) is not host_connected
    assert statuses(house) == (["JOINED"] if host_connected else ["CREATING"])
    if not host_connected:
        connect_host(house, key)
        (machine,) = known_machines(house)
        house.write(lambda call: machine_orders.made(call.tx, machine))
        house.settle()
        assert statuses(house) == ["JOINED"], "it was there all the time"


def test_hosts_that_are_there_are_those_of_a_provider_that_is_made_later():
    house = a_house(a_rule(size_min=1))
    house.write(lambda call: pools.wake(call.tx, ACCOUNT, REGION, POOL))
    house.settle()
    make(house)
    assert [one.capacity_provider for one in live_hosts(house)] == [""]
    a_provider(house)
    assert [one.capacity_provider for one in live_hosts(house)] == ["cp"]
    (task,) = run(house)["tasks"]
    assert (task["lastStatus"], task["capacityProviderName"]) == ("PENDING", "cp")
    house.ask("StopTask", task=task["taskArn"])
    emptied = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    house.ask("PutClusterCapacityProviders", cluster="default", **emptied)
    house.ask("DeleteCapacityProvider", capacityProvider="cp")
    house.settle()
    assert [one.capacity_provider for one in live_hosts(house)] == [""]


def test_a_task_keeps_its_constraints_while_it_waits():
    house = a_house()
    a_provider(house)
    constraints = [{"type": "distinctInstance"}]
    tasks = run(house, 3, placementConstraints=constraints)["tasks"]
    house.settle()
    make(house)
    states = sorted(one["lastStatus"] for one in described(house, *tasks))
    assert states == ["PENDING", "PENDING", "PROVISIONING"]
    house.settle()
    make(house)
    found = described(house, *tasks)
    assert {one["lastStatus"] for one in found} == {"PENDING"}
    assert len({one["containerInstanceArn"] for one in found}) == 3


def test_a_task_that_waits_is_explained():
    house = a_house()
    a_provider(house)
    (task,) = run(house)["tasks"]
    told = house.run(explain_task, ExplainTaskRequest(task=task["taskArn"]))
    waits = (
        "for room on the capacity provider cp, at place 1 of those that do. Reason: No Container"
    )
    assert waits in (told.headline or "")
    assert "moorage pool" in ((told.causes or [])[-1].text or "")
