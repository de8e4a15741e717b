"""How long a service waits before it starts another task, after starts that failed.

A task that never ran, or ran less than `start_failure_within`, counts as a failed start. The first
replacement starts at once, the next after 1, 2, 4 ... 300 s. Tasks that were started together and
fail together are one step. Trouble of hosts and engines, StopTask and scaling never count; five
minutes of running, or a new deployment, and all is forgotten.
"""

from collections.abc import Iterable

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.hosts import was_lost
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import Duration, Instant, between, later, seconds

DELAY_SECONDS_MAX = 300
# After so many failures in a row the service is said not to start tasks consistently.
FAILURES_SAID = 3
_OWN_ENDS = frozenset({"TaskFailedToStart", "EssentialContainerExited"})
# Reasons by which an agent says that its engine or its machine was the cause, not the container.
HOST_TROUBLE = (
    "DockerTimeoutError",
    "CannotInspectContainerError",
    "CannotGetDockerClientVersionError",
    "HostDeregistered",
    "HostError",
    "EngineError",
    "EngineLost",
    "Fenced",
    "ContainerEngineRestarted",
    "InternalError",
    "TaskStateError",
    "CannotCreateContainerError: the agent lost its records",
)


def failed_to_start(task: Task, conditions: Conditions) -> bool:
    """Whether a STOPPED task counts as a failed start.

    One that lived through a loss of its host does not: who knows what became of it there.
    """
    return failed_on_its_host(task, conditions) and not _host_trouble(task)


def failed_on_its_host(task: Task, conditions: Conditions) -> bool:
    """Whether a STOPPED task is a failed start, by its own fault or by that of its host."""
    if task.stop_code not in _OWN_ENDS or was_lost(task):
        return False
    return _ran(task) < conditions.start_failure_within


def delay(failures: int) -> Duration:
    """How long to wait after so many failed starts in a row."""
    if failures <= 1:
        return Duration(0)
    # The exponent is bounded before the power is taken.
    return seconds(min(DELAY_SECONDS_MAX, 2 ** min(failures - 2, DELAY_SECONDS_MAX.bit_length())))


def next_backoff(
    backoff: StartBackoff, tasks: Iterable[Task], conditions: Conditions, now: Instant
) -> StartBackoff:
    """What the service knows after these tasks of its newest deployment: live and just STOPPED."""
    known = backoff
    mine = list(tasks)
    if known.last_at is not None and any(
        _ran_well(task, known.last_at, conditions, now) for task in mine
    ):
        known = StartBackoff()
    failed = [
        task
        for task in mine
        if task.is_stopped and not task.judged and failed_to_start(task, conditions)
    ]
    if not any(known.last_at is None or task.created_at >= known.last_at for task in failed):
        return known
    failures = known.failures + 1
    return StartBackoff(failures=failures, until=later(now, delay(failures)), last_at=now)


def held_until(backoff: StartBackoff, now: Instant) -> Instant | None:
    """Until when nothing starts, or None where nothing holds starts back."""
    return backoff.until if backoff.until is not None and backoff.until > now else None


def _ran(task: Task) -> Duration:
    """How long it ran. Its end is its host's word, believed where it lies between ours.

    A host whose clock is wrong would else turn every crash into a long life, and nothing would ever
    be held back; or every long life into a crash.
    """
    began, told, known = task.started_at, task.execution_stopped_at, task.stopped_at
    if began is None:
        return Duration(0)
    if told is not None and began <= told and (known is None or told <= known):
        return between(began, told)
    return between(began, known) if known is not None else Duration(0)


def _ran_well(task: Task, since: Instant, conditions: Conditions, now: Instant) -> bool:
    """Whether a task that started after the last failure ran long enough to forget it."""
    if task.started_at is None or task.started_at < since:
        return False
    ran = _ran(task) if task.is_stopped else between(task.started_at, now)
    return ran >= conditions.start_backoff_reset


def _host_trouble(task: Task) -> bool:
    reasons = [one.reason or "" for one in task.containers if one.essential]
    return any(reason.startswith(HOST_TROUBLE) for reason in [task.stopped_reason or "", *reasons])
