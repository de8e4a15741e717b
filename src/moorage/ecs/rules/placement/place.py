"""Draws a host for each task of a batch of identical tasks; never over-promises a host."""

from moorage.ecs.rules.placement.constraint import Obstacle, Wants
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.record import Record
from moorage.shapes.ecs.placement import PlacementStrategy


class Batch(Record):
    """`count` tasks that ask for the same.

    `numbers` are as many random whole numbers (0 to 2**32 - 1) as tasks, made by the caller's
    Chance; only the strategy `random` draws on them (see `strategy.draws`).
    """

    wants: Wants
    count: int
    strategies: tuple[PlacementStrategy, ...] = ()
    numbers: tuple[int, ...] = ()


class Hindrance(Record):
    """One host and why it cannot take one more task of the batch."""

    instance: str
    obstacle: Obstacle


class Unplaced(Record):
    """How many tasks found no host, and why each host could not take them."""

    count: int
    hindrances: tuple[Hindrance, ...] = ()


class Placements(Record):
    """`chosen` holds an instance's ARN for each placed task, in order; the rest is `unplaced`.

    `chosen` followed by `unplaced.count` always adds up to the batch's count.
    """

    chosen: tuple[str, ...]
    unplaced: Unplaced


def place(batch: Batch, view: ClusterView) -> Placements:
    """A host for each task of the batch, as its strategies prefer; promises add up within it."""
    raise NotImplementedError


def place_on(wants: Wants, instances: tuple[str, ...], view: ClusterView) -> Placements:
    """StartTask: one task on each named instance, or why not; no strategy chooses.

    An instance that is not in the view is left out: the caller answers MISSING for it.
    """
    raise NotImplementedError
