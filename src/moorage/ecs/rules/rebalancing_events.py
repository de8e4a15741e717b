"""The sentences of service events that tell of rebalancing; those on zones are ECS's own.

They are muted like all others (`events.admitted`).
"""

from collections.abc import Sequence


def not_zone_balanced(service: str, zones: Sequence[tuple[str, int]]) -> str:
    """ECS's sentence where the rebalancing of zones begins; `zones` with how many tasks each has."""
    return (
        f"(service {service}) is not AZ balanced with {_zones(zones)}. AZ Rebalancing in progress."
    )


def zone_balanced(service: str, zones: Sequence[tuple[str, int]]) -> str:
    """ECS's sentence where the rebalancing of zones is complete."""
    return f"(service {service}) is AZ balanced with {_zones(zones)}."


def zone_started(service: str, zone: str, task_id: str) -> str:
    """ECS's sentence for a task that starts in the zone with the fewest tasks."""
    return f"(service {service}) has started 1 tasks in {zone} to AZ Rebalance: (task {task_id})."


def zone_stopped(service: str, zone: str, task_id: str) -> str:
    """ECS's sentence for a task that stops in the zone with the most tasks."""
    return (
        f"(service {service}) has stopped 1 running tasks in {zone} due to AZ rebalancing: "
        f"(task {task_id})."
    )


def zone_without_room(service: str, zone: str) -> str:
    """ECS's sentence where no host of the zone with the fewest tasks can take one more."""
    return (
        f"(service {service}) is unable to place a task in {zone} because no container instance "
        "met all of its requirements."
    )


def zone_protected(service: str, deployment: str) -> str:
    """ECS's sentence where no task of the fullest zone may stop, since all are protected."""
    return (
        f"(service {service}) was unable to AZ Rebalance because (deployment {deployment}) was unable "
        "to scale in due to task protection."
    )


def zones_stopped(service: str) -> str:
    """ECS's sentence where the rebalancing of zones ends before they are balanced."""
    return f"(service {service}) stopped AZ Rebalancing."


def moving(service: str, task_id: str, why: str, successor_id: str) -> str:
    """A task is being moved to another host; `why` names both hosts."""
    return f"(service {service}) moves (task {task_id}) {why}: (task {successor_id}) starts first."


def moved(service: str, task_id: str, source: str, target: str, successor_id: str) -> str:
    """A task was moved to another host."""
    return (
        f"(service {service}) has moved a task from the host {source} to the host {target}: "
        f"(task {successor_id}) has settled, and (task {task_id}) is stopped."
    )


def move_failed(service: str, task_id: str, successor_id: str, why: str) -> str:
    """A successor failed, or did not settle in time; the task that was to move stays."""
    how = f"stopped: {why.rstrip('.')}" if why else "has not become healthy, or was stopped"
    return (
        f"(service {service}) (task {task_id}) stays where it is: (task {successor_id}), which was to "
        f"take its place on another host, {how}. Nothing of the service is moved for a while."
    )


def spread_out(service: str) -> str:
    """The rebalancing of hosts is complete."""
    return f"(service {service}) is spread over its hosts again: its rebalancing is complete."


def _zones(zones: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count} tasks in {zone}" for zone, count in zones)
