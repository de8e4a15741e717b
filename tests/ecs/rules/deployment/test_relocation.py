"""A task that moves: when it leaves, what it is stopped for, and what is said."""

import pytest

from moorage.ecs.records.rebalancing import Rebalancing
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.deployment.relocation import MOVE_TIMEOUT, REST_AFTER_FAILURE, moving
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from tests.ecs.rules.builders import NOW, running
from tests.ecs.rules.deployment.world import World


def a_world(desired: int = 2, **more) -> World:
    """A service that has settled."""
    world = World(desired, **more)
    world.settle()
    world.wait(60)
    world.act()
    return world


def start_successor(world: World, of, host: str = "h3"):
    """What a rebalancing does: one task too many, which names the task that it replaces."""
    world.start(world.service.deployment)
    successor = list(world.tasks.values())[-1]
    moved = evolve(successor, replaces=of.arn, instance=f"{of.instance.rpartition('/')[0]}/{host}")
    world.tasks[moved.arn] = moved
    return moved


def test_the_moved_task_stops_once_its_successor_has_settled():
    world = a_world()
    source = world.live()[0]
    successor = start_successor(world, source)
    assert world.reconcile().stop == ()
    world.act()
    world.report(world.tasks[successor.arn], "RUNNING")
    assert world.reconcile().stop == (), "it has not settled yet"
    world.wait(11)
    plan = world.act()
    (order,) = plan.stop
    assert order.task == source.arn
    assert order.code == "ServiceSchedulerInitiated"
    assert order.reason == (
        f"Moved to the host h3 by rebalancing: (task {successor.id}) has taken its place"
    )
    host = world.hosts[source.instance].name
    (said,) = plan.events
    assert said == (
        f"(service web) has moved a task from the host {host} to the host h3: "
        f"(task {successor.id}) has settled, and (task {source.id}) is stopped."
    )
    world.report(world.tasks[source.arn], "STOPPED")
    assert world.reconcile().start == ()
    assert world.reconcile().stop == ()


def test_between_zones_it_is_said_in_the_words_of_ecs():
    world = a_world()
    world.service = evolve(world.service, rebalancing=Rebalancing(since=NOW, zones=True))
    source = world.live()[0]
    successor = start_successor(world, source)
    world.tasks[successor.arn] = running(evolve(successor, zone="b"), NOW)
    world.wait(60)
    plan = world.act()
    (said,) = plan.events
    assert said == (
        f"(service web) has stopped 1 running tasks in a due to AZ rebalancing: (task {source.id})."
    )


def test_a_successor_that_ends_leaves_the_task_where_it_is_for_a_while():
    world = a_world()
    source = world.live()[0]
    successor = start_successor(world, source)
    world.act()
    world.report(world.tasks[successor.arn], "STOPPED", reason="CannotPullContainerError")
    plan = world.reconcile()
    assert plan.start == plan.stop == ()
    assert plan.service.rebalancing.rest_until == later(world.now, REST_AFTER_FAILURE)
    assert any(f"(task {source.id}) stays where it is" in one for one in plan.events)
    world.act()
    assert world.reconcile().service is None, "it is said once"


def test_a_successor_that_does_not_settle_is_stopped():
    world = a_world()
    source = world.live()[0]
    successor = start_successor(world, source)
    assert world.reconcile().look_again is not None
    world.wait(600)
    plan = world.act()
    assert [order.task for order in plan.stop] == [successor.arn]
    assert plan.service.rebalancing.rest_until is not None
    assert world.tasks[source.arn].desired_status == "RUNNING"


@pytest.mark.parametrize("desired", [2, 3])
def test_a_successor_that_is_needed_beside_what_it_was_to_replace_names_it_no_more(desired):
    world = a_world()
    source = world.live()[0]
    successor = start_successor(world, source)
    world.service = evolve(world.service, desired_count=desired)
    plan = world.act()
    assert plan.stop == plan.start == ()
    if desired == len(world.live()):
        assert plan.unlinked == (successor.arn,)
        assert world.tasks[successor.arn].replaces == ""
        assert world.act().unlinked == ()
    else:
        assert plan.unlinked == ()
        assert world.tasks[successor.arn].replaces == source.arn


def test_a_new_deployment_has_precedence():
    world = a_world()
    source = world.live()[0]
    start_successor(world, source)
    world.update()
    plan = reconcile(world.state(), world.now)
    assert source.arn not in {order.task for order in plan.stop if "Moved" in order.reason}


HEALTHY, UNSETTLED, NOT_RUNNING = Standing.HEALTHY, Standing.UNSETTLED, Standing.NOT_RUNNING


@pytest.mark.parametrize(
    ("desired", "standing", "change", "leaves"),
    [
        (2, HEALTHY, {}, True),
        (2, NOT_RUNNING, {}, True),
        (3, HEALTHY, {}, False),
        (1, HEALTHY, {}, True),
        (2, UNSETTLED, {"connectivity": "DISCONNECTED"}, False),
        (2, NOT_RUNNING, {"created_at": later(NOW, -MOVE_TIMEOUT)}, False),
        (2, HEALTHY, {"created_at": later(NOW, -MOVE_TIMEOUT)}, True),
        (2, HEALTHY, {"replaces": "arn:of:nobody"}, False),
    ],
)
def test_when_a_task_leaves(desired, standing, change, leaves):
    world = a_world()
    first, second = world.live()
    successor = evolve(start_successor(world, first), created_at=NOW)
    successor = evolve(successor, **change)
    standings = {first.arn: HEALTHY, second.arn: HEALTHY, successor.arn: standing}
    found = moving([first, second, successor], standings, desired, NOW)
    assert found == ((first,) if leaves else ())


@pytest.mark.parametrize(
    "change",
    [{"protected_until": later(NOW, minutes(60))}, {"connectivity": "DISCONNECTED"}],
)
def test_what_may_not_move_stays(change):
    world = a_world()
    first, second = world.live()
    successor = start_successor(world, first)
    held = evolve(first, **change)
    standings = dict.fromkeys((first.arn, second.arn, successor.arn), HEALTHY)
    assert moving([held, second, successor], standings, 2, NOW) == ()
