"""Stories of hosts that join and return: what moves onto them, and what is said."""

from collections import Counter

import pytest

from moorage.ecs.store import rebalances, tasks
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from tests.ecs.controllers.rebalancing_story import (
    SETTLING,
    Watch,
    a_rig,
    serve,
    spread,
)
from tests.ecs.controllers.rig import Rig
from tests.house import ACCOUNT, REGION


def test_a_host_that_joins_takes_its_share_start_first():
    rig = a_rig()
    service = serve(rig)
    before = {task.arn for task in rig.running(service)}
    watch = Watch(service, low=4, high=8)
    rig.laws.append(watch)
    rig.host("host-2")
    rig.advance(SETTLING - 1)
    assert spread(rig, service) == {"host-1": 4}, "it has not settled yet"
    rig.advance(30)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}
    assert watch.at_once == 1, "a small service moves one task at once"
    stayed = {task.arn for task in rig.running(service)} & before
    assert len(stayed) == 2
    said = rig.events(service)
    moves = [one for one in said if one.startswith("moves (task ")]
    assert len(moves) == 2
    assert "from the host host-1 (4 tasks of the service) to the host host-2 (0)" in moves[0]
    assert "from the host host-1 (3 tasks of the service) to the host host-2 (1)" in moves[1]
    assert (
        sum("has moved a task from the host host-1 to the host host-2" in one for one in said) == 2
    )
    assert said[-1] == "is spread over its hosts again: its rebalancing is complete."
    assert "has reached a steady state." in said[-2]
    gone = [task for task in rig.tasks(service) if task.is_stopped]
    assert {task.stop_code for task in gone} == {"ServiceSchedulerInitiated"}
    assert all("Moved to the host host-2 by rebalancing" in task.stopped_reason for task in gone)
    assert rig.primary(service).rollout_state == "COMPLETED"


def test_what_is_balanced_stays_for_ever():
    rig = a_rig()
    service = serve(rig)
    rig.host("host-2")
    rig.advance(SETTLING + 60)
    known = {task.arn for task in rig.tasks(service)}
    rig.advance(8 * 3600)
    rig.restart()
    rig.advance(3600)
    assert {task.arn for task in rig.tasks(service)} == known
    assert rig.service(service).rebalancing.since is None


def test_a_difference_of_one_is_as_even_as_it_gets():
    rig = a_rig()
    service = serve(rig, 1)
    rig.host("host-2")
    rig.advance(3600)
    assert len(rig.tasks(service)) == 1


def test_many_services_of_one_task_share_a_new_host_too():
    rig = a_rig()
    arns = [serve(rig, 1, f"s{number}") for number in range(4)]
    rig.host("host-2")
    rig.advance(SETTLING + 60)
    on = Counter(rig.running(arn)[0].instance for arn in arns)
    assert sorted(on.values()) == [2, 2]
    assert sum(len(rig.tasks(arn)) for arn in arns) == 6, "two moves were enough"
    moved = [one for arn in arns for one in rig.events(arn) if one.startswith("moves ")]
    assert len(moved) == 2
    assert "(4 tasks of services) to the host host-2 (0)" in moved[0]


def most_at_once(rig: Rig, arns: list[str]) -> list[int]:
    """How many tasks of these services were being moved, at each turn from now on."""
    found: list[int] = []

    def law(rig: Rig) -> None:
        live = [task for arn in arns for task in rig.live(arn)]
        known = {task.arn for task in live if task.desired_status == "RUNNING"}
        found.append(sum(task.replaces in known for task in live))

    rig.laws.append(law)
    return found


def test_the_budget_is_that_of_the_whole_cluster():
    rig = a_rig(moves_max=1)
    arns = [serve(rig, 2, f"s{number}") for number in range(2)]
    most = most_at_once(rig, arns)
    rig.host("host-2")
    rig.advance(SETTLING + 120)
    assert max(most) == 1
    assert [spread(rig, arn) for arn in arns] == [{"host-1": 1, "host-2": 1}] * 2


def test_a_last_wave_that_is_smaller_than_the_others_is_moved_too():
    rig = a_rig(0)
    rig.host("host-1", cpu=8192, memory=8192)
    rig.settle()
    service = serve(rig, 22)
    rig.host("host-2", cpu=8192, memory=8192)
    rig.advance(SETTLING + 180)
    assert spread(rig, service) == {"host-1": 11, "host-2": 11}
    assert rig.events(service)[-1] == "is spread over its hosts again: its rebalancing is complete."


def test_a_host_that_returns_gets_tasks_back():
    rig = a_rig(2)
    service = serve(rig)
    other = next(one for one in rig.hosts.values() if one.name == "host-2")
    rig.lose(other)
    rig.advance(20)
    rig.connect(other)
    for arn in other.running():
        other.kill(arn, rig)  # it was rebooted
    rig.settle()
    assert spread(rig, service) == {"host-1": 4}
    rig.advance(SETTLING + 60)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}


