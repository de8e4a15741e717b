"""Draws a host for each task of a batch of identical tasks; never over-promises a host.

Feasibility first, once for each host; then hosts are drawn in the order of the strategies, and
only the host that was drawn is looked at again. Why a host refuses is asked only where tasks are
left over.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain as chain_of
from itertools import islice, repeat

from moorage.ecs.rules.placement.constraint import Obstacle, Wants, obstacle
from moorage.ecs.rules.placement.eligible import (
    again,
    counted_on,
    nearest,
    spread_by,
    with_room,
)
from moorage.ecs.rules.placement.strategy import Offers, levels
from moorage.ecs.rules.placement.view import ClusterView, HostLoad, promised
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.placement import PlacementStrategy


class Batch(Record):
    """`count` tasks that ask for the same.

    `numbers` are as many random whole numbers (0 to 2**32 - 1) as tasks, made by the caller's
    Chance; only the strategy `random` draws on them (see `strategy.draws`). `counted` are the
    tasks on each host (by its ARN) that spreads balance; None counts the tasks of the group. A
    rolling deployment gives those of the newest deployment, so that what stays is balanced.
    """

    wants: Wants
    count: int
    strategies: tuple[PlacementStrategy, ...] = ()
    numbers: tuple[int, ...] = ()
    counted: Mapping[str, int] | None = None


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

    The length of `chosen` and `unplaced.count` always add up to the batch's count.
    """

    chosen: tuple[str, ...]
    unplaced: Unplaced


def place(batch: Batch, view: ClusterView) -> Placements:
    """A host for each task of the batch, as its strategies prefer; promises add up within it."""
    wants = batch.wants
    chain = levels(batch.strategies)
    counted = counted_on(view, wants.group, batch.counted)
    found = nearest(wants, batch.count, chain, view, counted)
    if found is None:
        found = with_room(wants, view) if batch.count else []
    arns = [load.instance.arn for load in found]
    offers = Offers(chain, found, wants.needs)
    prefixes = spread_by(chain, view)
    for arn, tasks in counted.items():
        offers.count(prefixes[arn], tasks)
    on_host = {at: counted[arn] for at, arn in enumerate(arns) if arn in counted} if counted else {}
    offers.begin([prefixes[arn] for arn in arns], on_host)
    fits = again(wants)
    now: dict[int, HostLoad] = {}
    chosen: list[str] = []
    for number in islice(chain_of(batch.numbers, repeat(0)), batch.count):
        drawn = offers.take(number)
        if drawn is None:
            break
        chosen.append(arns[drawn])
        if fits is None:
            continue
        load = now[drawn] = promised(now.get(drawn, found[drawn]), wants.needs, wants.group)
        if fits(load):
            offers.again(drawn)
    return Placements(
        chosen=tuple(chosen), unplaced=_unplaced(batch.count - len(chosen), wants, view, chosen)
    )


def place_around(batch: Batch, view: ClusterView) -> Placements:
    """`place`, where avoided hosts take what no other host can take.

    What is unplaced then is so for other reasons than that hosts are avoided.
    """
    first = place(batch, view)
    left, wants = first.unplaced.count, batch.wants
    if not left or not wants.avoided:
        return first
    rest = evolve(
        batch,
        wants=evolve(wants, avoided={}),
        count=left,
        numbers=batch.numbers[len(first.chosen) :],
        counted=_with_chosen(batch, first.chosen),
    )
    second = place(rest, view.with_promises(wants.needs, wants.group, first.chosen))
    return Placements(chosen=(*first.chosen, *second.chosen), unplaced=second.unplaced)


def place_on(wants: Wants, instances: tuple[str, ...], view: ClusterView) -> Placements:
    """StartTask: one task on each named instance, or why not; no strategy chooses.

    An instance that is not in the view is left out: the caller answers MISSING for it.
    """
    loads = dict(view.hosts)
    hindrances: list[Hindrance] = []
    chosen: list[str] = []
    for arn in instances:
        load = loads.get(arn)
        if load is None:
            continue
        found = obstacle(wants, load)
        if found is None:
            chosen.append(arn)
            loads[arn] = promised(load, wants.needs, wants.group)
        else:
            hindrances.append(Hindrance(instance=arn, obstacle=found))
    return Placements(
        chosen=tuple(chosen),
        unplaced=Unplaced(count=len(hindrances), hindrances=tuple(hindrances)),
    )


def _with_chosen(batch: Batch, chosen: Iterable[str]) -> Mapping[str, int] | None:
    if batch.counted is None:
        return None
    counted = Counter(batch.counted)
    counted.update(chosen)
    return counted


def _unplaced(count: int, wants: Wants, view: ClusterView, chosen: Sequence[str]) -> Unplaced:
    """Why each host cannot take one more such task, now that those on `chosen` are placed."""
    if not count:
        return Unplaced(count=0)
    hosts = view.with_promises(wants.needs, wants.group, chosen).hosts
    found = ((arn, obstacle(wants, load)) for arn, load in sorted(hosts.items()))
    return Unplaced(
        count=count,
        hindrances=tuple(
            Hindrance(instance=arn, obstacle=why) for arn, why in found if why is not None
        ),
    )
