"""Stories of draining hosts: what moves, what waits for room or leave, and what is said."""

import pytest

from moorage.ecs.rules import events
from moorage.ground.record import evolve
from tests.ecs.rules.builders import instance_arn
from tests.ecs.rules.deployment.world import World


def steady(desired, minimum, maximum, **more) -> World:
    world = World(desired, minimum, maximum, sent=True, **more)
    world.settle()
    return world


def crowded(desired, minimum, maximum, **more) -> World:
    """All tasks on one host, which is drained."""
    world = steady(desired, minimum, maximum, **more)
    for task in world.live():
        world.tasks[task.arn] = evolve(task, instance=instance_arn("h1"))
    world.drain("h1")
    return world


def starts(plan) -> int:
    return sum(one.count for one in plan.start)


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "room", "starting", "stopping"),
    [
        # start-first, as far as the maximum and the room allow
        (4, 100, 200, None, 4, 0),
        (4, 100, 150, None, 2, 0),
        (4, 100, 200, 1, 1, 0),
        # nothing may start: as many stop as have room elsewhere, down to the minimum
        (4, 50, 100, None, 0, 2),
        (4, 50, 100, 1, 0, 1),
        (4, 50, 100, 0, 0, 0),
        (1, 0, 100, None, 0, 1),
        (1, 0, 100, 0, 0, 0),
        # no room at all: stopping them would help nobody
        (4, 0, 200, 0, 0, 0),
        (4, 50, 150, 0, 0, 0),
        # both at once
        (4, 50, 150, None, 2, 2),
        (4, 50, 150, 3, 2, 1),
    ],
)
def test_the_first_step_of_a_drain(desired, minimum, maximum, room, starting, stopping):
    world = crowded(desired, minimum, maximum)
    plan = world.act(placeable=room)
    assert (starts(plan), len(plan.stop)) == (starting, stopping)
    assert plan.relies_on == starting + stopping
    left = desired - stopping
    assert plan.kept_by_drain == (("h1",) if left else ())
    again = world.act(placeable=None if room is None else room - starting)
    assert again.stop == (), "the rest must wait for this"


@pytest.mark.parametrize(
    ("minimum", "maximum"), [(100, 200), (50, 100), (0, 100), (100, 150), (50, 150)]
)
def test_a_drained_host_is_emptied(minimum, maximum):
    world = crowded(4, minimum, maximum)
    world.settle()
    assert not [one for one in world.live() if one.instance == instance_arn("h1")]


def test_where_the_percentages_allow_nothing_the_event_says_so():
    world = crowded(3, 100, 100)
    plan = world.act()
    assert (plan.start, plan.stop) == ((), ())
    (said,) = plan.events
    assert said == (
        "(service web) keeps its tasks on draining hosts (h1), because minimumHealthyPercent 100 "
        "and maximumPercent 100 allow neither to start another task nor to stop one. Lower the "
        "one or raise the other."
    )


def test_an_update_that_is_stuck_is_said_in_the_words_of_ecs():
    world = steady(3, 100, 100)
    world.update()
    world.drain("h1")
    assert world.act().events == (events.stuck("web"),)


def test_tasks_that_do_not_run_yet_stop_at_once_and_those_of_no_service_are_not_ours():
    world = World(3, 100, 100)
    world.act()
    world.drain("h1")
    plan = world.act()
    assert {world.tasks[one.task].instance for one in plan.stop} == {instance_arn("h1")}


def test_in_the_back_off_nothing_leaves_a_draining_host_first():
    """Its replacement could not start now, though there is room for it."""
    world = steady(2, 0, 100)
    for _ in range(2):
        crashed = world.live()[-1]
        world.report(crashed, "RUNNING")
        world.report(crashed, "STOPPED", exit_code=1)
        world.act()
    assert world.service.backoff.until > world.now
    (left,) = [one for one in world.live() if one.last_status == "RUNNING"]
    world.drain(world.hosts[left.instance].name)
    plan = world.act()
    assert (plan.start, plan.stop) == ((), ())
    world.now = world.service.backoff.until
    assert world.act().start


def test_an_unhealthy_task_stays_too_where_nothing_takes_its_replacement():
    world = World(2, 0, 100, checked=True, sent=True)
    world.act()
    world.serve()
    world.act()
    for task in world.live():
        world.tasks[task.arn] = evolve(task, instance=instance_arn("h1"))
        world.health(task, "UNHEALTHY")
    world.drain("h1")
    assert not world.act(placeable=0).stop
    assert world.act().stop
