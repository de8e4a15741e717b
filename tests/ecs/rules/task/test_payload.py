"""The task as a payload carries it: every member that is acted on, in Docker's words and units."""

import msgspec
import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.task.draft import containers_of
from moorage.ecs.rules.task.payload import Delivery, run_payload, stop_payload
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from tests.ecs.rules.builders import ACCOUNT, ARN, CLUSTER, NOW, REGION, a_task

DIGEST = "sha256:" + "a" * 64
WEB = {"name": "web", "image": "demo:1", "memory": 64}
DELIVERY = Delivery(
    cluster_arn=f"{ARN}:cluster/{CLUSTER}",
    registry_names=("registry.test:4750",),
    ecr_endpoint="http://registry.test:4750",
    claimed_digests=(DIGEST,),
)


def definition(*containers, **members) -> TaskDefinition:
    given = {"family": "web", "containerDefinitions": list(containers), **members}
    return TaskDefinition(
        account=ACCOUNT,
        region=REGION,
        family="web",
        revision=7,
        arn=f"{ARN}:task-definition/web:7",
        status="ACTIVE",
        registered_at=NOW,
        definition=normal_form(msgspec.convert(given, RegisterTaskDefinitionRequest)),
    )


def payload(*containers, overrides=None, images=(), **members):
    asked = definition(*containers, **members)
    given = None if overrides is None else msgspec.convert(overrides, TaskOverride)
    arns = tuple(f"arn{n}" for n in range(len(containers)))
    drafted = containers_of(asked.definition, arns, given, images)
    task = a_task(containers=drafted, overrides=given)
    return run_payload(task, asked, DELIVERY)


def docker(**members) -> tuple[dict, dict]:
    """(Config, HostConfig) of a container with these members."""
    top = {key: members.pop(key) for key in ("networkMode",) if key in members}
    container = payload({**WEB, **members}, **top).containers[0]
    return (
        msgspec.json.decode(container.docker_config.config),
        msgspec.json.decode(container.docker_config.host_config),
    )


def test_the_task_itself():
    found = payload(WEB, cpu="512", memory="1024")
    task = a_task()
    assert (found.arn, found.desired_status) == (task.arn, "RUNNING")
    assert (found.family, found.version, found.group) == ("web", "1", "service:web")
    assert (found.cpu, found.memory, found.network_mode) == (0.5, 1024, "bridge")
    assert (found.service_name, found.launch_type) == ("web", "EC2")
    assert found.moorage.registry_names == ("registry.test:4750",)
    assert found.moorage.claimed_digests == (DIGEST,)
    assert (payload(WEB).cpu, payload(WEB).memory) == (None, None)


def test_a_container():
    found = payload(
        {
            **WEB,
            "cpu": 100,
            "command": ["a", "b"],
            "entryPoint": ["/bin/sh"],
            "environment": [{"name": "A", "value": "1"}],
            "portMappings": [{"containerPort": 80}, {"containerPortRange": "90-91"}],
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}],
            "volumesFrom": [{"sourceContainer": "side"}],
            "links": ["side"],
            "dependsOn": [{"containerName": "side", "condition": "HEALTHY"}],
            "startTimeout": 5,
            "stopTimeout": 6,
            "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
            "healthCheck": {"command": ["CMD", "true"]},
        },
        {**WEB, "name": "side", "essential": False},
        volumes=[{"name": "v", "host": {"sourcePath": "/srv"}}],
    )
    shown = msgspec.to_builtins(found.containers[0])
    del shown["dockerConfig"]
    assert shown == {
        "name": "web",
        "image": "demo:1",
        "essential": True,
        "cpu": 100,
        "memory": 64,
        "command": ("a", "b"),
        "entryPoint": ("/bin/sh",),
        "environment": {"A": "1"},
        "portMappings": (
            {"containerPort": 80, "hostPort": 0, "protocol": "tcp"},
            {"containerPortRange": "90-91", "protocol": "tcp"},
        ),
        "mountPoints": ({"sourceVolume": "v", "containerPath": "/v", "readOnly": True},),
        "volumesFrom": ({"sourceContainer": "side"},),
        "links": ("side",),
        "dependsOn": ({"containerName": "side", "condition": "HEALTHY"},),
        "startTimeout": 5,
        "stopTimeout": 6,
        "restartPolicy": {"enabled": True, "ignoredExitCodes": (), "restartAttemptPeriod": 60},
        "healthCheckType": "docker",
        "containerArn": "arn0",
    }
    assert found.containers[1].essential is False
    assert found.volumes[0].host.source_path == "/srv"


