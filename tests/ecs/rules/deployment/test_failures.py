"""Stories of services whose tasks fail: the back-off, the circuit breaker, rolling back."""

import itertools

import pytest

from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World


def break_down(world: World, identity: str, until: str) -> None:
    """Let every task of a deployment fail until the service names another, or it has failed."""
    for _ in range(40):
        world.act()
        for task in world.live():
            if task.deployment == identity or task.desired_status == "STOPPED":
                world.report(task, "STOPPED", exit_code=1)
        if world.service.deployment == until or (
            world.deployment(identity).rollout_state == "FAILED"
        ):
            return
        world.wait(5)
    raise AssertionError("the breaker never tripped")


def test_a_broken_image_trips_the_breaker_and_goes_back():
    world = World(3, breaker={"enable": True, "rollback": True})
    world.settle()
    kept = {one.arn for one in world.live()}
    world.update()
    for _ in range(30):
        world.act()
        for task in world.live():
            if task.deployment == "ecs-svc/2":
                world.report(task, "STOPPED", reason="CannotPullContainerError: no such image")
        if world.service.deployment == "ecs-svc/1":
            break
        world.wait(2)
    assert world.deployment("ecs-svc/2").rollout_state == "FAILED"
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_IN_PROGRESS"
    assert world.deployment("ecs-svc/2").rolled_back_to == "ecs-svc/1"
    assert world.deployment("ecs-svc/1").rollout_reason == (
        "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
    )
    assert world.events[-2:] == [
        "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.",
        "(service web) rolling back to deployment ecs-svc/1.",
    ]
    world.settle()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"
    assert {one.arn for one in world.live()} == kept, "what ran before runs on untouched"


def test_a_failed_deployment_without_rollback_launches_nothing_more():
    world = World(1, breaker={"enable": True})
    for _ in range(10):
        world.act()
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
        world.wait(5)
    assert world.deployment().rollout_state == "FAILED"
    assert world.deployment().status == "STOPPED"
    assert world.deployment().failed_tasks == 3
    assert len(world.tasks) == 3
    world.wait(10_000)
    assert not world.act().start


def test_failed_starts_are_spaced_out_and_the_next_try_is_visible():
    world = World(1)
    starts = []
    for _ in range(400):
        plan = world.act()
        starts += [world.now for one in plan.start]
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
        if plan.look_again and not plan.start:
            assert "the next try is at" in world.deployment().rollout_reason
            world.now = plan.look_again
        if len(starts) == 13:
            break
    gaps = [round((b - a) / 1_000_000) for a, b in itertools.pairwise(starts)]
    assert gaps == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert "(service web) is unable to consistently start tasks successfully." in world.events
    world.update()
    assert world.act().start, "a new deployment starts at once"


def test_tasks_that_started_together_and_fail_one_after_another_are_one_step():
    world = World(3)
    world.act()
    for task in world.live():
        world.wait(1)
        world.report(task, "STOPPED", exit_code=1)
        world.act()
    assert world.service.backoff.failures == 1
    assert len(world.live()) == 3, "each was replaced at once"
    for task in world.live():
        world.report(task, "STOPPED", exit_code=1)
    world.act()
    assert world.service.backoff.failures == 2
    assert world.live() == []


def test_a_task_that_ran_well_is_replaced_at_once_and_forgets_the_failures():
    world = World(1)
    for _ in range(4):
        world.act()
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
        world.wait(10)
    assert world.service.backoff.failures > 1
    world.act()
    world.wait(10)
    world.act()
    world.serve()
    world.wait(301)
    world.act()
    assert world.service.backoff.failures == 0
    world.report(world.live()[0], "STOPPED", exit_code=1)
    assert world.act().start


@pytest.mark.parametrize("code", ["UserInitiated", "InfrastructureHealth"])
def test_what_is_not_the_containers_own_fault_never_counts(code):
    world = World(1)
    world.act()
    task = world.live()[0]
    world.tasks[task.arn] = ask_to_stop(task, code, "because", world.now)
    world.report(task, "STOPPED", exit_code=137)
    plan = world.act()
    assert plan.start
    assert world.service.backoff.failures == 0
    assert world.deployment().failed_tasks == 0


@pytest.mark.parametrize(("resets", "failed"), [(True, 0), (False, 2)])
def test_a_healthy_task_that_started_after_the_failure_ends_the_row(resets, failed):
    breaker = {"enable": True, "reset_on_healthy_task": resets}
    world = World(1, breaker=breaker)
    for _ in range(2):
        world.act()
        world.report(world.live()[0], "STOPPED", exit_code=1)
        world.act()
        world.wait(5)
    assert world.deployment().failed_tasks == 2
    world.act()
    world.serve()
    world.wait(9)
    world.act()
    assert world.deployment().failed_tasks == 2, "it has not settled yet"
    world.service = evolve(world.service, desired_count=2)
    world.wait(5)
    world.act()
    assert world.deployment().failed_tasks == failed


def test_a_rollback_that_fails_too_is_the_end():
    world = World(1, 0, 100, breaker={"enable": True, "rollback": True})
    world.settle()
    world.update()
    break_down(world, "ecs-svc/2", "ecs-svc/1")
    assert world.service.deployment == "ecs-svc/1"
    break_down(world, "ecs-svc/1", "")
    assert world.deployment("ecs-svc/1").rollout_state == "FAILED"
    assert world.deployment("ecs-svc/1").status == "SUCCESSFUL", "it was, once"
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_FAILED"
    world.wait(10_000)
    assert not world.act().start


def test_a_newer_deployment_ends_a_rollback():
    world = World(1, 0, 100, breaker={"enable": True, "rollback": True})
    world.settle()
    world.update()
    break_down(world, "ecs-svc/2", "ecs-svc/1")
    world.update()
    world.act()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_FAILED"
    world.settle()
    assert world.deployment("ecs-svc/3").status == "SUCCESSFUL"


def test_a_rollback_opens_a_deployment_that_had_left():
    world = World(1, 0, 100, breaker={"enable": True, "rollback": True})
    world.settle()
    world.update()
    world.act()
    world.serve()
    world.act()
    assert not world.deployment("ecs-svc/1").open
    break_down(world, "ecs-svc/2", "ecs-svc/1")
    assert world.deployment("ecs-svc/1").open
    world.settle()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"


def test_a_breaker_that_may_roll_back_has_nowhere_to_go_at_first():
    world = World(1, breaker={"enable": True, "rollback": True})
    break_down(world, "ecs-svc/1", "")
    assert world.deployment().status == "STOPPED"
