"""One container of a task as the agent's protocol carries it."""

from collections.abc import Sequence

from moorage.acs import task_messages as acs
from moorage.ecs.records.task import TaskContainer
from moorage.ecs.rules.task.docker_config import config, host_config
from moorage.ecs.rules.task.draft import has_health_check
from moorage.shapes.ecs.container_definition import ContainerDefinition, PortMapping

# The lowest Engine API that knows all of this; Amazon's agent raises what is below its own lowest,
# and fails a task that asks for more than its engine has.
DOCKER_API_VERSION = "1.25"


def payload_container(
    asked: ContainerDefinition,
    known: TaskContainer,
    network_mode: str | None,
    registry: acs.EcrAuthentication | None,
) -> acs.Container:
    """The container, overrides merged; `registry` is who issues the token for an image of ours."""
    return acs.Container(
        name=known.name,
        image=known.pinned_image or known.image,
        essential=known.essential,
        cpu=asked.cpu or 0,
        memory=asked.memory,
        command=_strings(asked.command),
        entry_point=_strings(asked.entry_point),
        environment={one.name or "": one.value or "" for one in asked.environment or ()},
        port_mappings=tuple(_mapping(one, network_mode) for one in asked.port_mappings or ()),
        mount_points=tuple(
            acs.MountPoint(
                source_volume=one.source_volume,
                container_path=one.container_path,
                read_only=one.read_only,
            )
            for one in asked.mount_points or ()
        ),
        volumes_from=tuple(
            acs.VolumeFrom(source_container=one.source_container, read_only=one.read_only)
            for one in asked.volumes_from or ()
        ),
        links=_strings(asked.links),
        depends_on=tuple(
            acs.ContainerDependency(
                container_name=one.container_name or "", condition=one.condition or ""
            )
            for one in asked.depends_on or ()
        ),
        start_timeout=asked.start_timeout,
        stop_timeout=asked.stop_timeout,
        restart_policy=_restart_policy(asked),
        health_check_type="docker" if has_health_check(asked) else None,
        registry_authentication=acs.RegistryAuthentication(type="ecr", ecr_auth_data=registry)
        if registry
        else None,
        container_arn=known.arn,
        docker_config=acs.DockerConfig(
            version=DOCKER_API_VERSION,
            config=config(asked),
            host_config=host_config(asked, network_mode),
        ),
    )


def _strings(texts: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(texts) if texts else None


def _mapping(mapping: PortMapping, network_mode: str | None) -> acs.PortMapping:
    shared = network_mode in {"host", "awsvpc"}
    return acs.PortMapping(
        container_port=mapping.container_port,
        host_port=mapping.container_port if shared else mapping.host_port,
        container_port_range=mapping.container_port_range,
        protocol=mapping.protocol or "tcp",
    )


def _restart_policy(container: ContainerDefinition) -> acs.RestartPolicy | None:
    policy = container.restart_policy
    if policy is None or not policy.enabled:
        return None
    return acs.RestartPolicy(
        enabled=True,
        ignored_exit_codes=tuple(policy.ignored_exit_codes or ()),
        restart_attempt_period=policy.restart_attempt_period,
    )
