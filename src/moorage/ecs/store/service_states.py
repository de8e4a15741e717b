"""All that one decision about a service looks at, gathered in a few queries."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.hosts import host_state, loss_rule
from moorage.ecs.rules.deployment.state import Conditions, ServiceState, current_of
from moorage.ecs.rules.freeze import holds
from moorage.ecs.rules.task.stop import stop_timeout
from moorage.ecs.store import (
    container_instances,
    daemons,
    freezes,
    projection,
    service_deployments,
    service_revisions,
    task_definitions,
    tasks,
)
from moorage.ground.instant import Duration
from moorage.kernel.site import Site
from moorage.sql.transaction import Transaction


def load(tx: Transaction, site: Site, service: Service) -> ServiceState:
    """The state of a service that is ACTIVE or DRAINING."""
    known = service_deployments.open_of_service(tx, service.arn)
    completed = service_deployments.last_completed(tx, service.arn)
    if completed is not None and completed.arn not in {one.arn for one in known}:
        known.append(completed)
    current = current_of(service, known)
    revision = service_revisions.get(tx, current.revision)
    assert revision is not None, f"{current.revision} is brought out and not there"
    found = [
        task
        for task in tasks.unjudged_of_service(tx, service.arn)
        if task.created_at >= service.created_at  # not those of a namesake before it
    ]
    hosts = _hosts(tx, service, {task.instance for task in found})
    frozen = freezes.holding(
        tx, service.account, service.region, service.cluster, service.name, tx.now
    )
    return ServiceState(
        service=service,
        deployments=tuple(known),
        tasks=tuple(found),
        revision=revision,
        hosts={arn: host_state(host) for arn, host in hosts.items()},
        freeze=holds(frozen, tx.now),
        stop_timeouts=_stop_timeouts(tx, service, found),
        conditions=conditions(site),
        daemon=daemons.hosts_of(tx, service, current, found),
    )


def _hosts(tx: Transaction, service: Service, arns: set[str]) -> dict[str, ContainerInstance]:
    """The hosts of those ARNs that are there: from memory where their cluster is kept there."""
    kept = projection.recalled(tx, service.cluster_arn)
    at_hand = kept.hosts if kept is not None else {}
    found = {arn: at_hand[arn].instance for arn in sorted(arns) if arn in at_hand}
    return {**found, **container_instances.named(tx, arns - found.keys())}


def conditions(site: Site) -> Conditions:
    """The settings of a site on which the rules depend."""
    return Conditions(
        settle=site.settle,
        steady_state_repeat=site.steady_state_repeat,
        start_failure_within=site.start_failure_within,
        start_backoff_reset=site.start_backoff_reset,
        fence_margin=site.fence_margin,
        avoid_failures=site.avoid_failures,
        avoid_window=site.avoid_window,
        avoid_rest=site.avoid_rest,
        progress_deadline=site.progress_deadline,
    )


def _stop_timeouts(
    tx: Transaction, service: Service, found: Sequence[Task]
) -> Mapping[str, Duration]:
    """By definitions, for the tasks whose fencing has to be waited for; mostly there are none."""
    if not loss_rule(service).fences:
        return {}
    lost = {one.task_definition for one in found if one.connectivity == "DISCONNECTED"}
    known = {arn: task_definitions.find(tx, service, arn) for arn in sorted(lost)}
    return {arn: stop_timeout(one.definition if one else None) for arn, one in known.items()}
