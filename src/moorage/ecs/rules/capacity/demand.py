"""How many hosts more the tasks that wait would need: a lower bound, by shape, as ECS takes it.

Tasks that ask for the same are packed onto empty hosts of the pool's size; the group that needs
most says how many. What the hosts that are there can take already is not counted.
"""

from collections.abc import Iterable

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.record import Record

# More tasks of one kind than this fit on no host: a task that asks for nothing at all is bounded.
FITTING_MAX = 1_000


class Waiting(Record):
    """`count` tasks that ask for the same and have no host."""

    wants: Wants
    count: int


def fitting(wants: Wants, host: Resources) -> int:
    """How many such tasks an empty host takes; 0 where it takes none."""
    needs = wants.needs
    if set(needs.ports) & set(host.ports) or set(needs.ports_udp) & set(host.ports_udp):
        return 0
    alone = wants.distinct or needs.ports or needs.ports_udp
    bounds = [
        has // takes
        for has, takes in (
            (host.cpu, needs.cpu),
            (host.memory, needs.memory),
            (host.gpus, needs.gpus),
        )
        if takes
    ]
    return min([*bounds, 1 if alone else FITTING_MAX])


def more_hosts(waiting: Iterable[Waiting], view: ClusterView, host: Resources | None) -> int | None:
    """How many empty hosts of the size `host` are needed besides those of `view`.

    None where some wait and no host of the pool was ever seen, so that its size is not known.
    Tasks that would fit on no host of the pool ask for none: more of them would not help.
    """
    most = 0
    for one in waiting:
        placed = place(Batch(wants=one.wants, count=one.count), view)
        view = view.with_promises(one.wants.needs, one.wants.group, placed.chosen)
        left = placed.unplaced.count
        if not left:
            continue
        if host is None:
            return None
        fits = fitting(one.wants, host)
        most = max(most, -(-left // fits) if fits else 0)
    return most
