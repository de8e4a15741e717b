"""The cluster as placement sees it: kept up from write to write, or read from the rows.

What it says stays true until the commit: either nobody else writes meanwhile, or whoever places
compares and sets the version of each chosen host (`promise`).
"""

from collections.abc import Iterable

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.placement import view as rules
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.reservation import reserve
from moorage.ecs.store import container_instances, projection, services, tasks
from moorage.ecs.store.service_wants import wanted
from moorage.sql.transaction import Conflict, Transaction


def cluster_view(tx: Transaction, cluster: str) -> rules.ClusterView:
    """The live hosts of a cluster (an ARN) with what is left of each for others than daemons.

    What a daemon service needs on a host that lacks its task is kept free.
    """
    return for_others(tx, cluster, promised_view(tx, cluster))


def for_others(tx: Transaction, cluster: str, view: rules.ClusterView) -> rules.ClusterView:
    """A view of some hosts of a cluster (an ARN) without what is kept for its daemons."""
    claims = _claims(tx, cluster)
    return reserve(view, claims) if claims else view


def promised_view(tx: Transaction, cluster: str) -> rules.ClusterView:
    """The live hosts of a cluster (an ARN), with what is promised of each."""
    return projected(tx, cluster).view()


def projected(tx: Transaction, cluster: str) -> projection.Projection:
    """The hosts of a cluster (an ARN) and the promises of its tasks: from memory, or from its rows.

    It is to be looked at alone: what is written later changes it.
    """
    kept = projection.recalled(tx, cluster)
    if kept is None:
        kept = fresh_projection(tx, cluster)
        if tx.remembers:
            projection.keep(tx, cluster, kept)
    return kept


def fresh_projection(tx: Transaction, cluster: str) -> projection.Projection:
    """The cluster as its rows say."""
    return projection.Projection(
        container_instances.live_of_cluster(tx, cluster), tasks.live_of_cluster(tx, cluster)
    )


def live_hosts(tx: Transaction, cluster: str) -> list[ContainerInstance]:
    """The ACTIVE and DRAINING hosts of a cluster (an ARN), by ARN: from memory where it is kept."""
    kept = projection.recalled(tx, cluster)
    if kept is None:
        return container_instances.live_of_cluster(tx, cluster)
    return [kept.hosts[arn].instance for arn in sorted(kept.hosts)]


def untrue(tx: Transaction, cluster: str) -> list[str]:
    """The hosts and tasks (ARNs) of which the kept projection of a cluster says other than rows."""
    kept = projection.recalled(tx, cluster)
    return [] if kept is None else projection.differs(kept, fresh_projection(tx, cluster))


def promise(tx: Transaction, view: rules.ClusterView, chosen: Iterable[str]) -> None:
    """Say that tasks are placed on these hosts; raises Conflict where one has changed meanwhile.

    Where writes run one after another (they remember), nothing can change until the commit, so that
    nothing is written: only a view that is untrue is found out.
    """
    for arn in dict.fromkeys(chosen):
        seen = view.hosts[arn].instance
        if not tx.remembers:
            container_instances.note(tx, seen)
            continue
        known = container_instances.get(tx, arn)
        if known is None or known.version != seen.version:
            raise Conflict(f"{arn} is no longer at version {seen.version}")


def _claims(tx: Transaction, cluster: str) -> list[Wants]:
    """What each ACTIVE daemon service wants of a host that lacks its task."""
    return [
        wanted(tx, service)
        for service in services.daemons(tx, cluster)
        if service.status == "ACTIVE"
    ]
