"""Deployments that overlap, pause, stall and go back, over real rows and scripted hosts."""

import pytest

from moorage.ecs.operations.service_deployment_control import (
    continue_service_deployment,
    stop_service_deployment,
)
from moorage.ecs.store import service_revisions
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    DeploymentLifecycleHook,
)
from moorage.shapes.ecs.service_deployment import (
    ContinueServiceDeploymentRequest,
    StopServiceDeploymentRequest,
)
from tests.ecs.controllers.rig import Rig

BREAKER = DeploymentCircuitBreaker(enable=True, rollback=True)


def steady(rig: Rig, count: int = 3, **configuration) -> str:
    service = rig.serve(
        "web", count, rig.define("web"), configuration=DeploymentConfiguration(**configuration)
    )
    rig.settle()
    assert len(rig.running(service)) == count
    return service


def hooked(rig: Rig, service: str, *stages: str) -> None:
    """An update with a PAUSE hook, as UpdateService makes it."""
    hook = DeploymentLifecycleHook(target_type="PAUSE", lifecycle_stages=list(stages))
    known = rig.service(service).deployment_configuration
    rig.update(
        service,
        rig.define("web"),
        deployment_configuration=evolve(known, lifecycle_hooks=[hook]),
    )
    rig.settle()


def go_on(rig: Rig, service: str, action: str = "CONTINUE") -> None:
    primary = rig.primary(service)
    hook = next(one for one in primary.hooks if one.status == "AWAITING_ACTION")
    rig.house.run(
        continue_service_deployment,
        ContinueServiceDeploymentRequest(
            service_deployment_arn=primary.arn, hook_id=hook.id, action=action
        ),
    )
    rig.settle()


def revisions(rig: Rig, service: str) -> list[int]:
    return sorted(task.revision for task in rig.running(service))


