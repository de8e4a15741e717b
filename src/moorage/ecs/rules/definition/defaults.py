"""The normal form: a task definition as ECS reads it back.

Plans of infrastructure tools never settle where what is read differs from what was written, so
the members that ECS fills in are filled in here, and no others.
"""

from moorage.ecs.rules.definition.members import compatibilities, required_attributes
from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition, HealthCheck, PortMapping
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest, TaskDefinition
from moorage.shapes.ecs.volume import HostVolumeProperties, Volume

# HealthCheck in the model.
HEALTH_INTERVAL_SECONDS = 30
HEALTH_TIMEOUT_SECONDS = 5
HEALTH_RETRIES = 3


def normal_form(request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """The definition that a sound request registers.

    `compatibilities` and `requiresAttributes` are computed; ARN, revision, status, registeredAt
    and registeredBy are the caller's to add.
    """
    mode = request.network_mode
    plain = TaskDefinition(
        family=request.family,
        container_definitions=[
            _container(one, mode) for one in request.container_definitions or ()
        ],
        task_role_arn=request.task_role_arn or None,
        execution_role_arn=request.execution_role_arn or None,
        network_mode=mode,
        volumes=[_volume(one) for one in request.volumes or ()],
        placement_constraints=request.placement_constraints or [],
        requires_compatibilities=request.requires_compatibilities or None,
        runtime_platform=request.runtime_platform,
        cpu=_text(cpu_units(request.cpu)) if request.cpu else None,
        memory=_text(memory_mebibytes(request.memory)) if request.memory else None,
        inference_accelerators=request.inference_accelerators,
        pid_mode=request.pid_mode,
        ipc_mode=request.ipc_mode,
        proxy_configuration=request.proxy_configuration,
        ephemeral_storage=request.ephemeral_storage,
        enable_fault_injection=request.enable_fault_injection,
        trusted_execution_configuration=request.trusted_execution_configuration,
    )
    return evolve(
        plain,
        compatibilities=compatibilities(plain),
        requires_attributes=required_attributes(plain),
    )


def _container(container: ContainerDefinition, mode: str | None) -> ContainerDefinition:
    return evolve(
        container,
        cpu=container.cpu or 0,
        essential=container.essential is not False,
        environment=container.environment or [],
        mount_points=container.mount_points or [],
        volumes_from=container.volumes_from or [],
        system_controls=container.system_controls or [],
        port_mappings=[_mapping(one, mode) for one in container.port_mappings or ()],
        health_check=_health_check(container.health_check),
    )


def _mapping(mapping: PortMapping, mode: str | None) -> PortMapping:
    protocol = mapping.protocol or "tcp"
    if mapping.container_port_range:
        return evolve(mapping, protocol=protocol)
    shared = mode in {"host", "awsvpc"}
    port = mapping.host_port or (mapping.container_port if shared else 0)
    return evolve(mapping, protocol=protocol, host_port=port)


def _health_check(check: HealthCheck | None) -> HealthCheck | None:
    if check is None:
        return None
    return evolve(
        check,
        interval=HEALTH_INTERVAL_SECONDS if check.interval is None else check.interval,
        timeout=HEALTH_TIMEOUT_SECONDS if check.timeout is None else check.timeout,
        retries=HEALTH_RETRIES if check.retries is None else check.retries,
    )


def _volume(volume: Volume) -> Volume:
    """A volume that says nothing but its name is a directory of the host's choice: `host: {}`."""
    silent = volume == Volume(name=volume.name)
    return evolve(volume, host=HostVolumeProperties()) if silent else volume


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
