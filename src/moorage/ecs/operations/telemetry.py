"""What an agent publishes on its TCS websocket: health of containers, of its runtime, and metrics.

The acknowledgement of each is the channel's own business (`acs.telemetry.answer_to`): nothing is
said back here. Metrics touch no row at all, so they have no handler.
"""

from typing import get_args

from moorage.acs.messages import ServerMessage
from moorage.acs.telemetry import PublishHealthRequest, PublishInstanceStatusRequest
from moorage.ecs.records.task import Health
from moorage.ecs.rules.host.engine import CONTAINER_RUNTIME, engine_gone
from moorage.ecs.rules.task.health import observe_health
from moorage.ecs.store import container_instances, tasks
from moorage.ground.record import evolve
from moorage.kernel.call import Call

TASKS_MAX = 100
REASON_LENGTH_MAX = 512
RUNTIME_STATUSES = frozenset({"OK", "IMPAIRED", "INSUFFICIENT_DATA", "INITIALIZING"})
_HEALTHS: tuple[Health, ...] = get_args(Health)


def publish_health(
    call: Call, instance_arn: str, message: PublishHealthRequest
) -> tuple[ServerMessage, ...]:
    """Take in how containers feel; only what differs is written, and wakes the service."""
    told = (message.tasks or ())[:TASKS_MAX]
    known = tasks.named(call.tx, [one.task_arn for one in told if one.task_arn])
    for one in told:
        task = known.get(one.task_arn or "")
        if task is None or task.instance != instance_arn:
            continue
        found = {
            container.container_name or "": health
            for container in one.containers or ()
            for health in _HEALTHS
            if health == container.health_status
        }
        observed = observe_health(task, found)
        if observed.changed:
            known[task.arn] = tasks.write(call.tx, observed.task)
    return ()


def publish_instance_status(
    call: Call, instance_arn: str, message: PublishInstanceStatusRequest
) -> tuple[ServerMessage, ...]:
    """Take in how the container runtime is; shown with CONTAINER_INSTANCE_HEALTH.

    Nothing is placed on an IMPAIRED host. Mostly its engine is gone (`rules/host/engine.py`). That it has been gone
    for too long is the session's to say, which counts only time in which this server runs.
    """
    instance = container_instances.get(call.tx, instance_arn)
    if instance is None:
        return ()
    after = instance
    for one in message.statuses or ():
        known = one.type == CONTAINER_RUNTIME and one.status in RUNTIME_STATUSES
        reason = (one.status_reason or "")[:REASON_LENGTH_MAX] if one.status == "IMPAIRED" else ""
        if known and one.status != after.runtime_status:
            after = evolve(after, runtime_status=one.status, runtime_status_at=call.now)
        if known:
            after = evolve(after, runtime_reason=reason)
    gone = engine_gone(message)
    if gone is not None:
        since = instance.engine_gone_at or call.now
        after = evolve(after, engine_gone_at=since if gone else None)
    if after != instance:
        container_instances.write(call.tx, after)
    return ()
