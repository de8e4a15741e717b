"""What a definition asks of its host: attributes, among them those that no host of ours offers.

A valid definition always registers. What it asks stands in `requiresAttributes` under ECS's own
names, so that placement answers ATTRIBUTE by name where a host does not offer it. What the control
plane itself cannot do yet, whatever the host, stands there as `moorage.capability.X`.
"""

from collections.abc import Callable, Iterable

from moorage.ecs.rules.definition.fargate import fits_fargate
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.task_definition import TaskDefinition
from moorage.shapes.ecs.volume import Volume

AMAZON = "com.amazonaws.ecs.capability."
ECS = "ecs.capability."
OURS = "moorage.capability."
_LOCAL_DRIVERS = frozenset({None, "", "local"})
_ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


def required_attributes(definition: TaskDefinition) -> list[Attribute]:
    """`requiresAttributes`, sorted by name; `moorage.capability.X` is what no host offers yet."""
    names = set[str]()
    for test, given in _OF_TASK:
        names.update(given if test(definition) else ())
    for container in definition.container_definitions or ():
        for holds, asked in _OF_CONTAINER:
            names.update(asked if holds(container) else ())
        names.update(_of_logs(container))
        names.update(_of_secrets(container))
    for volume in definition.volumes or ():
        names.update(_of_volume(volume))
    attributes = [Attribute(name=name) for name in names] + list(_of_platform(definition))
    return sorted(attributes, key=lambda one: one.name or "")


def compatibilities(definition: TaskDefinition) -> list[str]:
    """`compatibilities`: EXTERNAL, EC2 and, where its sizes fit, FARGATE."""
    found = ["EC2"]
    if definition.network_mode != "awsvpc":
        found.insert(0, "EXTERNAL")
    elif fits_fargate(definition.cpu, definition.memory):
        found.append("FARGATE")
    asked = definition.requires_compatibilities or []
    return found + [one for one in asked if one not in found]


def _host(definition: TaskDefinition) -> bool:
    return definition.network_mode == "host"


_OF_TASK: tuple[tuple[Callable[[TaskDefinition], bool], tuple[str, ...]], ...] = (
    (lambda d: bool(d.task_role_arn), (f"{AMAZON}task-iam-role", f"{OURS}task-role")),
    (lambda d: bool(d.task_role_arn) and _host(d), (f"{AMAZON}task-iam-role-network-host",)),
    (lambda d: d.network_mode == "awsvpc", (f"{ECS}task-eni", f"{OURS}awsvpc")),
    (lambda d: bool(d.cpu or d.memory), (f"{ECS}task-cpu-mem-limit",)),
    (lambda d: bool(d.pid_mode or d.ipc_mode), (f"{ECS}pid-ipc-namespace-sharing",)),
    (lambda d: d.proxy_configuration is not None, (f"{ECS}aws-appmesh", f"{OURS}proxy")),
    (lambda d: bool(d.inference_accelerators), (f"{OURS}inference-accelerators",)),
    (lambda d: d.ephemeral_storage is not None, (f"{OURS}ephemeral-storage",)),
    (lambda d: bool(d.enable_fault_injection), (f"{ECS}fault-injection", f"{OURS}fault-injection")),
    (lambda d: d.trusted_execution_configuration is not None, (f"{OURS}trusted-execution",)),
)


_OF_CONTAINER: tuple[tuple[Callable[[ContainerDefinition], bool], tuple[str, ...]], ...] = (
    (lambda c: bool(c.privileged), (f"{AMAZON}privileged-container",)),
    (lambda c: c.health_check is not None, (f"{ECS}container-health-check",)),
    (lambda c: bool(c.depends_on), (f"{ECS}container-ordering",)),
    (
        lambda c: c.restart_policy is not None and bool(c.restart_policy.enabled),
        (f"{ECS}container-restart-policy",),
    ),
    (
        lambda c: any(one.container_port_range for one in c.port_mappings or ()),
        (f"{ECS}network.container-port-range",),
    ),
    (lambda c: bool(c.environment_files), (f"{ECS}env-files.s3", f"{OURS}environment-files")),
    (
        lambda c: c.repository_credentials is not None,
        (
            f"{ECS}private-registry-authentication.secretsmanager",
            f"{OURS}repository-credentials",
        ),
    ),
    (lambda c: bool(c.credential_specs), (f"{ECS}gmsa", f"{OURS}credential-specs")),
    (
        lambda c: any(one.type != "GPU" for one in c.resource_requirements or ()),
        (f"{OURS}accelerators",),
    ),
    (
        lambda c: any(one.sharing_strategy is not None for one in c.resource_requirements or ()),
        (f"{OURS}gpu-sharing",),
    ),
)


def _of_logs(container: ContainerDefinition) -> Iterable[str]:
    """The log driver; what ships logs to a service that is not there yet is ours to refuse."""
    if container.firelens_configuration is not None:
        yield f"{ECS}firelens.{container.firelens_configuration.type}"
        yield f"{OURS}firelens"
    logs = container.log_configuration
    if logs is None:
        return
    yield f"{AMAZON}logging-driver.{logs.log_driver}"
    if logs.log_driver == "awslogs":
        yield f"{OURS}awslogs"
    if logs.log_driver == "awsfirelens":
        yield f"{OURS}firelens"


def _of_secrets(container: ContainerDefinition) -> Iterable[str]:
    options = container.log_configuration.secret_options if container.log_configuration else None
    for kind, secrets in (
        ("environment-variables", container.secrets),
        ("bootstrap.log-driver", options),
    ):
        for secret in secrets or ():
            source = "asm" if ":secretsmanager:" in (secret.value_from or "") else "ssm"
            yield f"{ECS}secrets.{source}.{kind}"
            yield f"{OURS}secrets"


def _of_volume(volume: Volume) -> Iterable[str]:
    docker = volume.docker_volume_configuration
    if docker is not None and docker.driver not in _LOCAL_DRIVERS:
        yield f"{ECS}docker-plugin.{docker.driver}"
    if volume.efs_volume_configuration is not None:
        yield from (f"{ECS}efs", f"{OURS}efs")
    if volume.s3files_volume_configuration is not None:
        yield from (f"{ECS}storage.s3-files", f"{OURS}s3-files")
    if volume.fsx_windows_file_server_volume_configuration is not None:
        yield from (f"{ECS}fsxWindowsFileServer", f"{OURS}fsx")
    if volume.configured_at_launch:
        yield from (f"{ECS}storage.ebs-task-volume-attach", f"{OURS}ebs")


def _of_platform(definition: TaskDefinition) -> Iterable[Attribute]:
    platform = definition.runtime_platform
    if platform is None:
        return
    if platform.operating_system_family:
        yield Attribute(name="ecs.os-family", value=platform.operating_system_family)
    if platform.cpu_architecture:
        architecture = _ARCHITECTURES.get(platform.cpu_architecture, platform.cpu_architecture)
        yield Attribute(name="ecs.cpu-architecture", value=architecture)
