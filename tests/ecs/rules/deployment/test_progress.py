"""The progress deadline: what gets nowhere fails and says why; what gets on does not."""

import pytest

from moorage.ecs.rules.deployment import census
from moorage.ecs.rules.deployment.progress import deadline
from moorage.ecs.rules.deployment.waits import wait_of
from moorage.ground.instant import minutes, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.test_freezing import frozen
from tests.ecs.rules.deployment.test_hooks import a_hook
from tests.ecs.rules.deployment.world import World

DEADLINE = 600


def stuck(desired=2, **more) -> World:
    """A steady service whose update has started tasks that never run."""
    world = World(desired, **more)
    world.settle()
    world.update()
    world.act()
    return world


def of(world: World, identity: str) -> list:
    return [one for one in world.live() if one.deployment == identity]


def overdue(world: World) -> World:
    world.act()
    world.wait(DEADLINE)
    world.act()
    return world


def test_a_deployment_that_gets_nowhere_fails_and_says_why():
    world = stuck()
    world.wait(DEADLINE - 1)
    world.act()
    assert world.deployment().rollout_state == "IN_PROGRESS"
    world.wait(2)
    world.act()
    failed = world.deployment("ecs-svc/2")
    ids = " ".join(f"(task {one.id})" for one in of(world, "ecs-svc/2"))
    why = f"it got nowhere for 10 minutes, because 2 tasks of it did not start to run: {ids}"
    assert (failed.rollout_state, failed.status) == ("FAILED", "STOPPED")
    assert failed.rollout_reason == f"ECS deployment ecs-svc/2 failed: {why}."
    assert failed.status_reason == f"Service deployment failed: {why}."
    assert f"(service web) (deployment ecs-svc/2) deployment failed: {why}." in world.events
    assert not failed.breaker_triggered
    assert world.service.deployment == "ecs-svc/2"


def test_without_a_breaker_it_goes_on_trying_and_may_still_be_done():
    world = overdue(stuck())
    assert world.deployment().stalled
    for task in of(world, "ecs-svc/2"):
        world.report(task, "STOPPED", reason="CannotPullContainerError: gone")
    world.act()
    assert of(world, "ecs-svc/2"), "others are started"
    world.settle()
    done = world.deployment()
    assert (done.rollout_state, done.status, done.stalled) == ("COMPLETED", "STOPPED", False)
    assert done.completed_before
    world.update()
    world.act()
    assert world.deployment().status == "IN_PROGRESS"


def test_with_a_breaker_nothing_more_is_started():
    world = overdue(stuck(breaker={"enable": True, "rollback": False}))
    assert world.deployment().status == "STOPPED"
    for task in of(world, "ecs-svc/2"):
        world.report(task, "STOPPED", reason="CannotPullContainerError: gone")
    assert not world.act().start


def test_with_rollback_it_goes_back():
    world = overdue(stuck(breaker={"enable": True, "rollback": True}))
    failed = world.deployment("ecs-svc/2")
    assert failed.status == "ROLLBACK_IN_PROGRESS"
    assert failed.rollback_reason.startswith(
        "Service deployment rolled back because it got nowhere for 10 minutes, because 2 tasks"
    )
    assert world.deployment("ecs-svc/1").rollout_reason == (
        "ECS deployment progress deadline: rolling back to deploymentId ecs-svc/1."
    )
    world.settle()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"


def test_what_is_gone_back_to_is_tried_for_ever():
    world = World(1, 0, 100, breaker={"enable": True, "rollback": True})
    world.settle()
    world.update()
    world.act()
    world.serve()
    overdue(world)
    assert world.service.deployment == "ecs-svc/1"
    world.act()  # what was in the way is gone: this is a step on
    overdue(world)
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_FAILED"
    assert world.deployment("ecs-svc/1").stalled
    world.settle()
    assert world.deployment("ecs-svc/1").rollout_state == "COMPLETED"


def test_every_step_on_gives_it_time():
    world = stuck(4)
    for task in of(world, "ecs-svc/2"):
        world.wait(DEADLINE - 60)
        world.act()
        world.report(task, "RUNNING")
        world.wait(10)
        world.act()
        assert world.deployment().status == "IN_PROGRESS"
    world.settle()
    assert world.deployment().status == "SUCCESSFUL"


def test_healthy_and_dead_in_turn_is_no_step_on():
    world = World(1)
    for _ in range(20):
        world.act()
        for task in world.live():
            world.report(task, "RUNNING")
        world.wait(35)
        world.act()
        world.wait(5)
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
        if world.deployment().rollout_state != "IN_PROGRESS":
            break
    # With one task desired, one that was healthy once was enough.
    assert world.deployment().rollout_state == "COMPLETED"
    world = World(2)
    for _ in range(40):
        world.act()
        for task in world.live()[:1]:
            world.report(task, "RUNNING")
        world.wait(35)
        world.act()
        for task in world.live()[:1]:
            world.report(task, "STOPPED", exit_code=1)
    assert world.deployment().rollout_state == "FAILED"


