"""Places the tasks of one batch on the hosts of several providers, as a strategy shares them out."""

from collections.abc import Callable, Mapping, Sequence

from moorage.ecs.rules.capacity.strategy import shares
from moorage.ecs.rules.placement.place import Batch, Placements, Unplaced, place
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem


class Shared(Record):
    """What each provider's hosts took, in the order of the strategy's answer.

    `placements` are by provider; `order` names the provider of each task of the batch.
    """

    order: tuple[str, ...]
    placements: Mapping[str, Placements]

    @property
    def wanting(self) -> dict[str, int]:
        """For how many tasks there was no room, by provider."""
        found = {name: placed.unplaced.count for name, placed in self.placements.items()}
        return {name: count for name, count in found.items() if count}

    @property
    def placed(self) -> Placements:
        """All of them as one: hosts in the order of the batch, and why the rest found none."""
        left = {name: list(placed.chosen) for name, placed in self.placements.items()}
        chosen = [left[name].pop(0) for name in self.order if left[name]]
        unplaced = [placed.unplaced for placed in self.placements.values()]
        return Placements(
            chosen=tuple(chosen),
            unplaced=Unplaced(
                count=sum(one.count for one in unplaced),
                hindrances=tuple(why for one in unplaced for why in one.hindrances),
            ),
        )


def share(
    batch: Batch,
    strategy: Sequence[CapacityProviderStrategyItem],
    counted: Mapping[str, int],
    view: ClusterView,
    placer: Callable[[Batch, ClusterView], Placements] = place,
) -> Shared:
    """Place a batch by a strategy; `counted` are the tasks that each provider has already.

    A provider without room gives nothing on to another: the strategy is what was asked for.
    """
    order = shares(strategy, counted, batch.count)
    placements: dict[str, Placements] = {}
    drawn = 0
    for name in dict.fromkeys(order):
        count = order.count(name)
        numbers = batch.numbers[drawn : drawn + count]
        drawn += count
        placed = placer(evolve(batch, count=count, numbers=numbers), view.of_provider(name))
        placements[name] = placed
    return Shared(order=order, placements=placements)
