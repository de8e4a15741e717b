"""Writes docs/reference/states.md: the tables of transitions, drawn from the code.

python tools/diagrams.py            writes the page
python tools/diagrams.py --check    fails where the page is stale
"""

import sys
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from moorage.agent.engine import transitions
from moorage.ecs.rules.capacity import machine
from moorage.ecs.rules.deployment import status as deployment
from moorage.ecs.rules.task import status
from moorage.ground.machine import Transitions
from pages import publish

_S = TypeVar("_S", bound=Hashable)
Moves = Mapping[_S, frozenset[_S]]

HEAD = """# States

<!-- Written by `make diagrams` from the tables of transitions; not by hand. -->

Where a longer way is drawn, the short cuts along it are left out of the figure.
"""
FIGURES: tuple[tuple[str, str, Transitions[Any]], ...] = (
    (
        "A task's lastStatus",
        "As the control plane shows it; a status never comes back.",
        status.TABLE,
    ),
    (
        "A service deployment's status",
        "As DescribeServiceDeployments shows it; a newer deployment ends an older one.",
        deployment.TABLE,
    ),
    (
        "A rolling deployment's lifecycleStage",
        "Where it may be paused, and what passes in one look where it has no hooks.",
        deployment.STAGES,
    ),
    (
        "A machine of a pool",
        "As `moorage pool` shows it; one that vanished is made again under its name.",
        machine.TABLE,
    ),
    (
        "A container on its host",
        "As the agent's engine keeps it. Moves back are seen by nobody else.",
        transitions.TABLE,
    ),
)


def drawn(moves: Moves[_S]) -> list[tuple[_S, _S]]:
    """The arrows of the figure: all moves, without those that other arrows lead to as well."""
    return [
        (before, after)
        for before, afters in moves.items()
        for after in sorted(afters, key=list(moves).index)
        if not any(
            after in moves[middle] and before not in reachable(moves, middle)
            for middle in afters - {after}
        )
    ]


def reachable(moves: Moves[_S], start: _S) -> set[_S]:
    """Every state that some way leads to from `start`."""
    found: set[_S] = set()
    queue = [start]
    while queue:
        news = moves[queue.pop()] - found
        found |= news
        queue.extend(news)
    return found


def figure(title: str, sentence: str, table: Transitions[Any]) -> str:
    """A section with one figure."""
    arrows = [f"    {before} --> {after}" for before, after in drawn(table.moves)]
    first, ends = next(iter(table.moves)), [s for s, after in table.moves.items() if not after]
    lines = [f"    [*] --> {first}", *arrows, *(f"    {end} --> [*]" for end in ends)]
    return "\n".join(
        [f"## {title}", "", sentence, "", "```mermaid", "stateDiagram-v2", *lines, "```"]
    )


def page() -> str:
    """The whole page."""
    return "\n\n".join([HEAD.rstrip(), *(figure(*parts) for parts in FIGURES)]) + "\n"


if __name__ == "__main__":
    sys.exit(publish({"states.md": page()}))
