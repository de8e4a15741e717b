"""What RunTask, StartTask, CreateService and UpdateService may not ask yet, refused by name.

Empty lists and `enabled: false` ask for nothing and are fine.
"""

from collections.abc import Sequence
from typing import TypeAlias

from moorage.ecs.rules.definition.daemon import DAEMON_CONFIGURATION, refuse_daemon
from moorage.ecs.rules.deployment.configuration import (
    full_configuration,
    refuse_configuration,
    refuse_full,
)
from moorage.ecs.rules.placement.strategy import refuse_constraints, refuse_strategies
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.shapes.ecs.network import NetworkConfiguration
from moorage.shapes.ecs.service import CreateServiceRequest, UpdateServiceRequest
from moorage.shapes.ecs.task import RunTaskRequest, StartTaskRequest
from moorage.shapes.ecs.task_definition import TaskDefinition

RUN_COUNT_MAX = 10
INSTANCES_MAX = 10
RUN_STARTED_BY_LENGTH_MAX = 128
START_STARTED_BY_LENGTH_MAX = 36
CLIENT_TOKEN_LENGTH_MAX = 64
# ECS service quotas, "Tasks per service".
DESIRED_COUNT_MAX = 5000
LAUNCH_TYPES = frozenset({"EC2", "EXTERNAL"})
SCHEDULING_STRATEGIES = frozenset({"REPLICA", "DAEMON"})
# ECS, "Task groups".
GROUP_LENGTH_MAX = 255
_RESERVED_GROUP = "service:"
_ServiceRequest: TypeAlias = CreateServiceRequest | UpdateServiceRequest


def refuse_run(request: RunTaskRequest) -> Refusal | None:
    """Why RunTask refuses, by its members alone: what is not built, or out of range."""
    count = 1 if request.count is None else request.count
    if not 1 <= count <= RUN_COUNT_MAX:
        return invalid(f"Task count must be between 1 and {RUN_COUNT_MAX}.")
    return (
        _refuse_launch_type(request.launch_type)
        or _refuse_absent(
            {
                "volumeConfigurations": request.volume_configurations,
            }
        )
        or _refuse_platform(request.platform_version)
        or _refuse_token(request.client_token)
        or _refuse_started_by(request.started_by, RUN_STARTED_BY_LENGTH_MAX)
        or _refuse_group(request.group)
        or refuse_constraints(request.placement_constraints or [])
        or refuse_strategies(request.placement_strategy or [])
    )


def refuse_start(request: StartTaskRequest) -> Refusal | None:
    """Why StartTask refuses, by its members alone."""
    instances = request.container_instances or []
    if not instances:
        return invalid("Container instances cannot be empty.")
    if len(instances) > INSTANCES_MAX:
        return invalid(f"The maximum number of container instances is {INSTANCES_MAX}.")
    return (
        _refuse_absent({"volumeConfigurations": request.volume_configurations})
        or _refuse_started_by(request.started_by, START_STARTED_BY_LENGTH_MAX)
        or _refuse_group(request.group)
    )


def refuse_create(request: CreateServiceRequest) -> Refusal | None:
    """Why CreateService refuses, by its members alone."""
    strategy = request.scheduling_strategy or "REPLICA"
    if strategy not in SCHEDULING_STRATEGIES:
        return invalid(f"Unknown scheduling strategy: {strategy}. Use REPLICA or DAEMON.")
    is_daemon = strategy == "DAEMON"
    if request.desired_count is None and not is_daemon:
        return invalid("The desiredCount of a REPLICA service must be given.")
    return (
        (refuse_daemon(request) if is_daemon else None)
        or _refuse_launch_type(request.launch_type)
        or _refuse_absent({"role": request.role})
        or _refuse_token(request.client_token)
        or _refuse_service(request)
        or refuse_full(
            full_configuration(
                request.deployment_configuration, DAEMON_CONFIGURATION if is_daemon else None
            )
        )
    )


def refuse_update(request: UpdateServiceRequest) -> Refusal | None:
    """Why UpdateService refuses, by its members alone."""
    return _refuse_service(request)


def refuse_network(
    definition: TaskDefinition, network: NetworkConfiguration | None
) -> Refusal | None:
    """Why a network configuration does not go with a definition's network mode, or None."""
    given = network is not None and network.awsvpc_configuration is not None
    if definition.network_mode == "awsvpc":
        return (
            None
            if given
            else invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        )
    return (
        invalid(
            "Network Configuration is not valid for the given networkMode of this task definition."
        )
        if given
        else None
    )


def _refuse_service(request: _ServiceRequest) -> Refusal | None:
    desired = request.desired_count
    if desired is not None and not 0 <= desired <= DESIRED_COUNT_MAX:
        return invalid(f"The desiredCount must be between 0 and {DESIRED_COUNT_MAX}.")
    if (request.health_check_grace_period_seconds or 0) < 0:
        return invalid("The healthCheckGracePeriodSeconds must not be negative.")
    controller = request.deployment_controller
    if controller is not None and controller.type != "ECS":
        return unsupported(f"The deployment controller {controller.type} is not supported yet.")
    connect = request.service_connect_configuration
    return (
        _refuse_platform(request.platform_version)
        or _refuse_absent(
            {
                "loadBalancers": request.load_balancers,
                "serviceRegistries": request.service_registries,
                "serviceConnectConfiguration": connect is not None and connect.enabled,
                "volumeConfigurations": request.volume_configurations,
                "vpcLatticeConfigurations": request.vpc_lattice_configurations,
                "gatewayConnectors": request.gateway_connectors,
            }
        )
        or refuse_constraints(request.placement_constraints or [])
        or refuse_strategies(request.placement_strategy or [])
        or (
            refuse_configuration(request.deployment_configuration)
            if request.deployment_configuration
            else None
        )
    )


def _refuse_absent(members: dict[str, Sequence[object] | str | bool | None]) -> Refusal | None:
    member = next((name for name, value in members.items() if value), None)
    return unsupported(f"{member} is not supported yet.") if member else None


def _refuse_launch_type(launch_type: str | None) -> Refusal | None:
    if launch_type is None or launch_type in LAUNCH_TYPES:
        return None
    return unsupported(
        f"The launch type {launch_type} is not supported: tasks run on hosts that joined the "
        "cluster. Use EC2 or EXTERNAL, or leave it out."
    )


def _refuse_platform(version: str | None) -> Refusal | None:
    if not version:
        return None
    return invalid("The platform version must be null when specifying an EC2 launch type.")


def _refuse_token(token: str | None) -> Refusal | None:
    if token is None or len(token) <= CLIENT_TOKEN_LENGTH_MAX:
        return None
    return invalid(f"clientToken has at most {CLIENT_TOKEN_LENGTH_MAX} characters.")


def _refuse_started_by(text: str | None, length_max: int) -> Refusal | None:
    if text is None or len(text) <= length_max:
        return None
    return invalid(f"startedBy has at most {length_max} characters.")


def _refuse_group(group: str | None) -> Refusal | None:
    if group is None:
        return None
    if group.startswith(_RESERVED_GROUP):
        return invalid(
            f"Invalid namespace for group. Groups that begin with {_RESERVED_GROUP} are those of "
            "services."
        )
    if len(group) > GROUP_LENGTH_MAX:
        return invalid(f"A task group has at most {GROUP_LENGTH_MAX} characters.")
    return None
