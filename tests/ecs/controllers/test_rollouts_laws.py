"""Whatever people and hosts do to deployments, the next plain update is brought out whole."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.ecs.operations.service_deployment_control import (
    continue_service_deployment,
    stop_service_deployment,
)
from moorage.ecs.store import service_revisions
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentLifecycleHook
from moorage.shapes.ecs.faults import ConflictException, InvalidParameterException
from moorage.shapes.ecs.service_deployment import (
    ContinueServiceDeploymentRequest,
    StopServiceDeploymentRequest,
)
from tests.ecs.controllers.test_deployments_laws import Story

STEERING = (
    "hold before",
    "hold after",
    "go on",
    "go back",
    "roll back",
    "abort",
    "kill",
    "lose",
    "connect",
    "scale up",
    "wait",
    "restart",
    "settle",
)


class SteeredStory(Story):
    """A story in which people pause, continue and stop deployments."""

    def happen(self, what: str, number: int) -> None:
        ours = {
            "hold before": lambda: self.hold("RECONCILE_SERVICE", "PRE_SCALE_UP"),
            "hold after": lambda: self.hold("POST_SCALE_UP"),
            "go on": lambda: self.answer("CONTINUE"),
            "go back": lambda: self.answer("ROLLBACK"),
            "roll back": lambda: self.stop("ROLLBACK"),
            "abort": lambda: self.stop("ABORT"),
        }
        if what in ours:
            ours[what]()
        else:
            super().happen(what, number)

    def hold(self, *stages: str) -> None:
        """An update that is paused at some stages; at none, a plain one."""
        hook = DeploymentLifecycleHook(target_type="PAUSE", lifecycle_stages=list(stages))
        known = self.rig.service(self.service).deployment_configuration
        self.version += 1
        self.rig.advance(1)  # no two deployments begin at the same moment
        self.rig.update(
            self.service,
            self.rig.define("web", f"demo:{self.version}"),
            deployment_configuration=evolve(known, lifecycle_hooks=[hook] if stages else []),
        )
        self.rig.settle()

    def answer(self, action: str) -> None:
        primary = self.rig.primary(self.service)
        for hook in primary.hooks:
            asked = ContinueServiceDeploymentRequest(
                service_deployment_arn=primary.arn, hook_id=hook.id, action=action
            )
            self.ask(continue_service_deployment, asked)

    def stop(self, kind: str) -> None:
        arn = self.rig.primary(self.service).arn
        asked = StopServiceDeploymentRequest(service_deployment_arn=arn, stop_type=kind)
        self.ask(stop_service_deployment, asked)

    def ask(self, operation, request) -> None:
        """Ask what may be refused: it depends on what happened before."""
        with suppress(ConflictException, InvalidParameterException):
            self.rig.house.run(operation, request)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(STEERING), st.integers(0, 60)), max_size=14))
def test_the_next_plain_update_is_brought_out_whole(steering):
    story = SteeredStory()
    try:
        for what, number in steering:
            story.happen(what, number)
        story.hold()
        story.calm()
        rig, service = story.rig, story.service
        assert [task.revision for task in rig.running(service)] == [story.version] * story.desired
        assert len(rig.live(service)) == story.desired
        primary = rig.primary(service)
        assert (primary.rollout_state, primary.status) == ("COMPLETED", "SUCCESSFUL")
        assert [one.id for one in rig.deployments(service) if one.open] == [primary.id]
        assert all(one.finished_at is not None for one in rig.deployments(service))
        claimed = rig.house.read(
            lambda call: service_revisions.claimed_of_service(call.tx, service)
        )
        assert [one.arn for one in claimed] == [primary.revision]
    finally:
        story.rig.house.close()
