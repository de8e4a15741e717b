"""Stories of deployments that are paused: who is kept meanwhile, and what comes after."""

import pytest

from moorage.ecs.rules.deployment import hooks
from moorage.ecs.rules.deployment.state import StartOrder
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentCircuitBreaker
from tests.ecs.rules.deployment.test_hooks import a_hook
from tests.ecs.rules.deployment.world import World


def paused(*stages: str, desired=3, minimum=100, maximum=200, **more) -> World:
    """A steady service, and an update of it that is paused at the first of the stages."""
    hook = a_hook(*stages, **more)
    world = World(desired, minimum, maximum)
    world.settle()
    world.configuration = evolve(world.configuration, lifecycle_hooks=[hook])
    world.update()
    return world


def go_on(world: World, status: str = "SUCCEEDED") -> None:
    """What ContinueServiceDeployment notes for the hook that waits."""
    primary = world.deployment()
    (hook,) = hooks.awaited(primary)
    world.change_deployment(hooks.answered(primary, hook.id, status))


def of(world: World, identity: str) -> list:
    return [one for one in world.live() if one.deployment == identity]


def calm(world: World, rounds: int = 5) -> None:
    for _ in range(rounds):
        world.act()
        world.serve()
        world.wait(11)
    world.act()


def test_without_hooks_all_stages_are_passed():
    world = World(2)
    world.act()
    assert world.deployment().lifecycle_stage == "SCALE_UP"
    world.settle()
    assert world.deployment().lifecycle_stage == "CLEAN_UP"


def test_before_scale_up_the_old_tasks_are_kept_and_replaced():
    world = paused("PRE_SCALE_UP")
    old = {one.arn for one in world.live()}
    calm(world)
    primary = world.deployment()
    assert (primary.status, primary.lifecycle_stage) == ("IN_PROGRESS", "PRE_SCALE_UP")
    assert "is paused at PRE_SCALE_UP by the lifecycle hook ecs-pause-" in primary.rollout_reason
    assert sum("is paused at PRE_SCALE_UP" in one for one in world.events) == 1
    assert {one.arn for one in world.live()} == old
    world.report(world.live()[0], "STOPPED", exit_code=1)
    plan = world.act()
    assert plan.start == (StartOrder(deployment="ecs-svc/1", count=1),), "as it was before"
    calm(world)
    assert len(of(world, "ecs-svc/1")) == 3
    world.service = evolve(world.service, desired_count=4)
    calm(world)
    assert len(of(world, "ecs-svc/1")) == 4, "also where the service is scaled meanwhile"
    assert world.deployment("ecs-svc/1").open
    assert world.deployment().rollout_state == "IN_PROGRESS"
    go_on(world)
    world.settle()
    assert len(of(world, "ecs-svc/2")) == 4 == len(world.live())
    assert world.deployment().status == "SUCCESSFUL"
    assert world.deployment().keeps == ""


def test_a_source_that_is_scaled_to_none_stays_open_while_it_is_kept():
    world = paused("PRE_SCALE_UP")
    world.service = evolve(world.service, desired_count=0)
    calm(world)
    assert world.live() == []
    assert world.deployment("ecs-svc/1").open
    world.service = evolve(world.service, desired_count=2)
    calm(world)
    assert len(of(world, "ecs-svc/1")) == 2


def test_the_first_deployment_is_paused_with_nothing_to_keep():
    configuration = {"lifecycle_hooks": [a_hook("PRE_SCALE_UP")]}
    world = World(2, configuration=configuration)
    calm(world)
    assert world.live() == []
    assert world.deployment().keeps == ""
    go_on(world)
    world.settle()
    assert len(world.live()) == 2


def test_two_other_revisions_are_brought_together_first():
    world = World(3, 100, 200)
    world.settle()
    world.update()
    world.act()
    world.configuration = evolve(
        world.configuration, lifecycle_hooks=[a_hook("RECONCILE_SERVICE", "PRE_SCALE_UP")]
    )
    world.update()
    world.act()
    assert world.deployment().lifecycle_stage == "RECONCILE_SERVICE"
    assert world.deployment().keeps == "ecs-svc/1", "the last that was COMPLETED"
    world.act()
    assert world.deployment("ecs-svc/2").status == "STOPPED"
    calm(world)
    assert {one.deployment for one in world.live()} == {"ecs-svc/1"}
    assert len(world.live()) == 3
    go_on(world)
    world.act()
    assert world.deployment().lifecycle_stage == "PRE_SCALE_UP"
    go_on(world)
    world.settle()
    assert {one.deployment for one in world.live()} == {"ecs-svc/3"}


def test_one_other_revision_needs_no_reconciling():
    world = paused("RECONCILE_SERVICE")
    world.settle()
    assert world.deployment().hooks == ()


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "kept"),
    [(4, 100, 200, 4), (4, 100, 150, 2), (4, 50, 100, 0), (1, 0, 100, 0), (4, 100, 125, 1)],
)
def test_after_scale_up_as_many_old_tasks_stay_as_the_percentages_allow(
    desired, minimum, maximum, kept
):
    world = paused("POST_SCALE_UP", desired=desired, minimum=minimum, maximum=maximum)
    calm(world, 20)
    assert world.deployment().lifecycle_stage == "POST_SCALE_UP"
    assert (len(of(world, "ecs-svc/1")), len(of(world, "ecs-svc/2"))) == (kept, desired)
    assert world.deployment().rollout_state == "IN_PROGRESS"
    assert world.service.steady_at is None
    world.report(of(world, "ecs-svc/2")[0], "STOPPED", exit_code=1)
    calm(world)
    assert len(of(world, "ecs-svc/2")) == desired, "what fails meanwhile is replaced"
    go_on(world)
    world.settle()
    assert len(world.live()) == desired