def test_the_silent_container_says_little_to_docker():
    config, host = docker()
    assert config == {"Healthcheck": {"Test": ["NONE"]}}
    assert host == {
        "NetworkMode": "bridge",
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    }


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"user": "1000:1000"}, {"User": "1000:1000"}),
        ({"workingDirectory": "/w"}, {"WorkingDir": "/w"}),
        ({"hostname": "h"}, {"Hostname": "h"}),
        ({"dockerLabels": {"a": "b"}}, {"Labels": {"a": "b"}}),
        ({"interactive": True, "pseudoTerminal": True}, {"OpenStdin": True, "Tty": True}),
        ({"disableNetworking": True}, {"NetworkDisabled": True}),
        (
            {"healthCheck": {"command": ["CMD-SHELL", "true"], "startPeriod": 10}},
            {
                "Healthcheck": {
                    "Test": ["CMD-SHELL", "true"],
                    "Interval": 30_000_000_000,
                    "Timeout": 5_000_000_000,
                    "StartPeriod": 10_000_000_000,
                    "Retries": 3,
                }
            },
        ),
        ({"healthCheck": {"command": ["NONE"]}}, {"Healthcheck": {"Test": ["NONE"]}}),
    ],
)
def test_docker_config(members, expected):
    config, _ = docker(**members)
    assert {key: config.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"networkMode": "host"}, {"NetworkMode": "host"}),
        ({"networkMode": "none"}, {"NetworkMode": "none"}),
        ({"memoryReservation": 32}, {"MemoryReservation": 32 << 20}),
        (
            {"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}]},
            {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]},
        ),
        (
            {"privileged": True, "readonlyRootFilesystem": True},
            {"Privileged": True, "ReadonlyRootfs": True},
        ),
        (
            {"dnsServers": ["1.1.1.1"], "dnsSearchDomains": ["x"]},
            {"Dns": ["1.1.1.1"], "DnsSearch": ["x"]},
        ),
        (
            {"extraHosts": [{"hostname": "a", "ipAddress": "10.0.0.1"}]},
            {"ExtraHosts": ["a:10.0.0.1"]},
        ),
        ({"dockerSecurityOptions": ["no-new-privileges"]}, {"SecurityOpt": ["no-new-privileges"]}),
        (
            {"systemControls": [{"namespace": "net.core.somaxconn", "value": "1"}]},
            {"Sysctls": {"net.core.somaxconn": "1"}},
        ),
        (
            {"logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}}},
            {"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "3"}}},
        ),
        (
            {"logConfiguration": {"logDriver": "syslog", "options": {"tag": "x"}}},
            {"LogConfig": {"Type": "syslog", "Config": {"tag": "x"}}},
        ),
        (
            {"logConfiguration": {"logDriver": "none"}},
            {"LogConfig": {"Type": "none", "Config": {}}},
        ),
        (
            {
                "linuxParameters": {
                    "initProcessEnabled": True,
                    "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
                    "sharedMemorySize": 64,
                    "tmpfs": [{"containerPath": "/t", "size": 8, "mountOptions": ["ro"]}],
                    "devices": [
                        {"hostPath": "/dev/x"},
                        {
                            "hostPath": "/dev/y",
                            "containerPath": "/dev/z",
                            "permissions": ["read", "write"],
                        },
                    ],
                    "maxSwap": 36,
                    "swappiness": 10,
                }
            },
            {
                "Init": True,
                "CapAdd": ["SYS_PTRACE"],
                "CapDrop": ["ALL"],
                "ShmSize": 64 << 20,
                "Tmpfs": {"/t": "size=8m,ro"},
                "Devices": [
                    {
                        "PathOnHost": "/dev/x",
                        "PathInContainer": "/dev/x",
                        "CgroupPermissions": "rwm",
                    },
                    {
                        "PathOnHost": "/dev/y",
                        "PathInContainer": "/dev/z",
                        "CgroupPermissions": "rw",
                    },
                ],
                "MemorySwap": 100 << 20,
                "MemorySwappiness": 10,
            },
        ),
    ],
)
def test_docker_host_config(members, expected):
    _, host = docker(**members)
    assert {key: host.get(key) for key in expected} == expected


