"""The normal form: what ECS fills in, and what a definition asks of its hosts."""

import msgspec
import pytest

from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

WEB = {"name": "web", "image": "demo:1", "memory": 64}


def form(container=None, **members):
    given = {"family": "web", "containerDefinitions": [{**WEB, **(container or {})}], **members}
    return msgspec.to_builtins(normal_form(msgspec.convert(given, RegisterTaskDefinitionRequest)))


def asks(container=None, **members) -> list[str]:
    return [
        f"{one['name']}={one['value']}" if "value" in one else one["name"]
        for one in form(container, **members)["requiresAttributes"]
    ]


def test_the_smallest_definition_is_read_back_in_full():
    assert form() == {
        "family": "web",
        "containerDefinitions": [
            {
                "name": "web",
                "image": "demo:1",
                "cpu": 0,
                "memory": 64,
                "essential": True,
                "portMappings": [],
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            }
        ],
        "volumes": [],
        "placementConstraints": [],
        "compatibilities": ["EXTERNAL", "EC2"],
        "requiresAttributes": [],
    }


@pytest.mark.parametrize(
    ("mode", "mapping", "expected"),
    [
        (None, {"containerPort": 80}, (0, "tcp")),
        ("bridge", {"containerPort": 80, "protocol": "udp"}, (0, "udp")),
        ("bridge", {"containerPort": 80, "hostPort": 8080}, (8080, "tcp")),
        ("host", {"containerPort": 80}, (80, "tcp")),
        ("awsvpc", {"containerPort": 80}, (80, "tcp")),
    ],
)
def test_port_mappings(mode, mapping, expected):
    found = form({"portMappings": [mapping]}, networkMode=mode)
    shown = found["containerDefinitions"][0]["portMappings"][0]
    assert (shown["hostPort"], shown["protocol"]) == expected


def test_ranges_have_no_host_port():
    found = form({"portMappings": [{"containerPortRange": "8000-8001"}]})
    assert found["containerDefinitions"][0]["portMappings"] == [
        {"containerPortRange": "8000-8001", "protocol": "tcp"}
    ]


