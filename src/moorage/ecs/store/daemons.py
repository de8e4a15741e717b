"""Where the tasks of a daemon service belong, read from the rows in this transaction."""

from collections.abc import Iterable

from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.daemon_hosts import DaemonHosts, survey
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.store import services, task_definitions
from moorage.ecs.store.view import promised_view
from moorage.sql.transaction import Transaction


def hosts_of(
    tx: Transaction, service: Service, current: ServiceDeployment, own: Iterable[Task]
) -> DaemonHosts | None:
    """Where the tasks of a daemon service belong; None for a service that is none.

    `own` are its tasks. Other daemons' claims bind no daemon: whoever comes first is placed.
    """
    if service.scheduling_strategy != "DAEMON" or service.status != "ACTIVE":
        return None
    definition = task_definitions.needed(tx, service, current.task_definition)
    groups = {f"service:{one.name}" for one in services.daemons(tx, service.cluster_arn)}
    return survey(
        promised_view(tx, service.cluster_arn),
        wants_of_service(service, definition.definition, current.id, tx.now),
        own,
        groups,
    )
