"""The tables of the cluster's house: every ECS operation, one line each, and those not built yet.

The gateway and the runner are handed these and know nothing else of this house.
"""

from typing import Any

from moorage.ecs.agents import AGENT as AGENT  # noqa: PLC0414 - handed on to the gateway from here
from moorage.ecs.controllers.clusters import clusters as cluster_controller
from moorage.ecs.controllers.deployments import deployments as deployment_controller
from moorage.ecs.controllers.instances import instances as instance_controller
from moorage.ecs.controllers.pools import pools as pool_controller
from moorage.ecs.controllers.post_mortems import post_mortems as post_mortem_controller
from moorage.ecs.controllers.provisioning import provisioning as provisioning_controller
from moorage.ecs.controllers.rebalancing import rebalancing as rebalancing_controller
from moorage.ecs.controllers.task_definitions import (
    task_definitions as task_definition_controller,
)
from moorage.ecs.controllers.tasks import tasks as task_controller
from moorage.ecs.controllers.timelines import timelines as timeline_controller
from moorage.ecs.foresight import foresee
from moorage.ecs.operations import (
    account_setting,
    agent,
    agent_update,
    attribute,
    authority,
    capacity_provider,
    check,
    cluster,
    cluster_capacity,
    cluster_update,
    container_instance,
    explain,
    explanation,
    freeze,
    host,
    joining,
    key_rotation,
    pool,
    post_mortem,
    rebalancing,
    registration,
    run_task,
    service,
    service_deployment,
    service_deployment_control,
    service_look,
    service_update,
    tag,
    task,
    task_definition,
    task_definition_deletion,
    task_protection,
    timeline,
)
from moorage.ecs.store.account_settings import ACCOUNT_SETTINGS
from moorage.ecs.store.capacity_providers import CAPACITY_PROVIDERS
from moorage.ecs.store.clusters import CLUSTERS
from moorage.ecs.store.container_instances import CONTAINER_INSTANCES
from moorage.ecs.store.freezes import FREEZES
from moorage.ecs.store.machines import MACHINES
from moorage.ecs.store.pools import POOLS
from moorage.ecs.store.post_mortems import POST_MORTEMS
from moorage.ecs.store.rebalances import REBALANCES
from moorage.ecs.store.service_deployments import SERVICE_DEPLOYMENTS
from moorage.ecs.store.service_events import SERVICE_EVENTS
from moorage.ecs.store.service_revisions import SERVICE_REVISIONS
from moorage.ecs.store.services import SERVICES
from moorage.ecs.store.task_definitions import TASK_DEFINITIONS
from moorage.ecs.store.task_families import TASK_FAMILIES
from moorage.ecs.store.tasks import TASKS
from moorage.ecs.store.timeline import TIMELINE
from moorage.kernel.api import Api
from moorage.kernel.controller import Controller
from moorage.kernel.operation import Operation
from moorage.shapes.ecs.constraints import CONSTRAINTS
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.ecs.operations import OPERATIONS
from moorage.sql.document import Table

