"""Pools grow for what waits, and shrink again; tasks that wait are placed, or give up."""

import pytest

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes, machine_orders, pools
from moorage.ground.instant import minutes, seconds
from tests.builders import a_definition, a_service, connect_host
from tests.ecs.operations.pools_scene import (
    POOL,
    a_house,
    a_provider,
    a_rule,
    join,
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
    assert described(house, task)[0]["lastStatus"] in {"PENDING", "STOPPED"}