def test_sizes_volumes_and_checks():
    found = form(
        {"healthCheck": {"command": ["CMD", "true"]}},
        cpu="1 vCPU",
        memory="2 GB",
        volumes=[{"name": "v"}, {"name": "w", "host": {"sourcePath": "/w"}}],
    )
    assert (found["cpu"], found["memory"]) == ("1024", "2048")
    assert found["volumes"] == [
        {"name": "v", "host": {}},
        {"name": "w", "host": {"sourcePath": "/w"}},
    ]
    assert found["containerDefinitions"][0]["healthCheck"] == {
        "command": ["CMD", "true"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }


@pytest.mark.parametrize(
    ("text", "cpu", "memory"),
    [
        ("1024", 1024, 1024),
        ("1 vCPU", 1024, None),
        (".5 vcpu", 512, None),
        ("0.25VCPU", 256, None),
        ("2 GB", None, 2048),
        ("0.5gb", None, 512),
        (" 2GB ", None, 2048),
        ("", None, None),
        ("GB", None, None),
        ("1.5", None, None),
        ("-1", None, None),
        ("1e3", None, None),
        ("1,5 GB", None, None),
        ("9999999999", None, None),
    ],
)
def test_sizes(text, cpu, memory):
    assert cpu_units(text) == cpu
    assert memory_mebibytes(text) == memory


LOGS = "com.amazonaws.ecs.capability.logging-driver."


@pytest.mark.parametrize(
    ("container", "members", "expected"),
    [
        ({}, {}, []),
        (
            {},
            {"taskRoleArn": "arn"},
            ["com.amazonaws.ecs.capability.task-iam-role", "moorage.capability.task-role"],
        ),
        (
            {},
            {"taskRoleArn": "arn", "networkMode": "host"},
            [
                "com.amazonaws.ecs.capability.task-iam-role",
                "com.amazonaws.ecs.capability.task-iam-role-network-host",
                "moorage.capability.task-role",
            ],
        ),
        ({}, {"executionRoleArn": "arn"}, []),
        (
            {"secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:r:1:secret:x"}]},
            {},
            ["ecs.capability.secrets.asm.environment-variables", "moorage.capability.secrets"],
        ),
        (
            {"secrets": [{"name": "A", "valueFrom": "parameter"}]},
            {},
            ["ecs.capability.secrets.ssm.environment-variables", "moorage.capability.secrets"],
        ),
        (
            {"environmentFiles": [{"type": "s3", "value": "x"}]},
            {},
            ["ecs.capability.env-files.s3", "moorage.capability.environment-files"],
        ),
        ({"logConfiguration": {"logDriver": "journald"}}, {}, [f"{LOGS}journald"]),
        ({"logConfiguration": {"logDriver": "local"}}, {}, [f"{LOGS}local"]),
        (
            {"logConfiguration": {"logDriver": "awslogs"}},
            {},
            [f"{LOGS}awslogs", "moorage.capability.awslogs"],
        ),
        (
            {"logConfiguration": {"logDriver": "awsfirelens"}},
            {},
            [f"{LOGS}awsfirelens", "moorage.capability.firelens"],
        ),
        (
            {
                "logConfiguration": {
                    "logDriver": "splunk",
                    "secretOptions": [{"name": "t", "valueFrom": "p"}],
                }
            },
            {},
            [
                f"{LOGS}splunk",
                "ecs.capability.secrets.ssm.bootstrap.log-driver",
                "moorage.capability.secrets",
            ],
        ),
        (
            {"firelensConfiguration": {"type": "fluentbit"}},
            {},
            ["ecs.capability.firelens.fluentbit", "moorage.capability.firelens"],
        ),
        (
            {},
            {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]},
            ["ecs.capability.efs", "moorage.capability.efs"],
        ),
        (
            {},
            {"volumes": [{"name": "v", "fsxWindowsFileServerVolumeConfiguration": {}}]},
            ["ecs.capability.fsxWindowsFileServer", "moorage.capability.fsx"],
        ),
        (
            {},
            {"volumes": [{"name": "v", "configuredAtLaunch": True}]},
            ["ecs.capability.storage.ebs-task-volume-attach", "moorage.capability.ebs"],
        ),
        (
            {},
            {"volumes": [{"name": "v", "s3filesVolumeConfiguration": {}}]},
            ["ecs.capability.storage.s3-files", "moorage.capability.s3-files"],
        ),
        (
            {},
            {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"driver": "rexray"}}]},
            ["ecs.capability.docker-plugin.rexray"],
        ),
        ({}, {"volumes": [{"name": "v", "dockerVolumeConfiguration": {"driver": "local"}}]}, []),
        ({"resourceRequirements": [{"type": "GPU", "value": "1"}]}, {}, []),
        (
            {
                "resourceRequirements": [
                    {"type": "GPU", "sharingStrategy": {"nvidiaMps": {"memory": 1024}}}
                ]
            },
            {},
            ["moorage.capability.gpu-sharing"],
        ),
        (
            {"resourceRequirements": [{"type": "NeuronDevice", "value": "1"}]},
            {},
            ["moorage.capability.accelerators"],
        ),
        ({}, {"networkMode": "awsvpc"}, ["ecs.capability.task-eni", "moorage.capability.awsvpc"]),
        ({"privileged": True}, {}, ["com.amazonaws.ecs.capability.privileged-container"]),
        ({"healthCheck": {"command": ["NONE"]}}, {}, ["ecs.capability.container-health-check"]),
        ({"restartPolicy": {"enabled": True}}, {}, ["ecs.capability.container-restart-policy"]),
        ({"restartPolicy": {"enabled": False}}, {}, []),
        (
            {"portMappings": [{"containerPortRange": "1-2"}]},
            {},
            ["ecs.capability.network.container-port-range"],
        ),
        (
            {"repositoryCredentials": {"credentialsParameter": "arn"}},
            {},
            [
                "ecs.capability.private-registry-authentication.secretsmanager",
                "moorage.capability.repository-credentials",
            ],
        ),
        ({}, {"cpu": "256"}, ["ecs.capability.task-cpu-mem-limit"]),
        ({}, {"pidMode": "host"}, ["ecs.capability.pid-ipc-namespace-sharing"]),
        (
            {},
            {"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}},
            ["ecs.cpu-architecture=arm64", "ecs.os-family=LINUX"],
        ),
        ({}, {"ephemeralStorage": {"sizeInGiB": 21}}, ["moorage.capability.ephemeral-storage"]),
    ],
)
def test_what_no_host_offers_stands_in_requires_attributes(container, members, expected):
    assert asks(container, **members) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ["EXTERNAL", "EC2"]),
        ({"networkMode": "awsvpc"}, ["EC2"]),
        ({"networkMode": "awsvpc", "cpu": "256", "memory": "512"}, ["EC2", "FARGATE"]),
        ({"requiresCompatibilities": ["EC2"]}, ["EXTERNAL", "EC2"]),
        (
            {"requiresCompatibilities": ["MANAGED_INSTANCES"]},
            ["EXTERNAL", "EC2", "MANAGED_INSTANCES"],
        ),
    ],
)
def test_compatibilities(members, expected):
    assert form(**members)["compatibilities"] == expected
