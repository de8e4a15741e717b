"""Why tasks found no host, in ECS's words: failures of a call, and the sentence of an event."""

from collections.abc import Mapping

from moorage.ecs.rules.placement.place import Unplaced
from moorage.ground.record import Record


class PlacementFailure(Record):
    """One entry of `failures[]`: the host's ARN (empty where there is none), reason and detail."""

    arn: str
    reason: str
    detail: str = ""


def failures(unplaced: Unplaced) -> list[PlacementFailure]:
    """One entry for each host, the commonest reason first; empty where all were placed."""
    raise NotImplementedError


def tally(unplaced: Unplaced) -> Mapping[str, int]:
    """How many hosts each reason excluded, most common first."""
    raise NotImplementedError


def sentence(service: str, unplaced: Unplaced) -> str:
    """The service event: `(service X) was unable to place a task because ...`."""
    raise NotImplementedError
