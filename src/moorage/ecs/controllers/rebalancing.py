"""The balance of a cluster: which tasks should move is planned here, each service begins its own.

One look plans for all services at once, so that the budget of the cluster is kept in one place.
Looked at when a host has settled, a service has become steady, or a person asks; and later again
where something stood in the way that nobody will tell of.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.rebalancing import ClusterRebalancing, Relocation
from moorage.ecs.rules import rebalancing_events as sentences
from moorage.ecs.rules.deployment.state import soonest
from moorage.ecs.rules.rebalancing.plan import Move, Outcome, Question, Stay
from moorage.ecs.store import clusters, rebalances, services, sights
from moorage.ecs.store.announcements import announce
from moorage.ground.arn import parse_arn
from moorage.ground.instant import Duration, Instant, later, minutes
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

# At the latest, where the rules name a time that is over.
LOOK_AFTER: Duration = minutes(1)


@controller(kind=rebalances.KIND, keys=rebalances.every)
def rebalancing(turn: Turn, key: str) -> Instant | None:
    """Plan the next moves of one cluster; answers when time alone may bring about more."""
    arn = parse_arn(key)
    assert arn is not None, f"{key} was woken as a cluster"
    cluster = clusters.get(turn.tx, arn.account, arn.region, arn.name)
    if cluster is None or cluster.status != "ACTIVE":
        rebalances.forget(turn.tx, arn.account, arn.region, arn.name)
        return None
    moves_max = turn.site.rebalance_moves_max
    if not moves_max:
        return None
    known = rebalances.get(turn.tx, cluster.account, cluster.region, cluster.name)
    known = known or _fresh(cluster)
    due = later(known.looked_at, rebalances.gap(turn.tx, cluster.arn))
    if turn.now < due:
        return due
    asked = rebalances.is_asked(known, turn.now)
    settling = Duration(0) if asked else turn.site.rebalance_settling
    only = known.asked_services if asked else ()
    question = Question(now=turn.now, moves_max=moves_max, pause=turn.site.rebalance_pause)
    found = sights.foresee(turn.tx, cluster.arn, question, settling, only).outcome
    _hand_over(turn, found.moves)
    moving = {one.case.service.arn for one in found.moves}
    _conclude(turn, [one for one in found.stays if one.case.service.arn not in moving])
    goes_on = asked and _goes_on(turn, found)
    rebalances.note(
        turn.tx,
        evolve(
            known,
            looked_at=turn.now,
            asked_at=known.asked_at if goes_on else None,
            asked_services=known.asked_services if goes_on else (),
        ),
    )
    return _look_again(turn, found, again=asked and bool(only) and not goes_on)


def _fresh(cluster: Cluster) -> ClusterRebalancing:
    return ClusterRebalancing(
        account=cluster.account, region=cluster.region, cluster=cluster.name, looked_at=Instant(0)
    )


def _hand_over(turn: Turn, moves: Sequence[Move]) -> None:
    """Each service is given its moves, to begin them in its own turn."""
    by_service: dict[str, list[Move]] = {}
    for move in moves:
        by_service.setdefault(move.case.service.arn, []).append(move)
    for arn, mine in sorted(by_service.items()):
        service = services.get(turn.tx, arn)
        assert service is not None, f"{arn} went within a turn"
        planned = tuple(
            Relocation(
                task=one.step.task.arn,
                instance=one.step.target,
                kind=one.step.kind,
                why=one.step.why,
            )
            for one in mine
        )
        known = evolve(service.rebalancing, planned=planned)
        services.write(turn.tx, evolve(service, rebalancing=known))


def _conclude(turn: Turn, stays: Iterable[Stay]) -> None:
    """Say which rebalancings are over, and of zones that lack room; a service rests from then on.

    `stays` are of services that were handed no move: with one, nothing of them is over.
    """
    for stay in stays:
        service = stay.case.service
        if not stay.looked:
            continue
        if service.rebalancing.since is not None:
            over = evolve(service.rebalancing, since=None, zones=False)
            services.note(turn.tx, evolve(service, rebalancing=over))
            _say_over(turn, stay)
        if stay.held_zones:
            held = partial(sentences.zone_protected, deployment=service.deployment)
            announce(turn.tx, (service.arn,), held)
        for zone in stay.short_zones:
            announce(turn.tx, (service.arn,), partial(sentences.zone_without_room, zone=zone))


def _say_over(turn: Turn, stay: Stay) -> None:
    service = stay.case.service
    if service.rebalancing.zones and not (stay.short_zones or stay.held_zones):
        announce(turn.tx, (service.arn,), partial(sentences.zone_balanced, zones=stay.zones))
    elif service.rebalancing.zones:
        announce(turn.tx, (service.arn,), sentences.zones_stopped)
    elif stay.balanced:
        announce(turn.tx, (service.arn,), sentences.spread_out)


def _goes_on(turn: Turn, found: Outcome) -> bool:
    """Whether what a person asked for is not done yet: moves begin, or are under way."""
    cases: Mapping[str, bool] = {
        one.case.service.arn: one.case.service.rebalancing.since is not None and not one.looked
        for one in found.stays
    }
    soon = later(turn.now, turn.site.rebalance_pause)
    rests = any(
        not one.looked and one.until is not None and one.until <= soon for one in found.stays
    )
    return bool(found.moves) or any(cases.values()) or rests


def _look_again(turn: Turn, found: Outcome, *, again: bool) -> Instant | None:
    """When time alone may change the answer; at once where others waited for what was asked."""
    if again:
        return later(turn.now, rebalances.LOOK_GAP)
    at = soonest([found.look_again])
    return at if at is None or at > turn.now else later(turn.now, LOOK_AFTER)
