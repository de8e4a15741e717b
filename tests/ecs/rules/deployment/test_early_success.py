"""Early success criteria: when a deployment is done before all of its tasks are."""

import pytest

from moorage.ecs.rules.deployment.configuration import refuse_full
from moorage.ecs.rules.deployment.early_success import enough, goal
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentConfiguration,
    DeploymentEarlySuccessCriteria,
)
from tests.ecs.rules.builders import a_configuration, a_deployment
from tests.ecs.rules.deployment.test_hooks import a_hook
from tests.ecs.rules.deployment.world import World


def criteria(percent=50, cleanup="DEFERRED", *, enable=True):
    return DeploymentEarlySuccessCriteria(
        enable=enable, healthy_percent=percent, source_service_revision_cleanup=cleanup
    )


def updating(cleanup, percent=50, desired=4, minimum=50, maximum=200) -> World:
    """A steady service, and an update of it with early success criteria."""
    world = World(desired, minimum, maximum)
    world.settle()
    world.configuration = evolve(
        world.configuration, early_success_criteria=criteria(percent, cleanup)
    )
    world.update()
    world.act()
    return world


def of(world: World, identity: str) -> list:
    return [one for one in world.live() if one.deployment == identity]


def run(world: World, count: int) -> None:
    """So many of the new tasks run and settle."""
    for task in of(world, "ecs-svc/2")[:count]:
        world.report(task, "RUNNING")
    world.wait(10)
    world.act()


@pytest.mark.parametrize(
    ("early", "minimum", "said"),
    [
        (None, 100, None),
        (criteria(), 50, None),
        (criteria(0), 0, None),
        (criteria(100), None, None),
        (criteria(99), None, "below minimumHealthyPercent"),
        (criteria(49), 50, "below minimumHealthyPercent"),
        (criteria(49, enable=False), 50, None),
        (criteria(None), 50, "needs healthyPercent"),
        (criteria(50, None), 50, "needs healthyPercent"),
        (criteria(50, "LATER"), 50, "LATER"),
        (criteria(101), 50, "between 0 and 100"),
        (criteria(-1, enable=False), 0, "between 0 and 100"),
    ],
)
def test_what_is_refused(early, minimum, said):
    full = DeploymentConfiguration(minimum_healthy_percent=minimum, early_success_criteria=early)
    refusal = refuse_full(full)
    assert (refusal is None) is (said is None)
    assert refusal is None or said in refusal.message


@pytest.mark.parametrize(
    ("early", "desired", "least", "aim"),
    [
        (None, 4, None, 4),
        (criteria(enable=False), 4, None, 4),
        (criteria(90), 100, 90, 90),
        (criteria(50), 3, 2, 2),
        (criteria(0), 3, 0, 0),
        (criteria(100), 3, 3, 3),
    ],
)
def test_percentages_are_rounded_up(early, desired, least, aim):
    configuration = evolve(a_configuration(), early_success_criteria=early)
    deployment = a_deployment(deployment_configuration=configuration)
    assert enough(deployment, desired) == least
    assert goal(deployment, desired) == aim


def test_deferred_is_done_at_once_and_old_tasks_go_after():
    world = updating("DEFERRED")
    run(world, 1)
    assert world.deployment().rollout_state == "IN_PROGRESS"
    run(world, 2)
    assert (world.deployment().status, world.deployment().rollout_state) == (
        "SUCCESSFUL",
        "COMPLETED",
    )
    assert world.deployment("ecs-svc/1").open
    old = of(world, "ecs-svc/1")
    assert {one.desired_status for one in old} == {"STOPPED"}, "all of them, at half of the new"
    assert "reached a steady state" not in world.events[-1]
    world.settle()
    assert len(world.live()) == 4
    said = [
        one for one in world.events if one.endswith("(deployment ecs-svc/2) deployment completed.")
    ]
    assert len(said) == 1


def test_blocking_is_done_when_the_old_tasks_are_gone():
    world = updating("BLOCKING")
    run(world, 2)
    assert world.deployment().rollout_state == "IN_PROGRESS"
    old = of(world, "ecs-svc/1")
    assert {one.desired_status for one in old} == {"STOPPED"}
    for task in old:
        world.report(task, "STOPPED", exit_code=0)
    world.act()
    assert world.deployment().status == "SUCCESSFUL"
    assert len(of(world, "ecs-svc/2")) == 4
    assert world.service.steady_at is None, "two of its tasks still start"


def test_what_fails_after_success_trips_no_breaker():
    world = World(4, 50, 200, breaker={"enable": True, "rollback": True})
    world.settle()
    world.configuration = evolve(world.configuration, early_success_criteria=criteria())
    world.update()
    world.act()
    run(world, 2)
    assert world.deployment().status == "SUCCESSFUL"
    for _ in range(30):
        for task in of(world, "ecs-svc/2"):
            if task.last_status == "PENDING":
                world.report(task, "STOPPED", reason="CannotPullContainerError: gone")
        world.wait(30)
        world.act()
    assert world.service.deployment == "ecs-svc/2"
    assert world.deployment().status == "SUCCESSFUL"


def test_the_minimum_holds_where_it_was_raised_meanwhile():
    world = updating("DEFERRED")
    raised = evolve(world.service.deployment_configuration, minimum_healthy_percent=100)
    world.service = evolve(world.service, deployment_configuration=raised)
    run(world, 2)
    assert len([one for one in of(world, "ecs-svc/1") if one.desired_status == "RUNNING"]) >= 2
    world.settle()


def test_a_hook_after_scale_up_comes_before_success():
    world = World(4, 50, 200)
    world.settle()
    world.configuration = evolve(
        world.configuration,
        early_success_criteria=criteria(),
        lifecycle_hooks=[a_hook("POST_SCALE_UP", minutes=5, action="CONTINUE")],
    )
    world.update()
    world.act()
    run(world, 2)
    assert world.deployment().lifecycle_stage == "POST_SCALE_UP"
    assert world.deployment().status == "IN_PROGRESS"
    assert len([one for one in of(world, "ecs-svc/1") if one.desired_status == "RUNNING"]) == 4
    world.now = world.deployment().hooks[0].expires_at
    world.act()
    assert world.deployment().status == "SUCCESSFUL"
    assert not [one for one in of(world, "ecs-svc/1") if one.desired_status == "RUNNING"]


def test_success_is_noted_in_words_and_once():
    world = updating("DEFERRED", percent=100)
    run(world, 4)
    world.settle()
    assert world.deployment().rollout_reason == "ECS deployment ecs-svc/2 completed."
