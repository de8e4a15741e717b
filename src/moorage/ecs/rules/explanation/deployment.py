"""Why a deployment is as it is: how it went, what failed, why it went back, what it waits for."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.circuit_breaker import threshold
from moorage.ecs.rules.explanation.waits import ID_LENGTH_SHOWN, ServiceCase, Wait, tasks, waits
from moorage.ecs.rules.task import ending
from moorage.ecs.rules.task.ending import Cause
from moorage.ecs.rules.task.stop import USER
from moorage.ground.instant import Instant
from moorage.ground.record import Record

FAILED_SHOWN = 5
_PLANNED = ("ServiceSchedulerInitiated",)
_BY_CHECKS = "Task failed container health checks"


class DeploymentCase(Record):
    """One deployment, its tasks that are remembered, and its service where that is live.

    `post_mortems` are by the tasks' ARNs; `others` are the service's deployments by their ids.
    """

    deployment: ServiceDeployment
    now: Instant
    tasks: tuple[Task, ...] = ()
    post_mortems: Mapping[str, PostMortem] = {}
    others: Mapping[str, ServiceDeployment] = {}
    service: ServiceCase | None = None

    @property
    def is_newest(self) -> bool:
        """Whether the service is brought to this deployment now."""
        return (
            self.service is not None and self.service.state.service.deployment == self.deployment.id
        )


class DeploymentExplanation(Record):
    """In one sentence, then how it went, oldest first, and what it waits for; `failed` by ARN."""

    headline: str
    causes: tuple[Cause, ...]
    waits: tuple[Wait, ...]
    failed: tuple[str, ...]
    running: int


def explain(case: DeploymentCase) -> DeploymentExplanation:
    """The explanation of one deployment."""
    failed = failures(case.tasks)
    chain = [*_course(case), *_failed(case, failed), *_verdict(case)]
    timed = sorted((one for one in chain if one.at is not None), key=lambda one: one.at or 0)
    running = sum(one.last_status == "RUNNING" for one in case.tasks)
    return DeploymentExplanation(
        headline=_headline(case, running, len(failed)),
        causes=(*timed, *(one for one in chain if one.at is None)),
        waits=tuple(_waits(case)),
        failed=tuple(one.arn for one in failed),
        running=running,
    )


def setback(case: DeploymentCase) -> Cause | None:
    """For who asks about the service: that it went back from this deployment, and what was wrong."""
    one = case.deployment
    if not one.rolled_back_to:
        return None
    worst = _failed(case, failures(case.tasks)[:1])
    why = worst[0].text if worst else one.rollback_reason
    return Cause(
        text=(
            f"It went back from its newest deployment {one.id} "
            f"({one.task_definition.rpartition('/')[2]}) to {one.rolled_back_to}. {why} "
            f"All of it: moorage explain deployment {one.id}"
        ),
        at=one.rollback_started_at,
    )


def failures(found: Sequence[Task]) -> list[Task]:
    """The tasks that stopped though nobody wanted that, or for their health checks; newest first."""
    ended = [
        one
        for one in found
        if one.is_stopped
        and (one.stop_code not in {*_PLANNED, USER} or one.stopped_reason == _BY_CHECKS)
    ]
    return sorted(ended, key=lambda one: (-(one.stopped_at or 0), one.arn))


def _headline(case: DeploymentCase, running: int, failed: int) -> str:
    one = case.deployment
    has = f"{running} of {one.desired_count} tasks run"
    trouble = f", {tasks(failed)} of it failed" if failed else ""
    what = f"Deployment {one.id} of service {one.service.rpartition('/')[2]}"
    word = _STATES.get(one.status, one.status)
    return f"{what} ({one.task_definition.rpartition('/')[2]}) {word}: {has}{trouble}."


def _course(case: DeploymentCase) -> list[Cause]:
    one = case.deployment
    causes = [
        Cause(
            text=f"It was made, to bring out {one.task_definition.rpartition('/')[2]} {one.desired_count} times.",
            at=one.created_at,
        )
    ]
    if one.started_at is not None:
        causes.append(Cause(text="The scheduler began with it.", at=one.started_at))
    first = min((task.started_at for task in case.tasks if task.started_at), default=None)
    if first is not None:
        causes.append(Cause(text="Its first task was RUNNING.", at=first))
    if one.rollback_of:
        origin = case.others.get(one.rollback_of)
        at = origin.rollback_started_at if origin is not None else None
        causes.append(
            Cause(text=f"The service went back to it, because {one.rollback_of} failed.", at=at)
        )
    return causes


def _failed(case: DeploymentCase, failed: Sequence[Task]) -> list[Cause]:
    causes = []
    for task in failed[:FAILED_SHOWN]:
        post_mortem = case.post_mortems.get(task.arn)
        ends = ending.container_causes(task, post_mortem)
        why = ending.wanted_by(task).text if not ends else ends[0].text
        causes.append(
            Cause(text=f"Task {task.id[:ID_LENGTH_SHOWN]} failed. {why}", at=task.stopped_at)
        )
    if len(failed) > FAILED_SHOWN:
        causes.append(Cause(text=f"{tasks(len(failed) - FAILED_SHOWN)} more failed before."))
    return causes


def _verdict(case: DeploymentCase) -> list[Cause]:
    """How it ended, or where it stands."""
    one, causes = case.deployment, list[Cause]()
    limit = threshold(one.desired_count, one.deployment_configuration)
    if one.breaker_triggered:
        causes.append(
            Cause(
                text=(
                    f"The circuit breaker tripped: {one.failed_tasks} failed tasks"
                    f"{f', and {limit} are enough' if limit else ''}."
                ),
                at=one.last_failure_at,
            )
        )
    if one.rolled_back_to:
        why = f" {one.rollback_reason}" if one.rollback_reason else ""
        causes.append(
            Cause(
                text=f"The service went back to deployment {one.rolled_back_to}.{why}",
                at=one.rollback_started_at,
            )
        )
    if one.status_reason and not one.rolled_back_to:
        causes.append(Cause(text=f"{one.status_reason}", at=one.finished_at))
    if one.finished_at is not None:
        causes.append(Cause(text=f"It was {one.status}.", at=one.finished_at))
    return causes


def _waits(case: DeploymentCase) -> list[Wait]:
    one = case.deployment
    if case.is_newest and case.service is not None:
        return waits(case.service)
    left = [task for task in case.tasks if not task.is_stopped]
    if not left:
        return []
    named = f"There is still {tasks(len(left))} of it"
    if one.rolled_back_to:
        return [Wait(text=f"{named}, until those of {one.rolled_back_to} have taken their place.")]
    return [Wait(text=f"{named}, until those of a newer deployment have taken their place.")]


_STATES: Mapping[str, str] = {
    "PENDING": "has not begun",
    "IN_PROGRESS": "is under way",
    "STOP_REQUESTED": "is to be stopped",
    "ROLLBACK_REQUESTED": "is to be rolled back",
    "SUCCESSFUL": "was brought out",
    "STOPPED": "was stopped",
    "ROLLBACK_IN_PROGRESS": "has failed and is being rolled back",
    "ROLLBACK_SUCCESSFUL": "failed and was rolled back",
    "ROLLBACK_FAILED": "failed, and so did going back",
}
