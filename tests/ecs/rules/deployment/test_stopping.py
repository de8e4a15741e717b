"""A deployment that someone stops, or sends back: what StopServiceDeployment noted is done."""

import pytest

from moorage.ground.record import evolve
from tests.ecs.rules.deployment.test_freezing import frozen
from tests.ecs.rules.deployment.test_lifecycle import calm, of, paused
from tests.ecs.rules.deployment.world import World


def asked(world: World, status: str) -> None:
    world.change_deployment(evolve(world.deployment(), status=status))


def half_way(desired=4, minimum=100, maximum=150) -> World:
    """Two tasks of the update run, and two old ones have gone for them."""
    world = World(desired, minimum, maximum)
    world.settle()
    world.update()
    world.act()
    world.serve()
    world.wait(10)
    world.act()
    world.serve()
    return world


def test_a_rollback_on_request_needs_no_breaker():
    world = half_way()
    kept = {one.arn for one in of(world, "ecs-svc/1")}
    asked(world, "ROLLBACK_REQUESTED")
    world.act()
    back = world.deployment("ecs-svc/2")
    assert (back.status, back.rollout_state) == ("ROLLBACK_IN_PROGRESS", "FAILED")
    assert back.rollback_started_at == world.now
    assert back.rollback_reason == "Service deployment rolled back because it was requested."
    assert world.service.deployment == "ecs-svc/1"
    assert world.service.task_definition == world.deployment("ecs-svc/1").task_definition
    world.settle()
    done = world.deployment("ecs-svc/2")
    assert (done.status, done.finished_at) == ("ROLLBACK_SUCCESSFUL", done.updated_at)
    assert kept <= {one.arn for one in world.live()}
    assert {one.deployment for one in world.live()} == {"ecs-svc/1"}
    assert world.events[-1] == "(service web) has reached a steady state."


def test_an_abort_leaves_all_as_it_is():
    world = half_way()
    before = {one.arn for one in world.live() if one.desired_status == "RUNNING"}
    asked(world, "STOP_REQUESTED")
    world.act()
    stopped = world.deployment()
    assert (stopped.status, stopped.rollout_state) == ("STOPPED", "FAILED")
    assert stopped.finished_at == world.now
    assert stopped.status_reason == "Service deployment stopped by StopServiceDeployment."
    calm(world)
    after = {one.arn for one in world.live() if one.desired_status == "RUNNING"}
    assert after <= before
    assert len(after) == 4
    world.update()
    world.settle()
    assert world.deployment().status == "SUCCESSFUL"


@pytest.mark.parametrize("begun", [False, True])
def test_an_abort_before_the_first_task_keeps_the_old_ones_up(begun):
    world = paused("PRE_SCALE_UP")
    if begun:
        calm(world)
    asked(world, "STOP_REQUESTED")
    calm(world)
    assert world.deployment().status == "STOPPED"
    world.report(world.live()[0], "STOPPED", exit_code=1)
    calm(world)
    assert len(of(world, "ecs-svc/1")) == 3 == len(world.live())


@pytest.mark.parametrize("begun", [False, True])
def test_a_rollback_before_the_first_task_touches_none(begun):
    world = paused("PRE_SCALE_UP")
    if begun:
        calm(world)
    before = {one.arn for one in world.live()}
    asked(world, "ROLLBACK_REQUESTED")
    world.settle()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"
    assert {one.arn for one in world.live()} == before
    assert len(world.tasks) == 3


def test_a_rollback_with_nowhere_to_go_fails():
    world = World(2)
    world.act()
    asked(world, "ROLLBACK_REQUESTED")
    world.act()
    failed = world.deployment()
    assert (failed.status, failed.rollout_state) == ("ROLLBACK_FAILED", "FAILED")
    assert failed.status_reason == (
        "Service deployment rolled back because it was requested. No deployment of the service has "
        "completed that it could go back to."
    )


@pytest.mark.parametrize("status", ["STOP_REQUESTED", "ROLLBACK_REQUESTED"])
def test_a_newer_deployment_comes_before_what_was_asked(status):
    world = half_way()
    asked(world, status)
    world.update()
    world.settle()
    assert world.deployment("ecs-svc/2").status == "STOPPED"
    assert world.deployment("ecs-svc/3").status == "SUCCESSFUL"


def test_what_is_asked_of_a_frozen_service_waits_for_the_thaw():
    world = half_way()
    frozen(world)
    asked(world, "ROLLBACK_REQUESTED")
    world.act()
    assert world.deployment().status == "ROLLBACK_REQUESTED"
    assert "the change takes effect then." in world.events[-1]
    world.freeze = None
    world.settle()
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"


def test_a_deleted_service_ends_what_was_asked():
    world = paused("PRE_SCALE_UP")
    calm(world)
    asked(world, "ROLLBACK_REQUESTED")
    world.service = evolve(world.service, status="DRAINING", desired_count=0)
    world.settle()
    ended = world.deployment("ecs-svc/2")
    assert (ended.status, ended.hooks[0].status) == ("STOPPED", "FAILED")


def test_two_rollbacks_to_the_same_deployment_end_together():
    """The second was asked for before the first had ended, and before its deployment had begun."""
    world = half_way()
    asked(world, "ROLLBACK_REQUESTED")
    world.act()
    world.update()
    asked(world, "ROLLBACK_REQUESTED")
    world.settle()
    assert [one.status for one in world.deployments] == [
        "SUCCESSFUL",
        "ROLLBACK_SUCCESSFUL",
        "ROLLBACK_SUCCESSFUL",
    ]


def test_a_rollback_ends_with_the_service():
    world = half_way()
    asked(world, "ROLLBACK_REQUESTED")
    world.act()
    world.service = evolve(world.service, status="DRAINING")
    world.act()
    world.serve()
    world.act()
    assert world.service.status == "INACTIVE"
    ended = world.deployment("ecs-svc/2")
    assert (ended.status, ended.finished_at) == ("ROLLBACK_FAILED", world.now)