def test_old_tasks_that_are_kept_still_leave_a_draining_host():
    world = paused("POST_SCALE_UP", desired=2)
    calm(world)
    assert len(world.live()) == 4
    for one in of(world, "ecs-svc/1"):
        world.drain(world.hosts[one.instance].name)
    calm(world)
    assert len(of(world, "ecs-svc/1")) == 0
    assert len(of(world, "ecs-svc/2")) == 2


def test_every_hook_of_a_stage_is_waited_for():
    world = paused("PRE_SCALE_UP")
    extra = [*world.configuration.lifecycle_hooks, a_hook("PRE_SCALE_UP", minutes=5)]
    configuration = evolve(world.configuration, lifecycle_hooks=extra)
    world.change_deployment(evolve(world.deployment(), deployment_configuration=configuration))
    world.act()
    first, second = hooks.awaited(world.deployment())
    world.change_deployment(hooks.answered(world.deployment(), second.id, "SUCCEEDED"))
    world.act()
    assert hooks.awaited(world.deployment()) == [first]
    assert world.deployment().lifecycle_stage == "PRE_SCALE_UP"
    go_on(world)
    world.act()
    assert world.deployment().lifecycle_stage == "SCALE_UP"


@pytest.mark.parametrize(("action", "ends"), [("CONTINUE", "ecs-svc/2"), ("ROLLBACK", "ecs-svc/1")])
@pytest.mark.parametrize("stage", ["PRE_SCALE_UP", "POST_SCALE_UP"])
def test_a_hook_that_nobody_answers_runs_out_of_time(stage, action, ends):
    world = paused(stage, minutes=5, action=action)
    calm(world)
    (hook,) = hooks.awaited(world.deployment())
    assert world.act().look_again == hook.expires_at
    world.now = hook.expires_at
    world.act()
    world.settle()
    assert {one.deployment for one in world.live()} == {ends}
    updated = world.deployment("ecs-svc/2")
    assert [one.status for one in updated.hooks] == ["TIMED_OUT"]
    if action == "ROLLBACK":
        assert updated.status == "ROLLBACK_SUCCESSFUL"
        assert updated.lifecycle_stage == stage
        assert updated.rollback_reason == (
            f"Service deployment rolled back because the lifecycle hook {hook.id} at {stage} was "
            "not answered in time."
        )
    else:
        assert updated.status == "SUCCESSFUL"


def test_a_first_deployment_that_times_out_has_nowhere_to_go():
    world = World(2, configuration={"lifecycle_hooks": [a_hook("PRE_SCALE_UP", minutes=1)]})
    world.act()
    world.wait(60)
    calm(world)
    assert world.deployment().status == "ROLLBACK_FAILED"
    assert world.deployment().status_reason.endswith("that it could go back to.")
    assert world.live() == []


def test_a_newer_deployment_takes_the_place_of_a_paused_one():
    world = paused("PRE_SCALE_UP")
    world.act()
    world.configuration = evolve(world.configuration, lifecycle_hooks=[])
    world.update()
    world.settle()
    left = world.deployment("ecs-svc/2")
    assert (left.status, left.hooks[0].status, left.open) == ("STOPPED", "FAILED", False)
    assert world.deployment().status == "SUCCESSFUL"


def test_a_rollback_waits_at_no_hook():
    world = World(2, configuration={"lifecycle_hooks": [a_hook("POST_SCALE_UP")]})
    calm(world)
    go_on(world)
    world.settle()
    world.update()
    calm(world)
    world.change_deployment(evolve(world.deployment(), status="ROLLBACK_REQUESTED"))
    world.settle()
    assert world.service.deployment == "ecs-svc/1"
    assert world.deployment("ecs-svc/2").status == "ROLLBACK_SUCCESSFUL"
    assert [one.status for one in world.deployment("ecs-svc/2").hooks] == ["FAILED"]


def test_the_time_of_a_hook_is_its_own():
    """Neither the progress deadline nor the back-off end a pause."""
    world = paused("PRE_SCALE_UP")
    calm(world)
    world.wait(3600)
    world.act()
    assert world.deployment().status == "IN_PROGRESS"
    go_on(world)
    world.act()
    assert world.act().look_again <= later(world.now, minutes(10))
    assert world.deployment().status == "IN_PROGRESS"


def test_failures_of_what_is_kept_are_not_the_new_deployments():
    world = paused("PRE_SCALE_UP", desired=1)
    breaker = DeploymentCircuitBreaker(enable=True, rollback=True)
    configuration = evolve(world.configuration, deployment_circuit_breaker=breaker)
    world.change_deployment(evolve(world.deployment(), deployment_configuration=configuration))
    for _ in range(6):
        world.act()
        for task in world.live():
            world.report(task, "STOPPED", exit_code=1)
        world.wait(20)
    world.act()
    assert world.service.backoff.failures > 3
    assert world.deployment().failed_tasks == 0
    assert world.deployment().status == "IN_PROGRESS"
    go_on(world)
    world.act()
    assert world.act().start == (StartOrder(deployment="ecs-svc/2", count=1),), "at once"
