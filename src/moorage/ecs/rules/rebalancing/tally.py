"""How the services of a cluster lie on its hosts, counted from what each live task was promised.

That is enough to see that nothing would be better elsewhere; the tasks themselves, which are large
and many, are only read where something might be.
"""

from collections import Counter
from collections.abc import Mapping

from moorage.ecs.rules.placement.view import Claim
from moorage.ground.record import Record


class Tally(Record):
    """Counts of a cluster's live tasks, those alone that are of services.

    `totals` are by host, of those that stay: not of those that stop, or are about to. `on` are all,
    by the group of the service, then by host. `moves` are the successors whose moves are under way,
    what they replace still runs, by group.
    """

    totals: Mapping[str, int] = {}
    on: Mapping[str, Mapping[str, int]] = {}
    moves: Mapping[str, int] = {}


def tally(claims: Mapping[str, Claim]) -> Tally:
    """Count the live tasks of a cluster, by their ARNs."""
    replaced = {one.replaces for one in claims.values() if one.replaces}
    totals = Counter[str]()
    moves = Counter[str]()
    on: dict[str, dict[str, int]] = {}
    for arn, one in claims.items():
        if not one.of_service:
            continue
        mine = on.get(one.group)
        if mine is None:
            mine = on[one.group] = {}
        mine[one.instance] = mine.get(one.instance, 0) + 1
        if not one.stays:
            continue
        if arn not in replaced:
            totals[one.instance] += 1
        if one.replaces:
            origin = claims.get(one.replaces)
            moves[one.group] += origin is not None and origin.stays
    return Tally(totals=totals, on=on, moves=moves)
