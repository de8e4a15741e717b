"""Stories of frozen services: nothing moves, everything is taken in, and it is said."""

from moorage.ecs.records.service import StartBackoff
from moorage.ground.instant import iso, later, minutes
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World
from tests.ecs.rules.test_freeze import a_freeze


def frozen(world: World, length: int = 10, **more):
    until = later(world.now, minutes(length))
    world.freeze = evolve(a_freeze(until=until, **more), created_at=world.now)
    return until


def test_a_frozen_service_moves_nothing_and_says_it_once():
    world = World(3)
    world.settle()
    until = frozen(world)
    plan = world.act()
    (said,) = plan.events
    assert said == (
        f'(service web) is frozen until {iso(until)} ("moving the rack"): nothing of it is '
        "started, stopped or replaced."
    )
    assert plan.look_again == until
    crashed = world.live()[0]
    world.report(crashed, "STOPPED", exit_code=1)
    world.lose(world.live()[0])
    plan = world.act()
    assert (plan.start, plan.stop, plan.events) == ((), (), ())
    assert plan.judged == (crashed.arn,)
    world.freeze = None
    plan = world.act()
    assert plan.events[0] == "(service web) is no longer frozen."
    assert sum(one.count for one in plan.start) == 2
    assert world.service.frozen_at is None
    assert "(service web) is no longer frozen." not in world.act().events


def test_a_second_freeze_is_said_again():
    world = World(1)
    world.settle()
    frozen(world)
    world.act()
    world.wait(1)
    until = frozen(world, 20)
    assert iso(until) in world.act().events[0]


def test_changes_take_effect_at_the_thaw():
    world = World(2)
    world.settle()
    until = frozen(world)
    world.act()
    world.update()
    waits = (
        f"(service web) was changed and is frozen until {iso(until)}: the change takes effect then."
    )
    plan = world.act()
    assert (plan.start, plan.stop, plan.events) == ((), (), (waits,))
    assert world.deployment().status == "PENDING"
    world.freeze = None
    assert sum(one.count for one in world.act().start) == 2
    world.settle()
    frozen(world)
    world.act()
    world.service = evolve(world.service, desired_count=5)
    assert "the change takes effect then" in world.act().events[0]
    world.freeze = None
    assert sum(one.count for one in world.act().start) == 3


def test_changes_that_never_began_do_not_gather():
    """A service that is deployed each hour while it is frozen once carried all of it along."""
    world = World(2)
    world.settle()
    frozen(world)
    for _ in range(5):
        world.update()
        world.act()
    kept = [one for one in world.deployments if one.open]
    assert [one.id for one in kept] == ["ecs-svc/1", world.service.deployment]
    assert kept[0].status == "SUCCESSFUL"
    world.freeze = None
    world.settle()
    assert world.deployment().rollout_state == "COMPLETED"
    assert len(world.live()) == 2


def test_what_fails_meanwhile_counts_against_nothing():
    world = World(3, breaker={"enable": True, "rollback": True})
    world.settle()
    world.update()
    world.act()
    frozen(world)
    for task in world.live():
        if task.deployment == "ecs-svc/2":
            world.report(task, "STOPPED", reason="CannotPullContainerError: gone")
            world.act()
    assert world.service.backoff == StartBackoff()
    assert world.deployment().failed_tasks == 0
    world.freeze = None
    assert world.act().start


def test_a_deleted_service_goes_at_the_thaw():
    world = World(2)
    world.settle()
    frozen(world)
    world.service = evolve(world.service, status="DRAINING")
    plan = world.act()
    assert plan.stop == ()
    assert len(plan.events) == 2
    world.freeze = None
    assert len(world.act().stop) == 2
    assert world.events[-2] == "(service web) is no longer frozen."


def test_a_service_that_is_gone_is_not_frozen():
    world = World(1)
    world.service = evolve(world.service, status="INACTIVE")
    frozen(world)
    assert world.act().events == ()
