"""What the engines themselves remember of a service's containers: where, from when, until when.

`Watch` looks again and again and may miss a moment; an engine writes down the moment at which each
container began and ended. All machines of a lab have one clock, so that these can be compared.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tests.lab.lab import Lab

FAMILY = "com.amazonaws.ecs.task-definition-family"
NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Life:
    """One container of a task: epoch seconds; `ended` is None as long as it runs."""

    host: str
    container: str
    task: str
    began: float
    ended: float | None

    def runs_at(self, moment: float) -> bool:
        """Whether it ran then."""
        return self.began <= moment and (self.ended is None or moment < self.ended)


def lives(lab: Lab, *families: str) -> list[Life]:
    """All containers of these families (default: of all) that were ever started, the first first."""
    found = []
    for host in lab.hosts:
        for container, task in host.engine.tasks(ended=True).items():
            told = host.engine.told(f"/containers/{container}/json")
            state, family = told["State"], told["Config"]["Labels"][FAMILY]
            if (not families or family in families) and state["StartedAt"] != NEVER:
                ended = None if state["Running"] else _epoch(state["FinishedAt"])
                found.append(Life(host.name, container, task, _epoch(state["StartedAt"]), ended))
    return sorted(found, key=lambda one: one.began)


def least(found: Iterable[Life], since: float) -> int:
    """How many ran at the moment, from `since` on, at which the fewest did."""
    known = list(found)
    moments = {since, *(one.ended for one in known if one.ended is not None and one.ended > since)}
    return min(sum(one.runs_at(moment) for one in known) for moment in moments)


def started(found: Iterable[Life], since: float) -> Counter[str]:
    """How many began since a moment, by host."""
    return Counter(one.host for one in found if one.began > since)


def ended(found: Iterable[Life], since: float) -> Counter[str]:
    """How many ended since a moment, by host."""
    return Counter(one.host for one in found if one.ended is not None and one.ended > since)


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
