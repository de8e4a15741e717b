"""Stories of hosts that join and return: what moves onto them, what stays, and what is said."""

from collections import Counter

import pytest

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.rebalancing import Relocation
from moorage.ecs.rules.rebalancing.case import standstill
from moorage.ecs.store import freezes, rebalances, services, tasks
from moorage.ground.instant import Instant, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.placement import PlacementStrategy
from moorage.shapes.ecs.tag import Tag
from tests.ecs.controllers.rig import CLUSTER, Rig
from tests.house import ACCOUNT, REGION

SETTLING = 60
SETTLE = 5
SOON = seconds(0)


class Watch:
    """What must hold of a service after every single turn."""

    def __init__(self, arn: str, low: int, high: int) -> None:
        self.arn = arn
        self.low = low
        self.high = high
        self.at_once = 0

    def __call__(self, rig: Rig) -> None:
        live = rig.live(self.arn)
        assert len(rig.running(self.arn)) >= self.low, "fewer run than may"
        assert len(live) <= self.high, "more are there than may"
        moving = [one for one in live if one.replaces in {task.arn for task in live}]
        self.at_once = max(self.at_once, len(moving))


def a_rig(hosts: int = 1, moves_max: int = 2, **site) -> Rig:
    rig = Rig(
        settle=seconds(SETTLE),
        rebalance_moves_max=moves_max,
        rebalance_pause=seconds(2),
        rebalance_settling=seconds(SETTLING),
        **site,
    )
    for number in range(1, hosts + 1):
        rig.host(f"host-{number}")
    rig.settle()
    return rig


def serve(rig: Rig, count: int = 4, name: str = "web", **members) -> str:
    service = rig.serve(name, count, rig.define(name), **members)
    rig.advance(SETTLING + 10)
    assert len(rig.running(service)) == count
    return service


def spread(rig: Rig, service: str) -> dict[str, int]:
    names = {arn: one.name for arn, one in rig.hosts.items()}
    return dict(Counter(names[task.instance] for task in rig.running(service)))


def a_freeze(rig: Rig, cause) -> Freeze:
    return Freeze(
        account=ACCOUNT,
        region=REGION,
        cluster="default",
        service="",
        cause=cause,
        reason="the rack is moved",
        created_at=rig.house.clock.now(),
        until=None,
    )


def tag(value: str) -> list[Tag]:
    return [Tag(key="moorage:rebalance", value=value)]


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


def test_the_budget_is_that_of_the_whole_cluster():
    rig = a_rig(moves_max=1)
    arns = [serve(rig, 2, f"s{number}") for number in range(2)]
    most = 0

    def law(rig: Rig) -> None:
        nonlocal most
        live = [task for arn in arns for task in rig.live(arn)]
        known = {task.arn for task in live if task.desired_status == "RUNNING"}
        most = max(most, sum(task.replaces in known for task in live))

    rig.laws.append(law)
    rig.host("host-2")
    rig.advance(SETTLING + 120)
    assert most == 1
    assert [spread(rig, arn) for arn in arns] == [{"host-1": 1, "host-2": 1}] * 2


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


@pytest.mark.parametrize(
    "members",
    [
        {"tags": tag("off")},
        {"tags": tag("zones")},
        {"placement_strategy": [PlacementStrategy(type="binpack", field="memory")]},
        {
            "placement_strategy": [PlacementStrategy(type="binpack", field="memory")],
            "tags": tag("hosts"),
        },
        {"placement_strategy": [PlacementStrategy(type="random")]},
        {"configuration": DeploymentConfiguration(maximum_percent=100)},
    ],
)
def test_services_that_are_left_alone(members):
    rig = a_rig()
    service = serve(rig, **members)
    rig.host("host-2")
    rig.advance(600)
    assert len(rig.tasks(service)) == 4


def test_a_tag_that_is_set_later_takes_effect():
    rig = a_rig()
    service = serve(rig, tags=tag("off"))
    rig.host("host-2")
    rig.advance(600)
    rig.update(service, tags=[])
    rig.advance(60)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}


def test_protected_tasks_stay():
    rig = a_rig()
    service = serve(rig, 2)
    until = later(rig.house.clock.now(), minutes(30))

    found = rig.live(service)

    def work(call):
        for task in found:
            tasks.write(call.tx, evolve(tasks.get(call.tx, task.arn), protected_until=until))

    rig.house.write(work)
    rig.host("host-2")
    rig.advance(1200)
    assert len(rig.tasks(service)) == 2
    rig.advance(1200)
    assert spread(rig, service) == {"host-1": 1, "host-2": 1}


def test_a_freeze_holds_everything_where_it_is():
    rig = a_rig()
    service = serve(rig)
    frozen = a_freeze(rig, "operator")
    rig.house.write(lambda call: freezes.put(call.tx, frozen))
    rig.host("host-2")
    rig.advance(600)
    assert len(rig.tasks(service)) == 4
    rig.house.write(lambda call: freezes.delete(call.tx, frozen))
    rig.advance(60)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}


