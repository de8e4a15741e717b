"""Every sentence of service events, and which of them are said again."""

from collections.abc import Sequence

from moorage.ecs.records.event import ServiceEvent
from moorage.ground.instant import Duration, Instant, between, hours, iso

EVENTS_MAX = 100
MUTED_FOR: Duration = hours(6)
IDS_SHOWN_MAX = 20


def started(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has started N tasks: (task ID) (task ID).`."""
    return f"(service {service}) has started {len(task_ids)} tasks: {_shown(task_ids)}."


def stopped(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has stopped N running tasks: (task ID).`."""
    return f"(service {service}) has stopped {len(task_ids)} running tasks: {_shown(task_ids)}."


def unhealthy(service: str, task_id: str) -> str:
    """`(service X) (task ID) failed container health checks.`."""
    return f"(service {service}) (task {task_id}) failed container health checks."


def steady(service: str) -> str:
    """`(service X) has reached a steady state.`."""
    return f"(service {service}) has reached a steady state."


def deployment_completed(service: str, deployment: str) -> str:
    """`(service X) (deployment ecs-svc/N) deployment completed.`."""
    return f"(service {service}) (deployment {deployment}) deployment completed."


def deployment_failed(service: str, deployment: str) -> str:
    """`(service X) (deployment ecs-svc/N) deployment failed: tasks failed to start.`."""
    return (
        f"(service {service}) (deployment {deployment}) deployment failed: tasks failed to start."
    )


def rolling_back(service: str, deployment: str) -> str:
    """`(service X) rolling back to deployment ecs-svc/N.`."""
    return f"(service {service}) rolling back to deployment {deployment}."


def inconsistent(service: str) -> str:
    """`(service X) is unable to consistently start tasks successfully.`."""
    return f"(service {service}) is unable to consistently start tasks successfully."


def stuck(service: str) -> str:
    """No move is possible within the deployment's percentages."""
    return (
        f"(service {service}) was unable to stop or start tasks during a deployment because of the "
        "service deployment configuration. Update the minimumHealthyPercent or maximumPercent "
        "value and try again."
    )


def rollout_in_progress(deployment: str, failures: int = 0, until: Instant | None = None) -> str:
    """The rolloutStateReason of a deployment under way; after failed starts, when the next try is."""
    start = f"ECS deployment {deployment} in progress."
    if until is None:
        return start
    return f"{start} {failures} starts failed in a row; the next try is at {iso(until)}."


def rollout_completed(deployment: str) -> str:
    """The rolloutStateReason of a deployment that is done."""
    return f"ECS deployment {deployment} completed."


def rollout_failed(deployment: str) -> str:
    """The rolloutStateReason of a deployment whose circuit breaker tripped."""
    return f"ECS deployment {deployment} failed: tasks failed to start."


def rollout_rolling_back(deployment: str) -> str:
    """The rolloutStateReason of the deployment that a circuit breaker goes back to."""
    return f"ECS deployment circuit breaker: rolling back to deploymentId {deployment}."


def admitted(sentences: Sequence[str], recent: Sequence[ServiceEvent], now: Instant) -> list[str]:
    """The sentences that are said: the same one is muted for 6 h, or until its cause is gone.

    `recent` are the service's newest events, the newest first. A steady state ends every trouble:
    what was said before it may be said again; it is said again itself once anything has happened
    since, or after 6 h.
    """
    said: list[str] = []
    for sentence in sentences:
        if sentence not in said and not _muted(sentence, recent, now, fresh=bool(said)):
            said.append(sentence)
    return said


def _muted(sentence: str, recent: Sequence[ServiceEvent], now: Instant, *, fresh: bool) -> bool:
    if _is_steady(sentence):
        newest = recent[0] if recent and not fresh else None
        return newest is not None and newest.message == sentence and _lately(newest, now)
    for event in recent[:EVENTS_MAX]:
        if _is_steady(event.message) or not _lately(event, now):
            return False
        if event.message == sentence:
            return True
    return False


def _is_steady(sentence: str) -> bool:
    return sentence.endswith(" has reached a steady state.")


def _lately(event: ServiceEvent, now: Instant) -> bool:
    return between(event.created_at, now) < MUTED_FOR


def _shown(task_ids: Sequence[str]) -> str:
    shown = " ".join(f"(task {identity})" for identity in task_ids[:IDS_SHOWN_MAX])
    more = len(task_ids) - IDS_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown
