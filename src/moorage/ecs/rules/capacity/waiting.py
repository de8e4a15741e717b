"""The sentences of tasks that wait for room, and the decision which of them find some."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.explain import PROVIDER, closest_match
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Duration, in_seconds
from moorage.ground.record import Record

# The stop code of a task that never ran.
FAILED = "TaskFailedToStart"


class Found(Record):
    """Hosts (ARNs) for waiting tasks by their ARNs; and the reasons of those that go on waiting."""

    places: Mapping[str, str]
    reasons: Mapping[str, str]


def limit_reached(most: int) -> str:
    """What a call is told that would let too many tasks wait."""
    return (
        "You've reached the limit on the number of tasks that can be in the PROVISIONING state in "
        f"this cluster: {most}. Wait until some have started, or raise provisioning_tasks in the "
        "settings of the server."
    )


def gave_up(provider: str, waited: Duration, reason: str) -> str:
    """The stoppedReason of a task that found no room in time."""
    return (
        f"Capacity is unavailable at this time: the task waited {in_seconds(waited):.0f} s in "
        f"PROVISIONING for room on the capacity provider {provider}. {reason}"
    )


def find_room(waiting: Sequence[tuple[Task, Wants]], view: ClusterView) -> Found:
    """Hosts for tasks that wait, first come first served; who does not fit stops nobody behind.

    Those that ask for the same, one after the other, are one batch, and the hosts of a provider are
    told from the others once: a call that brings hundreds costs little more than one task. The
    random numbers that a strategy `random` draws are the tasks' own ids: as good as any, and the
    same at each attempt.
    """
    places: dict[str, str] = {}
    reasons: dict[str, str] = {}
    full: dict[str, str] = {}
    views: dict[str, ClusterView] = {}
    for (key, _), run in groupby(waiting, key=_asked):
        alike = list(run)
        arns = [task.arn for task, _ in alike]
        if key in full:  # another that asks for the same found nothing, and nothing was given back
            reasons.update(dict.fromkeys(arns, full[key]))
            continue
        first, wants = alike[0]
        assert first.provisioning is not None, "only what waits looks for room"
        provider = first.capacity_provider
        hosts = views[provider] if provider in views else view.of_provider(provider)
        batch = Batch(
            wants=wants,
            count=len(alike),
            strategies=tuple(first.provisioning.placement_strategy),
            numbers=tuple(int(task.id[:8], 16) for task, _ in alike),
        )
        placed = place(batch, hosts)
        views[provider] = hosts.with_promises(wants.needs, wants.group, placed.chosen)
        places.update(zip(arns, placed.chosen, strict=False))
        if placed.unplaced.count:
            full[key] = closest_match(placed.unplaced, PROVIDER)
            reasons.update(dict.fromkeys(arns[len(placed.chosen) :], full[key]))
    return Found(places=places, reasons=reasons)


def _asked(one: tuple[Task, Wants]) -> tuple[str, str]:
    """What a task asks for, and in which order hosts are to be offered to it."""
    task, wants = one
    assert task.provisioning is not None, "only what waits looks for room"
    return repr((task.capacity_provider, wants)), repr(task.provisioning.placement_strategy)
