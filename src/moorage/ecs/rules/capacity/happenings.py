"""What the timeline tells of the machines of pools: ordered, made, failed, no longer needed, gone."""

from collections.abc import Mapping

from moorage.ecs.records.happening import Happening
from moorage.ecs.records.machine import Machine

# What is told of a machine in each status; of one whose host has joined that tells.
_MACHINES: Mapping[str, tuple[str, str]] = {
    "CREATING": ("machine-ordered", "it is to be made."),
    "JOINING": ("machine-made", "its source has made it, and its host is to join."),
    "JOINED": ("", ""),
    "RETIRING": ("machine-retiring", "it is no longer needed; its host is drained first."),
    "DESTROYING": ("machine-ending", "it is to be unmade."),
    "GONE": ("machine-gone", "its source has it no more."),
}


def of_machine(before: Machine | None, after: Machine | None) -> list[Happening]:
    """A machine of a pool was ordered (`before` None), moved on, or is gone (`after` None)."""
    one = after or before
    assert one is not None, "a machine was or is"
    if before is not None and after is not None and before.status == after.status:
        return []
    kind, text = _MACHINES["GONE" if after is None else after.status]
    if not kind:
        return []
    why = f" {after.reason}" if after is not None and after.reason else ""
    return [_of_machine(one, kind, f"{text}{why}")]


def of_failed_machine(machine: Machine, reason: str) -> Happening:
    """A machine could not be made or unmade, or its host did not join."""
    return _of_machine(machine, "machine-failed", reason)


def _of_machine(machine: Machine, kind: str, text: str) -> Happening:
    return Happening(
        cluster=machine.cluster_arn,
        kind=kind,
        text=f"{machine.name} of the pool {machine.pool}: {text}",
        instance=machine.instance,
    )