def test_the_brake_holds_everything_where_it_is():
    rig = a_rig(moves_max=1)
    service = serve(rig)
    rig.host("host-2")
    rig.advance(SETTLING - 1)
    cases = rig.house.read(lambda call: rebalances.look(call.tx, rig.house.site, CLUSTER, SOON))
    assert cases.cases[0].freeze is None
    rig.house.write(lambda call: freezes.FREEZES.put(call.tx, a_freeze(rig, "brake")))
    held = rig.house.read(lambda call: rebalances.look(call.tx, rig.house.site, CLUSTER, SOON))
    (case,) = held.cases
    assert standstill(case, 1, SOON, rig.house.clock.now()).why.startswith("it is frozen")
    assert len(rig.tasks(service)) == 4


def test_a_deployment_comes_before_a_rebalancing():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.change_host(second, status="DRAINING")
    rig.advance(600)
    assert spread(rig, service) == {"host-1": 4}, "what is drained takes nothing"
    rig.update(service, rig.define("web", image="slow:1"))
    host = next(iter(rig.hosts.values()))
    host.slow = True
    rig.change_host(second, status="ACTIVE")
    rig.settle()
    second.slow = True
    rig.advance(SETTLING + 60)
    assert not any(task.replaces for task in rig.tasks(service)), "a deployment is under way"


def test_a_successor_that_fails_leaves_all_as_it_was():
    rig = a_rig()
    service = serve(rig, 2)
    second = rig.host("host-2")
    second.ill = True
    rig.laws.append(Watch(service, low=2, high=4))
    rig.advance(SETTLING + 600)
    assert spread(rig, service) == {"host-1": 2}
    successors = [task for task in rig.tasks(service) if task.replaces]
    assert len(successors) == 1, "one try, and then it rests"
    assert any("stays where it is" in one for one in rig.events(service))
    second.ill = False
    rig.advance(1800)
    assert spread(rig, service) == {"host-1": 1, "host-2": 1}


def test_a_successor_that_never_settles_is_given_up():
    rig = a_rig()
    service = serve(rig, 2)
    second = rig.host("host-2")
    second.slow = True
    rig.laws.append(Watch(service, low=2, high=4))
    rig.advance(SETTLING + 60)
    assert len(rig.live(service)) == 3
    rig.advance(600)
    assert len([t for t in rig.live(service) if t.desired_status == "RUNNING"]) == 2
    assert spread(rig, service) == {"host-1": 2}
    assert any("has not become healthy" in one for one in rig.events(service))


def test_a_task_that_fails_meanwhile_is_replaced_by_the_successor():
    rig = a_rig()
    service = serve(rig, 2)
    second = rig.host("host-2")
    rig.advance(SETTLING - 1)
    second.slow = True
    rig.advance(3)
    moving = next(task for task in rig.live(service) if task.replaces)
    first = next(iter(rig.hosts.values()))
    other = next(one for one in first.running() if one != moving.replaces)
    first.kill(other, rig)
    rig.settle()
    live = {task.arn for task in rig.live(service)}
    assert live == {moving.arn, moving.replaces}, "nothing more is started"
    second.slow = False
    second.finish(rig)
    rig.advance(60)
    assert {task.arn for task in rig.running(service)} == {moving.arn, moving.replaces}


def test_the_target_is_lost_in_the_middle_of_a_move():
    rig = a_rig(2)
    service = serve(rig, 4)
    third = rig.host("host-3")
    rig.laws.append(Watch(service, low=4, high=8))
    rig.advance(SETTLING - 1)
    third.slow = True
    rig.advance(5)
    rig.lose(third)
    rig.advance(600)
    assert sorted(spread(rig, service).values()) == [2, 2]


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


def test_hosts_keep_the_zones_as_even_as_they_are():
    rig = a_rig(0)
    rig.host("a1", cpu=4096, memory=4096, zone="zone-a")
    rig.host("b1", cpu=4096, memory=4096, zone="zone-b")
    rig.settle()
    service = serve(rig, 6)
    rig.host("a2", zone="zone-a")
    rig.advance(SETTLING + 120)
    assert spread(rig, service) == {"a1": 2, "a2": 1, "b1": 3}


def test_a_person_asks_and_no_host_need_settle():
    rig = a_rig()
    service = serve(rig)
    rig.host("host-2")
    rig.advance(3)

    def ask(call):
        known = rebalances.get(call.tx, ACCOUNT, REGION, "default")
        rebalances.ask(
            call.tx, evolve(known, looked_at=Instant(0), asked_at=call.now, asked_for="web")
        )

    rig.house.write(ask)
    rig.advance(30)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}
    known = rig.house.read(lambda call: rebalances.get(call.tx, ACCOUNT, REGION, "default"))
    assert known.asked_at is None, "what was asked for is done"


def test_a_site_that_moves_nothing():
    rig = a_rig(moves_max=0)
    service = serve(rig)
    rig.host("host-2")
    rig.advance(3600)
    assert len(rig.tasks(service)) == 4
    assert rig.house.read(lambda call: rebalances.every(call.tx)) == []


def test_a_plan_that_no_longer_holds_is_dropped():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.advance(SETTLING - 1)
    rig.change_host(second, status="DRAINING")

    def plan(call):
        found = services.get(call.tx, service)
        task = rig_first
        known = evolve(
            found.rebalancing,
            planned=(Relocation(task=task.arn, instance=second.arn, kind="host", why="test"),),
        )
        services.write(call.tx, evolve(found, rebalancing=known))

    rig_first = rig.running(service)[0]
    rig.house.write(plan)
    rig.settle()
    assert rig.service(service).rebalancing.planned == ()
    assert rig.service(service).rebalancing.rest_until is not None
    assert len(rig.tasks(service)) == 4