def test_overrides_are_merged():
    found = payload(
        {**WEB, "environment": [{"name": "A", "value": "1"}]},
        overrides={
            "containerOverrides": [
                {
                    "name": "web",
                    "command": ["x"],
                    "environment": [{"name": "B", "value": "2"}],
                    "memory": 99,
                }
            ]
        },
    ).containers[0]
    assert found.command == ("x",)
    assert found.environment == {"A": "1", "B": "2"}
    assert found.memory == 99
    assert found.overrides is None


def test_images_are_pinned_and_ours_say_who_issues_the_token():
    ours = "registry.test:4750/x:1"
    pinned = RevisionImage(container_name="web", image=ours, digest=DIGEST)
    found = payload({**WEB, "image": ours}, images=(pinned,)).containers[0]
    assert found.image == f"registry.test:4750/x@{DIGEST}"
    assert found.registry_authentication.type == "ecr"
    assert found.registry_authentication.ecr_auth_data.registry_id == ACCOUNT
    assert found.registry_authentication.ecr_auth_data.endpoint_override == (
        "http://registry.test:4750"
    )
    assert payload(WEB).containers[0].registry_authentication is None


def test_host_mode_publishes_nothing_of_its_own():
    found = payload({**WEB, "portMappings": [{"containerPort": 80}]}, networkMode="host")
    assert found.containers[0].port_mappings[0].host_port == 80
    assert found.network_mode == "host"


def test_docker_volumes():
    found = payload(
        WEB,
        volumes=[
            {"name": "a"},
            {
                "name": "b",
                "dockerVolumeConfiguration": {
                    "scope": "shared",
                    "autoprovision": True,
                    "driverOpts": {"o": "x"},
                },
            },
        ],
    )
    assert (found.volumes[0].type, found.volumes[0].host.source_path) == ("host", None)
    docker_volume = found.volumes[1].docker_volume_configuration
    assert (docker_volume.scope, docker_volume.autoprovision, docker_volume.driver) == (
        "shared",
        True,
        "local",
    )
    assert docker_volume.driver_opts == {"o": "x"}


def test_the_order_to_stop_is_short():
    found = msgspec.to_builtins(stop_payload(a_task(), DELIVERY.cluster_arn))
    assert found["desiredStatus"] == "STOPPED"
    assert found["containers"] == ({"name": "web", "image": "demo:1", "essential": True},)


def test_containers_of_a_task_know_what_they_are():
    asked = definition(
        {**WEB, "cpu": 5, "memoryReservation": 32, "healthCheck": {"command": ["CMD", "true"]}},
        {"name": "side", "image": "side:1", "essential": False, "memory": 6},
    ).definition
    web, side = containers_of(asked, ("arn0", "arn1"))
    assert (web.arn, web.cpu, web.memory, web.memory_reservation) == ("arn0", "5", "64", "32")
    assert (web.has_health_check, side.has_health_check) == (True, False)
    assert (web.essential, side.essential) == (True, False)
    assert (web.pinned_image, web.image_digest) == (None, None)