ECS = Api(
    service="ecs",
    target="AmazonEC2ContainerServiceV20141113",
    shapes=OPERATIONS,
    operations=[
        account_setting.delete_account_setting,
        account_setting.list_account_settings,
        account_setting.put_account_setting,
        account_setting.put_account_setting_default,
        agent.discover_poll_endpoint,
        agent.submit_container_state_change,
        agent.submit_task_state_change,
        agent_update.update_container_agent,
        attribute.delete_attributes,
        attribute.list_attributes,
        attribute.put_attributes,
        capacity_provider.create_capacity_provider,
        capacity_provider.delete_capacity_provider,
        capacity_provider.describe_capacity_providers,
        capacity_provider.update_capacity_provider,
        cluster.create_cluster,
        cluster.delete_cluster,
        cluster.describe_clusters,
        cluster.list_clusters,
        cluster_capacity.put_cluster_capacity_providers,
        cluster_update.update_cluster,
        cluster_update.update_cluster_settings,
        container_instance.deregister_container_instance,
        container_instance.describe_container_instances,
        container_instance.list_container_instances,
        container_instance.update_container_instances_state,
        registration.register_container_instance,
        run_task.run_task,
        run_task.start_task,
        service.create_service,
        service.delete_service,
        service_deployment.describe_service_deployments,
        service_deployment.describe_service_revisions,
        service_deployment.list_service_deployments,
        service_deployment_control.continue_service_deployment,
        service_deployment_control.stop_service_deployment,
        service_look.describe_services,
        service_look.list_services,
        service_update.update_service,
        tag.list_tags_for_resource,
        tag.tag_resource,
        tag.untag_resource,
        task.describe_tasks,
        task.list_tasks,
        task.stop_task,
        task_definition.deregister_task_definition,
        task_definition.describe_task_definition,
        task_definition.list_task_definition_families,
        task_definition.list_task_definitions,
        task_definition.register_task_definition,
        task_definition_deletion.delete_task_definitions,
        task_protection.get_task_protection,
        task_protection.update_task_protection,
    ],
    absent=[
        "AssociateGatewayWithCluster",
        "CreateDaemon",
        "CreateExpressGatewayService",
        "CreateGateway",
        "CreateTaskSet",
        "DeleteDaemon",
        "DeleteDaemonTaskDefinition",
        "DeleteExpressGatewayService",
        "DeleteGateway",
        "DeleteTaskSet",
        "DescribeDaemon",
        "DescribeDaemonDeployments",
        "DescribeDaemonRevisions",
        "DescribeDaemonTaskDefinition",
        "DescribeExpressGatewayService",
        "DescribeGateway",
        "DescribeGatewayResources",
        "DescribeGatewayRoute",
        "DescribeTaskSets",
        "DisassociateGatewayFromCluster",
        "ExecuteCommand",
        "ListDaemonDeployments",
        "ListDaemonTaskDefinitions",
        "ListDaemons",
        "ListGatewayClusterAssociations",
        "ListGatewayRoutes",
        "ListGateways",
        "ListServicesByNamespace",
        "RegisterDaemonTaskDefinition",
        "SubmitAttachmentStateChanges",
        "UpdateDaemon",
        "UpdateExpressGatewayService",
        "UpdateGateway",
        "UpdateServicePrimaryTaskSet",
        "UpdateTaskSet",
    ],
    constraints=CONSTRAINTS,
    invalid=InvalidParameterException,
)

# Our own operations on what ECS has no word for.
OWN: tuple[Operation[Any, Any], ...] = (
    authority.describe_authority,
    authority.finish_authority_rotation,
    check.check_definition,
    explain.explain_task,
    explanation.explain_deployment,
    explanation.explain_host,
    explanation.explain_service,
    pool.describe_pools,
    post_mortem.submit_post_mortem,
    authority.rotate_authority,
    host.confirm_host_lost,
    host.describe_hosts,
    host.drain_host,
    freeze.freeze_scheduling,
    freeze.list_freezes,
    freeze.thaw_scheduling,
    joining.join,
    key_rotation.request_host_key_rotation,
    rebalancing.list_rebalancings,
    rebalancing.preview_rebalancing,
    rebalancing.start_rebalancing,
    timeline.list_timeline,
)

# What tells the gateway of a dry run, and of our own operations those of which it tells all.
FORESEE = foresee
FORESEEN = frozenset({"ConfirmHostLost", "DrainHost", "FreezeScheduling", "ThawScheduling"})

CONTROLLERS: tuple[Controller, ...] = (
    cluster_controller,
    deployment_controller,
    instance_controller,
    pool_controller,
    post_mortem_controller,
    rebalancing_controller,
    provisioning_controller,
    task_controller,
    timeline_controller,
    task_definition_controller,
)

TABLES: tuple[Table[Any], ...] = (
    ACCOUNT_SETTINGS,
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    FREEZES,
    MACHINES,
    POOLS,
    POST_MORTEMS,
    REBALANCES,
    SERVICES,
    SERVICE_DEPLOYMENTS,
    SERVICE_EVENTS,
    SERVICE_REVISIONS,
    TASKS,
    TASK_DEFINITIONS,
    TASK_FAMILIES,
    TIMELINE,
)