def test_another_desired_count_begins_anew():
    world = stuck()
    world.wait(DEADLINE - 10)
    world.service = evolve(world.service, desired_count=3)
    world.act()
    world.wait(DEADLINE - 10)
    world.act()
    assert world.deployment().status == "IN_PROGRESS"


@pytest.mark.parametrize("hold", ["lost", "freeze", "hook", "off", "stopping"])
def test_some_waits_do_not_count(hold):
    world = stuck()
    if hold == "lost":
        world.brake = True
        world.lose(of(world, "ecs-svc/2")[0])
    elif hold == "freeze":
        frozen(world)
    elif hold == "hook":
        configuration = evolve(world.configuration, lifecycle_hooks=[a_hook("POST_SCALE_UP")])
        world.change_deployment(evolve(world.deployment(), deployment_configuration=configuration))
        for task in of(world, "ecs-svc/2"):
            world.report(task, "RUNNING")
        world.wait(10)
    elif hold == "stopping":
        for task in of(world, "ecs-svc/2"):
            world.report(task, "RUNNING")
        world.wait(10)
    else:
        world.conditions = evolve(world.conditions, progress_deadline=seconds(0))
    world.act()
    world.wait(10 * DEADLINE)
    world.act()
    if hold == "freeze":
        world.freeze = None
        world.act()
    assert world.deployment().rollout_state == "IN_PROGRESS"
    assert world.act().look_again != world.now


def test_a_scale_up_of_a_steady_service_has_no_deadline():
    world = World(1)
    world.settle()
    world.service = evolve(world.service, desired_count=3)
    overdue(world)
    assert world.deployment().rollout_state == "COMPLETED"


@pytest.mark.parametrize(
    ("length", "said"),
    [(minutes(10), "10 minutes"), (minutes(1), "a minute"), (seconds(90), "90 seconds")],
)
def test_the_deadline_is_spoken(length, said):
    world = stuck()
    world.conditions = evolve(world.conditions, progress_deadline=length)
    overdue(world)
    assert f"nowhere for {said}," in world.deployment().rollout_reason


@pytest.mark.parametrize(
    ("grace", "settle", "expected"),
    [(0, 40, 600), (0, 300, 600), (0, 3600, 7200), (900, 40, 1500), (60, 3600, 7260)],
)
def test_what_is_slow_by_its_settings_has_longer(grace, settle, expected):
    world = stuck(health_check_grace_period_seconds=grace)
    world.conditions = evolve(world.conditions, settle=seconds(settle))
    assert deadline(world.state()) == seconds(expected)
    world.wait(expected - 1)
    world.act()
    assert world.deployment().rollout_state == "IN_PROGRESS"
    world.wait(2)
    world.act()
    assert world.deployment().rollout_state == "FAILED"


def waiting(world: World) -> str:
    state = world.state()
    return wait_of(state, census.take(state, world.now), world.now)


def test_waits_in_words():
    world = stuck(1, checked=True)
    (new,) = of(world, "ecs-svc/2")
    assert waiting(world) == f"one task of it did not start to run: (task {new.id})"
    world.report(new, "RUNNING")
    assert waiting(world) == f"one task of it did not become healthy: (task {new.id})"
    world.health(new, "UNHEALTHY")
    assert waiting(world) == f"one task of it failed health checks: (task {new.id})"
    world.report(new, "STOPPED", exit_code=1)
    world.service = evolve(world.service, waits_for_room=True)
    assert waiting(world) == "no container instance can take one task that it still needs"


def test_a_back_off_and_other_deployments_in_words():
    world = World(1)
    for _ in range(3):
        world.act()
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
    world.act()
    assert waiting(world).startswith("2 starts failed in a row, and the next try is at 2027-")
    world = World(1, 0, 100)
    world.settle()
    (old,) = world.live()
    world.update()
    world.act()
    assert waiting(world) == f"one task that should stop did not stop: (task {old.id})"
    world = World(1, 100, 100)
    world.settle()
    world.update()
    world.act()
    assert waiting(world) == (
        "minimumHealthyPercent 100 and maximumPercent 100 allow neither to start a task nor to stop "
        "one"
    )
    world = World(7)
    world.act()
    assert waiting(world).endswith("(task t0005) and 2 more")
    world.serve()
    world.wait(10)
    assert waiting(world) == "its tasks did not stay healthy"
