"""In which order hosts are offered: spread, binpack, random, chained up to five."""

from collections.abc import Sequence

from moorage.ecs.rules.refusal import Refusal
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy

STRATEGIES_MAX = 5
CONSTRAINTS_MAX = 10


def refuse_strategies(strategies: Sequence[PlacementStrategy]) -> Refusal | None:
    """Why these strategies cannot be asked for, or None."""
    raise NotImplementedError


def refuse_constraints(constraints: Sequence[PlacementConstraint]) -> Refusal | None:
    """Why these constraints cannot be asked for (an expression that does not parse), or None."""
    raise NotImplementedError


def draws(strategies: Sequence[PlacementStrategy]) -> bool:
    """Whether `Batch.numbers` are needed: one strategy is `random`."""
    raise NotImplementedError
