"""What the engine's container records say in the agent's own words. Pure."""

from moorage.agent.engine.labels import LABEL_CONTAINER, LABEL_TASK_ARN
from moorage.agent.records.container import Exit, Health, ObservedContainer, PortBinding
from moorage.agent.records.image import ObservedImage
from moorage.agent.runtime import port

_RUNNING = frozenset(("running", "paused", "restarting"))
_ENDED = frozenset(("exited", "dead", "removing"))
_HEALTH = {"healthy": Health.HEALTHY, "unhealthy": Health.UNHEALTHY}
MESSAGE_LENGTH_MAX = 1024


def exit_of(container: port.Container) -> Exit | None:
    """How the container's last run ended; None while it runs, or where it never ran."""
    if container.status not in _ENDED or container.started_at is None:
        return None
    return Exit(
        exit_code=container.exit_code,
        finished_at=container.finished_at or container.started_at,
        out_of_memory=container.oom_killed,
        started_at=container.started_at,
    )


def bindings_of(container: port.Container) -> tuple[PortBinding, ...]:
    """The published ports, IPv4 and IPv6 as they come."""
    return tuple(
        PortBinding(
            bind_ip=binding.host_address,
            container_port=binding.container_port,
            host_port=binding.host_port,
            protocol=binding.protocol,
        )
        for binding in container.ports
    )


def health_of(status: port.Health) -> Health:
    """The verdict of a health check as ECS spells it."""
    return _HEALTH.get(status, Health.UNKNOWN)


def message_of(container: port.Container) -> str | None:
    """The last output of the health check, if there was any."""
    return container.health.output.strip()[:MESSAGE_LENGTH_MAX] or None


def observe(container: port.Container) -> ObservedContainer | None:
    """The container as the agent's engine sees it; None where its labels name no task."""
    task_arn = container.labels.get(LABEL_TASK_ARN, "")
    name = container.labels.get(LABEL_CONTAINER, "")
    if not task_arn or not name:
        return None
    return ObservedContainer(
        runtime_id=container.id,
        name=container.name,
        task_arn=task_arn,
        container=name,
        running=container.status in _RUNNING,
        labels=container.labels,
        exit=exit_of(container),
        started_at=container.started_at,
        bindings=bindings_of(container),
        health=health_of(container.health.status),
        health_since=container.health.checked_at,
        health_message=message_of(container),
        unread=container.unread,
    )


def observe_image(facts: port.ImageFacts) -> ObservedImage:
    """An image with all its names and digests."""
    return ObservedImage(
        image_id=facts.id,
        references=(*facts.references, *facts.digests),
        size_bytes=facts.size_bytes,
    )
