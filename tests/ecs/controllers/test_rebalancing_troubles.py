"""What is not moved, and moves that go wrong: all stays as it was."""

import pytest

from moorage.ecs.records.rebalancing import Relocation
from moorage.ecs.rules.deployment.configuration import full_configuration
from moorage.ecs.rules.rebalancing.case import standstill
from moorage.ecs.rules.rebalancing.plan import Question
from moorage.ecs.store import container_instances, freezes, rebalances, services, sights, tasks
from moorage.ground.instant import earlier, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.controllers.rebalancing_story import (
    SETTLING,
    SOON,
    Watch,
    a_freeze,
    a_rig,
    serve,
    spread,
    tag,
)
from tests.ecs.controllers.rig import CLUSTER
from tests.house import ACCOUNT, REGION


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


def test_percentages_that_let_a_task_move_take_effect():
    rig = a_rig()
    service = serve(rig, configuration=DeploymentConfiguration(maximum_percent=100))
    rig.host("host-2")
    rig.advance(600)
    wider = full_configuration(DeploymentConfiguration(maximum_percent=200))
    rig.update(service, deployment_configuration=wider)
    rig.advance(60)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}


def test_percentages_that_let_no_task_move_any_more_end_it():
    rig = a_rig()
    service = serve(rig)
    rig.host("host-2")
    rig.advance(SETTLING + 5)
    assert rig.service(service).rebalancing.since is not None
    rig.update(service, desired_count=0)
    rig.advance(60)
    assert rig.service(service).rebalancing.since is None


def test_a_tag_that_is_set_in_the_middle_ends_it():
    rig = a_rig()
    service = serve(rig)
    rig.host("host-2")
    rig.advance(SETTLING + 5)
    assert rig.service(service).rebalancing.since is not None
    rig.update(service, tags=tag("off"))
    rig.advance(60)
    assert rig.service(service).rebalancing.since is None


def test_a_deployment_in_the_middle_of_a_move_is_no_failure_of_it():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.advance(SETTLING - 1)
    second.slow = True
    rig.advance(3)
    assert any(task.replaces for task in rig.live(service))
    rig.update(service, rig.define("web", image="demo:2"))
    second.slow = False
    rig.advance(120)
    assert not any("stays where it is" in one for one in rig.events(service))
    assert rig.service(service).rebalancing.rest_until is None


def test_a_server_that_ends_before_the_first_look_looks_when_it_is_back():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.advance(10)
    arn = next(arn for arn, one in rig.hosts.items() if one is second)

    def end(call):
        known = container_instances.get(call.tx, arn)
        settled = earlier(call.now, seconds(SETTLING))
        offered = evolve(known, ready_at=settled, connected_at=settled, offered_at=call.now)
        container_instances.note(call.tx, offered)
        rebalances.forget(call.tx, ACCOUNT, REGION, "default")

    rig.house.write(end)
    rig.restart()
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
    question = Question(now=rig.house.clock.now(), moves_max=1, pause=SOON)
    free = rig.house.read(lambda call: sights.look(call.tx, CLUSTER, question))
    assert free.cases[0].freeze is None
    rig.house.write(lambda call: freezes.FREEZES.put(call.tx, a_freeze(rig, "brake")))
    held = rig.house.read(lambda call: sights.look(call.tx, CLUSTER, question))
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


def test_a_successor_that_stands_in_for_another_task_moves_nothing_any_more():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.advance(SETTLING - 1)
    second.slow = True
    rig.advance(3)
    moving = next(task for task in rig.live(service) if task.replaces)
    first = next(iter(rig.hosts.values()))
    first.kill(next(one for one in first.running() if one != moving.replaces), rig)
    second.slow = False
    second.finish(rig)
    rig.advance(120)
    assert spread(rig, service) == {"host-1": 2, "host-2": 2}, "the next move has begun"
    assert rig.service(service).rebalancing.since is None
    assert moving.arn in {task.arn for task in rig.running(service)}
    second.kill(moving.arn, rig)
    rig.advance(30)
    assert not any("stays where it is" in one for one in rig.events(service)), "no move failed"


def test_more_tasks_are_desired_in_the_middle_of_a_move():
    rig = a_rig()
    service = serve(rig)
    second = rig.host("host-2")
    rig.advance(SETTLING - 1)
    second.slow = True
    rig.advance(3)
    assert any(task.replaces for task in rig.live(service))
    rig.update(service, desired_count=5)
    second.slow = False
    second.finish(rig)
    rig.advance(120)
    assert sorted(spread(rig, service).values()) == [2, 3]
    assert rig.service(service).rebalancing.since is None
    assert not any(task.replaces in rig.running(service) for task in rig.live(service))


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
