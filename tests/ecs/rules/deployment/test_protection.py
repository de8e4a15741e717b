"""Protected tasks: no scale-in and no deployment stops them; what else does, and when it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules import events
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World


def a_settled_world(desired: int = 3, minimum: int = 100, maximum: int = 200, **more) -> World:
    world = World(desired, minimum, maximum, sent=True, **more)
    world.settle()
    return world


def protect(world: World, *tasks, count: float = 120) -> None:
    for task in tasks:
        until = later(world.now, minutes(count))
        world.tasks[task.arn] = evolve(world.tasks[task.arn], protected_until=until)


def scale(world: World, desired: int) -> None:
    world.service = evolve(world.service, desired_count=desired)


def test_a_scale_in_takes_the_others():
    world = a_settled_world(4)
    kept = world.live()[-2:]
    protect(world, *kept)
    scale(world, 2)
    plan = world.act()
    assert {order.task for order in plan.stop} == {one.arn for one in world.tasks.values()} - {
        one.arn for one in kept
    }
    world.settle()
    assert {one.arn for one in world.live()} == {one.arn for one in kept}


def test_a_protected_task_that_does_not_run_yet_costs_no_healthy_one():
    world = a_settled_world(1)
    healthy = world.live()[0]
    scale(world, 2)
    world.act()
    fresh = next(one for one in world.live() if one.arn != healthy.arn)
    protect(world, fresh)
    scale(world, 1)
    assert not world.act().stop
    world.report(fresh, "RUNNING")
    world.wait(11)
    assert [order.task for order in world.act().stop] == [healthy.arn]


def test_what_is_above_waits_for_the_end_of_protection_and_says_so():
    world = a_settled_world(3)
    tasks = world.live()
    protect(world, *tasks, count=10)
    scale(world, 1)
    plan = world.act()
    assert not plan.stop
    assert plan.events == (events.protected("web", *sorted(one.id for one in tasks[:2])),)
    assert plan.look_again == tasks[0].protected_until or plan.look_again is not None
    ends = later(world.tasks[tasks[0].arn].protected_until, minutes(0))
    assert plan.look_again == ends
    world.now = ends
    assert len(world.act().stop) == 2


def test_a_deployment_waits_for_a_protected_task_of_the_one_before_it():
    world = a_settled_world(3)
    kept = world.live()[1]
    protect(world, kept, count=30)
    world.update()
    for _ in range(20):
        world.act()
        world.serve()
        world.wait(11)
    assert {one.deployment for one in world.live()} == {"ecs-svc/1", "ecs-svc/2"}
    assert [one.arn for one in world.live() if one.deployment == "ecs-svc/1"] == [kept.arn]
    assert world.deployment().rollout_state == "IN_PROGRESS"
    assert world.deployment("ecs-svc/1").open
    assert events.protected("web", kept.id) in world.events
    world.now = world.tasks[kept.arn].protected_until
    world.settle()
    assert world.deployment().rollout_state == "COMPLETED"


def test_protected_tasks_may_fill_the_maximum_and_the_service_says_so():
    world = a_settled_world(2, 100, 100)
    protect(world, *world.live())
    world.update()
    plan = world.act()
    assert not plan.stop
    assert not plan.start
    assert plan.events == (
        events.protected("web", *sorted(one.id for one in world.live())),
        events.stuck("web"),
    )


def test_a_task_that_is_protected_before_it_runs_is_left_alone():
    world = World(2, sent=True)
    world.act()
    protect(world, *world.live())
    world.update()
    assert not world.act().stop


def test_a_protected_task_that_fails_its_checks_is_replaced():
    world = a_settled_world(2, checked=True)
    sick = world.live()[0]
    protect(world, sick)
    world.health(sick, "UNHEALTHY")
    world.act()
    world.serve()
    for _ in range(3):
        world.health(sick, "UNHEALTHY")
        world.act()
        world.wait(1)
    assert world.tasks[sick.arn].desired_status == "STOPPED"


def test_a_drain_takes_protected_tasks_too():
    world = a_settled_world(3)
    protect(world, *world.live())
    world.drain("h1")
    world.settle()
    assert not [one for one in world.live() if world.hosts[one.instance].name == "h1"]


def test_of_the_tasks_on_a_drained_host_the_protected_move_last():
    world = a_settled_world(6, 100, 150)
    on_host = [one for one in world.live() if world.hosts[one.instance].name == "h1"]
    assert len(on_host) == 2
    protect(world, on_host[-1])
    world.drain("h1")
    order = []
    for _ in range(12):
        order += [one.task for one in world.act().stop]
        world.serve()
        world.wait(11)
    assert order.index(on_host[0].arn) < order.index(on_host[-1].arn)


def test_a_deleted_service_ends_protected_tasks():
    world = a_settled_world(2)
    protect(world, *world.live())
    world.service = evolve(world.service, status="DRAINING")
    assert len(world.act().stop) == 2


def test_the_protected_are_kept_when_a_lost_host_returns():
    world = a_settled_world(3)
    lost = world.live()[0]
    protect(world, lost)
    world.lose(lost)
    world.settle()
    world.find_again(lost)
    world.wait(3)
    world.settle()
    assert world.tasks[lost.arn].desired_status == "RUNNING"


@given(
    st.integers(1, 6),
    st.integers(0, 6),
    st.sets(st.integers(0, 5)),
    st.booleans(),
    st.sampled_from([(100, 200), (50, 200), (0, 100)]),
)
def test_nothing_that_is_held_is_ever_stopped(desired, wanted, protected, updated, bounds):
    world = a_settled_world(desired, *bounds)
    tasks = world.live()
    kept = [tasks[number] for number in protected if number < len(tasks)]
    protect(world, *kept)
    scale(world, wanted)
    if updated:
        world.update()
    for _ in range(12):
        world.act()
        world.serve()
        world.wait(11)
    assert all(world.tasks[one.arn].desired_status == "RUNNING" for one in kept)
    world.now = later(world.now, minutes(120))
    world.settle()
    assert len(world.live()) == wanted


@pytest.mark.parametrize("count", [1, 2])
def test_converged_twice_nothing_changes(count):
    world = a_settled_world(3)
    protect(world, *world.live()[:count])
    scale(world, 0)
    world.act()
    world.serve()
    world.act()
    plan = world.act()
    assert not plan.stop
    assert not plan.start
    assert plan.service is None
