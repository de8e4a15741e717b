"""Why tasks found no host, in ECS's words: failures of a call, and the sentence of an event."""

from collections import Counter
from collections.abc import Mapping, Sequence

from moorage.ecs.rules.placement.constraint import Obstacle, Reason
from moorage.ecs.rules.placement.place import Hindrance, Unplaced
from moorage.ground.record import Record

# How far a host came before it was refused, and what the event says of the one that came farthest.
_STAGES: tuple[tuple[Reason, str], ...] = (
    ("DRAINING", 'encountered error "DRAINING"'),
    ("AGENT", 'encountered error "AGENT"'),
    ("AVOIDED", "is avoided because too many tasks of the service failed there"),
    ("ATTRIBUTE", "is missing an attribute required by your task"),
    (
        "MemberOf placement constraint unsatisfied.",
        "does not satisfy a memberOf placement constraint of your task",
    ),
    (
        "DistinctInstance placement constraint unsatisfied.",
        "is already running a task that your task must not share it with",
    ),
    ("RESOURCE:GPU", "has insufficient GPU available"),
    ("RESOURCE:CPU", "has insufficient CPU units available"),
    ("RESOURCE:MEMORY", "has insufficient memory available"),
    ("RESOURCE:PORTS", "is already using a port required by your task"),
)
_STAGE_OF = {reason: stage for stage, (reason, _) in enumerate(_STAGES)}
_PHRASE_OF = dict(_STAGES)
_GIVEN_BACK: frozenset[Reason] = frozenset(
    {
        "DistinctInstance placement constraint unsatisfied.",
        "RESOURCE:GPU",
        "RESOURCE:CPU",
        "RESOURCE:MEMORY",
        "RESOURCE:PORTS",
    }
)
_UNPLACEABLE = (
    "was unable to place a task because no container instance met all of its requirements."
)
# Where a task looks for hosts, as the sentences name it.
CLUSTER = "cluster"
PROVIDER = "capacity provider"


class PlacementFailure(Record):
    """One entry of `failures[]`: the host's ARN (empty where there is none), reason and detail."""

    arn: str
    reason: str
    detail: str = ""


def failures(unplaced: Unplaced) -> list[PlacementFailure]:
    """One entry for each host, the commonest reason first; empty where all were placed.

    DRAINING hosts are no candidates: they are named only where there is no other host.
    """
    counts = tally(unplaced)
    ordered = sorted(
        _candidates(unplaced), key=lambda one: (-counts[one.obstacle.reason], one.instance)
    )
    return [
        PlacementFailure(arn=one.instance, reason=one.obstacle.reason, detail=one.obstacle.detail)
        for one in ordered
    ]


def tally(unplaced: Unplaced) -> Mapping[str, int]:
    """How many hosts each reason excluded, most common first."""
    counts = Counter[str](one.obstacle.reason for one in _candidates(unplaced))
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def sentence(service: str, unplaced: Unplaced, among: str = CLUSTER) -> str:
    """The service event: `(service X) was unable to place a task because ...`.

    It names the host that came farthest through the checks; among equals the one whose ARN sorts
    first, so that the same trouble makes the same sentence.
    """
    return f"(service {service}) {_UNPLACEABLE} {closest_match(unplaced, among)}"


def closest_match(unplaced: Unplaced, among: str = CLUSTER) -> str:
    """The end of that sentence, a sentence of its own: what the host lacks that came farthest.

    Where there is no host at all, it says so of `among`, what the task looks for hosts in.
    """
    closest = _closest(unplaced.hindrances)
    if closest is None or closest.obstacle.reason == "DRAINING":
        return f"Reason: No Container Instances were found in your {among}."
    name = closest.instance.rpartition("/")[2]
    return f"The closest matching (container-instance {name}) {_phrase(closest.obstacle)}."


def lacks_attribute(unplaced: Unplaced, name: str) -> bool:
    """Whether a host was refused for want of this attribute, and none came farther."""
    closest = _closest(unplaced.hindrances)
    return closest is not None and closest.obstacle == Obstacle(reason="ATTRIBUTE", detail=name)


def room_helps(unplaced: Unplaced) -> bool:
    """Whether a host lacks nothing but what a task that stops there would give back."""
    return any(one.obstacle.reason in _GIVEN_BACK for one in unplaced.hindrances)


def _phrase(obstacle: Obstacle) -> str:
    return _PHRASE_OF[obstacle.reason]


def _closest(hindrances: Sequence[Hindrance]) -> Hindrance | None:
    return min(
        hindrances,
        key=lambda one: (-_STAGE_OF[one.obstacle.reason], one.instance),
        default=None,
    )


def _candidates(unplaced: Unplaced) -> Sequence[Hindrance]:
    if not unplaced.count:
        return ()
    others = [one for one in unplaced.hindrances if one.obstacle.reason != "DRAINING"]
    return others or unplaced.hindrances
