"""The table of rebalancings, one row a cluster that was looked at; and all that one look sees."""

from collections.abc import Collection, Iterable

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.rebalancing import ClusterRebalancing
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.rules.freeze import holds
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ecs.rules.rebalancing.case import Case, standstill
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ecs.rules.rebalancing.plan import under_way
from moorage.ecs.store import container_instances, freezes, services, task_definitions, tasks
from moorage.ecs.store.view import for_others
from moorage.ground.arn import make_arn
from moorage.ground.instant import Duration, Instant, hours, later, seconds
from moorage.ground.record import Record, evolve
from moorage.kernel.site import Site
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

KIND = "rebalancing"
REBALANCES = Table("rebalances", ClusterRebalancing, keys=("account", "region", "cluster"))
BRAKE = "brake"
# A look costs in proportion to the cluster, so that large ones are looked at less often.
LOOK_GAP: Duration = seconds(1)
# What a person asked for is done by then, or is given up.
ASKED_FOR: Duration = hours(1)
LOOK_GAP_A_TASK = Duration(1000)
_EVERY = REBALANCES.query(order=("account", "region", "cluster"))


class Sight(Record):
    """All that one look at a cluster sees; `elsewhere` are the moves of services left out of it."""

    cases: tuple[Case, ...]
    field: Field
    elsewhere: int = 0


def get(tx: Transaction, account: str, region: str, cluster: str) -> ClusterRebalancing | None:
    """What is known of a cluster's rebalancing, None before the first look."""
    return REBALANCES.get(tx, account, region, cluster)


def note(tx: Transaction, known: ClusterRebalancing) -> None:
    """Keep what is known of a cluster, by its own controller, which need not look for that."""
    REBALANCES.put(tx, known)


def is_asked(known: ClusterRebalancing, now: Instant) -> bool:
    """Whether a person has asked for a rebalancing that is not done yet."""
    return known.asked_at is not None and now < later(known.asked_at, ASKED_FOR)


def ask(tx: Transaction, known: ClusterRebalancing, service: str = "") -> None:
    """Keep that a person asks for a rebalancing now, of one service or of all, and let it begin.

    What was asked for before and is not done yet is done as well.
    """
    asked = {service} if service else set()
    if is_asked(known, tx.now):
        asked = {*asked, *known.asked_services} if asked and known.asked_services else set()
    note(
        tx,
        evolve(known, looked_at=Instant(0), asked_at=tx.now, asked_services=tuple(sorted(asked))),
    )
    wake(tx, make_arn("cluster", known.region, known.account, known.cluster))


def wake(tx: Transaction, cluster: str) -> None:
    """Let the balance of a cluster (an ARN) be looked at."""
    tx.wake(KIND, cluster)


def forget(tx: Transaction, account: str, region: str, cluster: str) -> None:
    """Forget a cluster that is no more."""
    REBALANCES.delete(tx, account, region, cluster)


def every(tx: Transaction) -> list[str]:
    """The ARNs of all clusters that have hosts, or were ever looked at.

    A server may end after a host was offered and before anybody looked for the first time.
    """
    looked = {
        make_arn("cluster", str(region), str(account), str(name))
        for account, region, name in _EVERY.keys(tx)
    }
    return sorted(looked.union(one.cluster_arn for one in container_instances.every_live(tx)))


def gap(tx: Transaction, cluster: str) -> Duration:
    """How long after one look at a cluster (an ARN) the next may follow."""
    return Duration(LOOK_GAP + LOOK_GAP_A_TASK * tasks.live_count(tx, cluster))


def look(
    tx: Transaction, site: Site, cluster: str, settling: Duration, only: Collection[str] = ()
) -> Sight:
    """The services of a cluster (an ARN) and its hosts; some alone, where they are named."""
    live = tasks.live_of_cluster(tx, cluster)
    by_service: dict[str, list[Task]] = {}
    for task in live:
        by_service.setdefault(task.service, []).append(task)
    whole = cluster_view(container_instances.live_of_cluster(tx, cluster), live)
    view = for_others(tx, cluster, whole)
    active = [one for one in services.live_of_cluster(tx, cluster) if one.status == "ACTIVE"]
    found = [one for one in active if not only or one.name in only]
    held = (
        freezes.of_cluster(tx, found[0].account, found[0].region, found[0].cluster) if found else []
    )
    return Sight(
        cases=tuple(
            _case(
                tx, site, service, by_service.get(service.arn, []), _holding(held, service, tx.now)
            )
            for service in found
        ),
        field=Field(view, live, settling, tx.now),
        elsewhere=sum(
            under_way(one, by_service.get(one.arn, []))
            for one in active
            if only and one.name not in only
        ),
    )


def _case(
    tx: Transaction, site: Site, service: Service, live: list[Task], freeze: Freeze | None
) -> Case:
    """One service; its definition is read only where something of it may move."""
    group = f"service:{service.name}"
    case = Case(
        service=service,
        tasks=tuple(live),
        wants=Wants(needs=Resources(), group=group),
        freeze=freeze,
    )
    if standstill(case, site.rebalance_moves_max, site.rebalance_pause, tx.now) is not None:
        return case
    definition = task_definitions.needed(tx, service, service.task_definition)
    wants = wants_of_service(service, definition.definition, service.deployment, tx.now)
    return evolve(case, wants=wants)


def _holding(known: Iterable[Freeze], service: Service, now: Instant) -> Freeze | None:
    """The freeze under which nothing of a service moves: the brake's too, as long as it is there."""
    mine = [one for one in known if one.service in {"", service.name}]
    braked = next((one for one in mine if one.cause == BRAKE), None)
    return holds(mine, now) or braked