@pytest.mark.parametrize(("minimum", "maximum"), [(100, 200), (50, 100), (50, 150)])
def test_updates_over_updates_stay_within_their_bounds(rig, minimum, maximum):
    desired = 4
    service = steady(rig, desired, minimum_healthy_percent=minimum, maximum_percent=maximum)
    low, high = -(-desired * minimum // 100), desired * maximum // 100

    def bounds(rig: Rig) -> None:
        assert len(rig.running(service)) >= low
        assert len(rig.live(service)) <= high

    rig.laws.append(bounds)
    hosts = list(rig.hosts.values())
    hosts[0].slow = True
    for _ in range(2):
        rig.update(service, rig.define("web"))
        rig.advance(1)
    newest, superseded, _ = rig.deployments(service)
    assert (newest.status, superseded.status) == ("IN_PROGRESS", "STOPPED")
    assert "newer deployment" in superseded.status_reason
    for _ in range(8):
        for one in hosts:
            one.finish(rig)
        rig.advance(60)
    hosts[0].slow = False
    rig.advance(60)
    assert revisions(rig, service) == [3] * desired
    assert [one.status for one in rig.deployments(service)] == [
        "SUCCESSFUL",
        "STOPPED",
        "SUCCESSFUL",
    ]


def test_while_an_update_is_paused_what_dies_is_replaced_as_it_was(rig):
    service = steady(rig, 3)
    hooked(rig, service, "PRE_SCALE_UP")
    host = next(one for one in rig.hosts.values() if one.running())
    host.kill(host.running()[0], rig)
    rig.settle()
    assert revisions(rig, service) == [1, 1, 1]
    known = rig.house.read(lambda call: service_revisions.of_service(call.tx, service))
    first = next(one for one in known if one.task_definition.endswith(":1"))
    assert {task.service_revision for task in rig.live(service)} == {first.arn}
    rig.restart()
    rig.settle()
    assert rig.primary(service).status == "IN_PROGRESS"
    go_on(rig, service)
    assert revisions(rig, service) == [2, 2, 2]
    assert rig.primary(service).status == "SUCCESSFUL"


@pytest.mark.parametrize(("action", "left"), [("CONTINUE", [2, 2]), ("ROLLBACK", [1, 1])])
def test_after_scale_up_both_revisions_run_until_someone_decides(rig, action, left):
    service = steady(rig, 2)
    before = {task.arn for task in rig.live(service)}
    hooked(rig, service, "POST_SCALE_UP")
    assert revisions(rig, service) == [1, 1, 2, 2]
    assert rig.primary(service).lifecycle_stage == "POST_SCALE_UP"
    go_on(rig, service, action)
    assert revisions(rig, service) == left
    newest = rig.deployments(service)[0]
    assert newest.status == {"CONTINUE": "SUCCESSFUL", "ROLLBACK": "ROLLBACK_SUCCESSFUL"}[action]
    if action == "ROLLBACK":
        assert {task.arn for task in rig.live(service)} == before, "what ran was never touched"
    assert [one.id for one in rig.deployments(service) if one.open] == [rig.primary(service).id]


def test_a_pause_that_nobody_ends_rolls_back_after_a_day(rig):
    service = steady(rig, 2)
    hooked(rig, service, "PRE_SCALE_UP")
    rig.advance(24 * 3600 - 1)
    assert rig.primary(service).status == "IN_PROGRESS"
    rig.advance(2)
    newest = rig.deployments(service)[0]
    assert (newest.status, newest.hooks[0].status) == ("ROLLBACK_SUCCESSFUL", "TIMED_OUT")
    assert revisions(rig, service) == [1, 1]


def test_a_rollback_on_request_returns_half_way(rig):
    service = steady(rig, 4, minimum_healthy_percent=50, maximum_percent=100)
    hosts = list(rig.hosts.values())
    for one in hosts:
        one.slow = True
    rig.update(service, rig.define("web"))
    rig.settle()
    for one in hosts:
        one.finish(rig)
    rig.settle()
    asked = StopServiceDeploymentRequest(service_deployment_arn=rig.primary(service).arn)
    rig.house.run(stop_service_deployment, asked)
    for _ in range(6):
        rig.advance(30)
        for one in hosts:
            one.finish(rig)
    rig.advance(60)
    assert revisions(rig, service) == [1] * 4
    assert rig.deployments(service)[0].status == "ROLLBACK_SUCCESSFUL"
    assert "rolling back to deployment" in " ".join(rig.events(service))


def test_a_service_without_hosts_stalls_and_starts_when_one_joins(bare):
    rig = bare
    service = rig.serve("web", 2, rig.define("web"))
    rig.advance(601)
    failed = rig.primary(service)
    assert (failed.rollout_state, failed.status, failed.stalled) == ("FAILED", "STOPPED", True)
    assert failed.rollout_reason.endswith(
        "failed: it got nowhere for 10 minutes, because no container instance can take 2 tasks "
        "that it still needs."
    )
    rig.host("late")
    rig.settle()
    assert len(rig.running(service)) == 2
    assert rig.primary(service).rollout_state == "COMPLETED"


def test_an_image_that_is_pulled_for_too_long_goes_back(rig):
    service = steady(rig, 2, deployment_circuit_breaker=BREAKER)
    for one in rig.hosts.values():
        one.slow = True
    rig.update(service, rig.define("web"))
    rig.advance(599)
    assert rig.primary(service).status == "IN_PROGRESS"
    rig.advance(2)
    for one in rig.hosts.values():
        one.slow = False
        one.finish(rig)
    rig.settle()
    assert revisions(rig, service) == [1, 1]
    newest = rig.deployments(service)[0]
    assert newest.status == "ROLLBACK_SUCCESSFUL"
    assert "did not start to run" in newest.rollback_reason
    assert not newest.breaker_triggered


def test_what_gets_on_in_time_has_no_deadline_left(rig):
    service = steady(rig, 1)
    for one in rig.hosts.values():
        one.slow = True
    rig.update(service, rig.define("web"))
    rig.advance(300)
    began = rig.primary(service).progress
    assert began.at <= Instant(rig.house.clock.now() - 300_000_000)
    rig.advance(299)
    for one in rig.hosts.values():
        one.slow = False
        one.finish(rig)
    rig.advance(3600)
    assert rig.primary(service).status == "SUCCESSFUL"
    assert rig.primary(service).progress is None
