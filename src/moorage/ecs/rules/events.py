"""Every sentence of service events, and which of them are said again."""

from collections.abc import Sequence

from moorage.ecs.records.event import ServiceEvent
from moorage.ground.instant import Duration, Instant, hours

EVENTS_MAX = 100
MUTED_FOR: Duration = hours(6)
IDS_SHOWN_MAX = 10


def started(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has started N tasks: (task ID) (task ID).`."""
    raise NotImplementedError


def stopped(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has stopped N running tasks: (task ID).`."""
    raise NotImplementedError


def steady(service: str) -> str:
    """`(service X) has reached a steady state.`."""
    return f"(service {service}) has reached a steady state."


def deployment_completed(service: str, deployment: str) -> str:
    """`(service X) (deployment ecs-svc/N) deployment completed.`."""
    raise NotImplementedError


def deployment_failed(service: str, deployment: str) -> str:
    """`(service X) (deployment ecs-svc/N) deployment failed: tasks failed to start.`."""
    raise NotImplementedError


def rolling_back(service: str, deployment: str) -> str:
    """`(service X) rolling back to deployment ecs-svc/N.`."""
    raise NotImplementedError


def inconsistent(service: str) -> str:
    """`(service X) is unable to consistently start tasks successfully.`."""
    raise NotImplementedError


def stuck(service: str) -> str:
    """No move is possible within the deployment's percentages."""
    raise NotImplementedError


def admitted(sentences: Sequence[str], recent: Sequence[ServiceEvent], now: Instant) -> list[str]:
    """The sentences that are said: the same one is muted for 6 h.

    `recent` are the service's newest events, the newest first.
    """
    raise NotImplementedError
