"""All that explanations look at, gathered in a few queries; what they say is for `rules/explanation`."""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.deployment.daemon_hosts import lacking
from moorage.ecs.rules.explanation.deployment import DeploymentCase, failures
from moorage.ecs.rules.explanation.filters import funnel
from moorage.ecs.rules.explanation.host import Waiting
from moorage.ecs.rules.explanation.waits import ServiceCase
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.store import (
    container_instances,
    freezes,
    post_mortems,
    service_deployments,
    service_events,
    service_states,
    services,
    tasks,
)
from moorage.ecs.store.service_wants import wanted
from moorage.ecs.store.view import cluster_view
from moorage.kernel.site import Site
from moorage.sql.transaction import Transaction

FAILED_READ_MAX = 20
_OF_SERVICES = service_deployments.SERVICE_DEPLOYMENTS.query(among="service")


def of_service(
    tx: Transaction, site: Site, service: Service, view: ClusterView | None = None
) -> ServiceCase:
    """What is known of a service that is ACTIVE or DRAINING; `view` where it was read already."""
    view = view or cluster_view(tx, service.cluster_arn)
    held = freezes.holding(
        tx, service.account, service.region, service.cluster, service.name, tx.now
    )
    state = service_states.load(tx, site, service)
    if state.daemon is not None:
        view = lacking(state.daemon)  # a daemon waits for room there and nowhere else
    hosts = container_instances.named(tx, {one.instance for one in state.tasks})
    return ServiceCase(
        state=state,
        now=tx.now,
        room=funnel(wanted(tx, service), view, providers_of(service)),
        freezes=tuple(held),
        names={arn: one.name or one.id for arn, one in hosts.items()},
        events=tuple(service_events.newest(tx, service.arn)),
    )


def providers_of(service: Service) -> list[str]:
    """The capacity providers of which a service wants room: those that lack it, where some do.

    A provider without room gives nothing on to another, however much there is.
    """
    strategy = service.capacity_provider_strategy
    named = [item.capacity_provider or "" for item in strategy]
    return [name for name in named if name in service.wanting] or named


def of_deployment(tx: Transaction, site: Site, deployment: ServiceDeployment) -> DeploymentCase:
    """What is known of a deployment, however old."""
    service = services.get(tx, deployment.service)
    live = service is not None and service.status != "INACTIVE"
    mine = [
        one for one in tasks.of_service(tx, deployment.service) if one.deployment == deployment.id
    ]
    told = {
        one.arn: found
        for one in failures(mine)[:FAILED_READ_MAX]
        if (found := post_mortems.of(tx, one)) is not None
    }
    return DeploymentCase(
        deployment=deployment,
        now=tx.now,
        tasks=tuple(mine),
        post_mortems=told,
        others={one.id: one for one in service_deployments.of_service(tx, deployment.service)},
        service=of_service(tx, site, service) if service is not None and live else None,
    )


def waiting(tx: Transaction, cluster: str) -> Mapping[str, Waiting]:
    """What one more task of each service of a cluster (an ARN) wants that waits for room, by name."""
    found = services.named(tx, services.waiting(tx, cluster))
    return {
        one.name: Waiting(wants=wanted(tx, one), providers=tuple(providers_of(one)))
        for one in found.values()
    }


def deployment_of_id(
    tx: Transaction, among: Iterable[str], identity: str
) -> ServiceDeployment | None:
    """The deployment of one of these services (ARNs) that has this id (`ecs-svc/N`)."""
    found = _OF_SERVICES.all(tx, service=among)
    return next((one for one in found if one.id == identity), None)