def test_zones_are_balanced_in_the_words_of_ecs():
    rig = a_rig(0)
    rig.host("a1", cpu=4096, memory=4096, zone="zone-a")
    rig.settle()
    service = serve(rig, 3, availability_zone_rebalancing="ENABLED", tags=[])
    watch = Watch(service, low=3, high=6)
    rig.laws.append(watch)
    rig.host("b1", zone="zone-b")
    rig.advance(SETTLING + 60)
    assert spread(rig, service) == {"a1": 2, "b1": 1}
    said = rig.events(service)
    successor = next(task for task in rig.tasks(service) if task.replaces)
    assert (
        "is not AZ balanced with 3 tasks in zone-a, 0 tasks in zone-b. AZ Rebalancing in progress."
        in said
    )
    assert f"has started 1 tasks in zone-b to AZ Rebalance: (task {successor.id})." in said
    gone = successor.replaces.rpartition("/")[2]
    assert f"has stopped 1 running tasks in zone-a due to AZ rebalancing: (task {gone})." in said
    assert said[-1] == "is AZ balanced with 2 tasks in zone-a, 1 tasks in zone-b."


def test_a_zone_without_room_is_named():
    rig = a_rig(0)
    rig.host("a1", cpu=4096, memory=4096, zone="zone-a")
    service = serve(rig, 3, availability_zone_rebalancing="ENABLED")
    rig.host("b1", cpu=100, zone="zone-b")
    rig.advance(600)
    assert spread(rig, service) == {"a1": 3}
    assert (
        "is unable to place a task in zone-b because no container instance met all of its "
        "requirements."
    ) in rig.events(service)


def test_a_zone_whose_tasks_are_protected_is_said_to_be_held():
    rig = a_rig(0)
    rig.host("a1", cpu=4096, memory=4096, zone="zone-a")
    service = serve(rig, 3, availability_zone_rebalancing="ENABLED")
    until = later(rig.house.clock.now(), minutes(20))
    found = [task.arn for task in rig.live(service)]

    def protect(call):
        for arn in found:
            tasks.write(call.tx, evolve(tasks.get(call.tx, arn), protected_until=until))

    rig.house.write(protect)
    rig.host("b1", zone="zone-b")
    rig.advance(600)
    assert spread(rig, service) == {"a1": 3}
    assert (
        f"was unable to AZ Rebalance because (deployment {rig.service(service).deployment}) was "
        "unable to scale in due to task protection."
    ) in rig.events(service)
    rig.advance(1200)
    assert spread(rig, service) == {"a1": 2, "b1": 1}


def test_hosts_keep_the_zones_as_even_as_they_are():
    rig = a_rig(0)
    rig.host("a1", cpu=4096, memory=4096, zone="zone-a")
    rig.host("b1", cpu=4096, memory=4096, zone="zone-b")
    rig.settle()
    service = serve(rig, 6)
    rig.host("a2", zone="zone-a")
    rig.advance(SETTLING + 120)
    assert spread(rig, service) == {"a1": 2, "a2": 1, "b1": 3}


def ask(rig: Rig, *names: str) -> None:
    """A person asks for a rebalancing of each of these services, one after the other."""
    for name in names:
        rig.house.write(
            lambda call, name=name: rebalances.ask(
                call.tx, rebalances.get(call.tx, ACCOUNT, REGION, "default"), name
            )
        )


def test_a_person_asks_and_no_host_need_settle():
    rig = a_rig()
    service = serve(rig)
    rig.host("host-2")
    rig.advance(3)
    ask(rig, "web")
    rig.advance(30)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}
    known = rig.house.read(lambda call: rebalances.get(call.tx, ACCOUNT, REGION, "default"))
    assert known.asked_at is None, "what was asked for is done"


def test_a_person_asks_for_one_service_while_another_moves():
    rig = a_rig(moves_max=1)
    arns = [serve(rig, 2, f"s{number}") for number in range(2)]
    most = most_at_once(rig, arns)
    rig.host("host-2")
    rig.advance(3)
    ask(rig, "s0")
    rig.advance(1)
    ask(rig, "s1")
    rig.advance(SETTLING - 10)
    assert max(most) == 1
    assert [spread(rig, arn) for arn in arns] == [{"host-1": 1, "host-2": 1}] * 2


@pytest.mark.parametrize("names", [("s0", "s1"), ("s0", ""), ("", "s0")])
def test_what_was_asked_for_first_is_done_as_well(names):
    rig = a_rig()
    arns = [serve(rig, 2, f"s{number}") for number in range(2)]
    rig.host("host-2")
    rig.advance(3)
    ask(rig, *names)
    rig.advance(SETTLING - 10)
    assert [spread(rig, arn) for arn in arns] == [{"host-1": 1, "host-2": 1}] * 2


def test_a_site_that_moves_nothing():
    rig = a_rig(moves_max=0)
    service = serve(rig)
    rig.host("host-2")
    rig.advance(3600)
    assert len(rig.tasks(service)) == 4
    known = rig.house.read(lambda call: rebalances.get(call.tx, ACCOUNT, REGION, "default"))
    assert known is None
