"""When a task counts towards minimumHealthyPercent.

With a health check: when it is HEALTHY. Without any: once it has been RUNNING for the settling
time. This delays the stopping of old tasks, COMPLETED and the steady state, never runningCount.
"""

from enum import IntEnum

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import Record


class Standing(IntEnum):
    """How well a task does, the worst first; only HEALTHY ones count towards the minimum."""

    NOT_RUNNING = 0
    UNHEALTHY = 1
    UNSETTLED = 2
    HEALTHY = 3


class Verdict(Record):
    """A task's standing; at `until` time alone changes it (None: only a report does)."""

    standing: Standing
    until: Instant | None = None


def judge(task: Task, grace_seconds: int, conditions: Conditions, now: Instant) -> Verdict:
    """How a task does now; `grace_seconds` is the service's healthCheckGracePeriodSeconds.

    Within the grace period an UNHEALTHY task is one that has not settled yet.
    """
    if task.last_status != "RUNNING":
        return Verdict(standing=Standing.NOT_RUNNING)
    since = task.started_at if task.started_at is not None else task.created_at
    if not task.has_health_check:
        settled_at = later(since, conditions.settle)
        if settled_at <= now:
            return Verdict(standing=Standing.HEALTHY)
        return Verdict(standing=Standing.UNSETTLED, until=settled_at)
    if task.health == "HEALTHY":
        return Verdict(standing=Standing.HEALTHY)
    if task.health == "UNKNOWN":
        return Verdict(standing=Standing.UNSETTLED)
    graced_until = later(since, seconds(grace_seconds))
    if graced_until > now:
        return Verdict(standing=Standing.UNSETTLED, until=graced_until)
    return Verdict(standing=Standing.UNHEALTHY)
