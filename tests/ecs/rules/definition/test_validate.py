"""What RegisterTaskDefinition refuses, and how it says so."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.definition.validate import refuse
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from tests.ecs.rules.definition.requests import SIDE, WEB, check, linux, request, task, web

SOUND = [
    request(),
    request(cpu="1 vCPU", memory="2 GB"),
    task({"name": "web", "image": "demo:1"}, memory="128"),
    web(memoryReservation=32),
    web(portMappings=[{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]),
    web(portMappings=[{"containerPortRange": "8000-8010"}]),
    web(portMappings=[{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}]),
    task(WEB, {**SIDE, "dependsOn": [{"containerName": "web", "condition": "START"}]}),
    task({**WEB, "dependsOn": [{"containerName": "side", "condition": "SUCCESS"}]}, SIDE),
    task(
        {**WEB, "healthCheck": {"command": ["CMD-SHELL", "true"]}},
        {**SIDE, "dependsOn": [{"containerName": "web", "condition": "HEALTHY"}]},
    ),
    task(WEB, {**SIDE, "links": ["web:alias"], "volumesFrom": [{"sourceContainer": "web"}]}),
    check(interval=5, timeout=60, retries=10, startPeriod=300),
    web(healthCheck={"command": ["NONE"]}),
    web(restartPolicy={"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 1}),
    web(ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": -1}]),
    web(ulimits=[{"name": "nofile", "softLimit": -1, "hardLimit": -1}]),
    linux(capabilities={"add": ["SYS_PTRACE"], "drop": ["ALL"]}, swappiness=100, maxSwap=0),
    linux(devices=[{"hostPath": "/dev/null"}], tmpfs=[{"containerPath": "/t", "size": 1}]),
    web(resourceRequirements=[{"type": "GPU", "value": "2"}]),
    request(
        containerDefinitions=[
            {**WEB, "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}
        ],
        volumes=[{"name": "v", "host": {"sourcePath": "/srv"}}],
    ),
    request(volumes=[{"name": "v", "dockerVolumeConfiguration": {"scope": "task"}}]),
    request(
        volumes=[
            {"name": "v", "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True}}
        ]
    ),
    request(placementConstraints=[{"type": "memberOf", "expression": "attribute:a == b"}]),
    request(requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512"),
    request(networkMode="host", taskRoleArn="arn:aws:iam::1:role/x"),
    web(secrets=[{"name": "A", "valueFrom": "arn:x"}], environmentFiles=[{"type": "s3"}]),
    web(systemControls=[{"namespace": "net.core.somaxconn", "value": "1"}]),
    request(volumes=[{"name": "v", "configuredAtLaunch": True}]),
]


@pytest.mark.parametrize("asked", SOUND)
def test_sound_definitions_register_and_their_normal_form_is_sound_and_stays(asked):
    assert refuse(asked) is None
    form = normal_form(asked)
    members = {
        name: value
        for name, value in msgspec.to_builtins(form).items()
        if name not in {"compatibilities", "requiresAttributes"}
    }
    again = msgspec.convert(members, RegisterTaskDefinitionRequest)
    assert refuse(again) is None
    assert normal_form(again) == form


PORTS = [{"containerPort": 80, "hostPort": 80}]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (request(family=None), "Family should not be null or empty."),
        (request(family="a b"), "Family contains invalid characters."),
        (request(family="a" * 256), "Family contains invalid characters."),
        (task(), "Container list cannot be empty."),
        (
            task(*[{**WEB, "name": f"c{n}"} for n in range(11)]),
            "TaskDefinition has too many containers; the maximum is 10.",
        ),
        (task(WEB, WEB), "Container names must be unique; 'web' is used more than once."),
        (
            task({**WEB, "portMappings": PORTS}, {**SIDE, "portMappings": PORTS}),
            "Host port 80/tcp is used by more than one port mapping.",
        ),
        (
            task(
                {**WEB, "portMappings": [{"containerPortRange": "80-82"}]},
                {**SIDE, "portMappings": [{"containerPort": 81}]},
                networkMode="host",
            ),
            "Host port 81/tcp is used by more than one port mapping.",
        ),
        (
            task(
                {**WEB, "portMappings": [{"containerPort": 80, "hostPort": 8080}]},
                networkMode="host",
            ),
            (
                "When networkMode=host, the host ports and container ports in port mappings must "
                "match."
            ),
        ),
        (
            task({**WEB, "portMappings": PORTS}, networkMode="none"),
            "Port mappings are not supported when networkMode=none.",
        ),
        (
            task(WEB, {**SIDE, "links": ["web"]}, networkMode="host"),
            "Links are not supported when networkMode=host.",
        ),
        (
            task(
                {**WEB, "systemControls": [{"namespace": "net.core.somaxconn", "value": "1"}]},
                networkMode="host",
            ),
            (
                "Container 'web' sets net.core.somaxconn, which is the host's own when "
                "networkMode=host."
            ),
        ),
        (
            task(
                {**WEB, "dependsOn": [{"containerName": "db", "condition": "SUCCESS"}]},
                {**WEB, "name": "db"},
            ),
            (
                "A dependency container with SUCCESS or COMPLETE condition cannot be an essential "
                "container."
            ),
        ),
        (
            task({**WEB, "dependsOn": [{"containerName": "side", "condition": "HEALTHY"}]}, SIDE),
            "Cannot depend on container 'side' being HEALTHY because it has no healthCheck.",
        ),
        (
            task(
                {**WEB, "dependsOn": [{"containerName": "side", "condition": "START"}]},
                {**SIDE, "volumesFrom": [{"sourceContainer": "web"}]},
            ),
            "Container dependencies form a cycle: web -> side -> web.",
        ),
        (
            request(
                containerDefinitions=[{**WEB, "mountPoints": [{"sourceVolume": "v"}]}],
                volumes=[{"name": "v"}],
            ),
            "Invalid 'containerPath' setting for container 'web'.",
        ),
        (
            request(
                containerDefinitions=[
                    {**WEB, "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}] * 2}
                ],
                volumes=[{"name": "v"}],
            ),
            "Container 'web' mounts more than one volume at /v.",
        ),
        (request(volumes=[{}]), "Volume name should not be null or empty."),
        (request(volumes=[{"name": "a b"}]), "Volume name contains invalid characters."),
        (
            request(volumes=[{"name": "v"}, {"name": "v"}]),
            "Volume names must be unique; 'v' is used more than once.",
        ),
        (
            request(volumes=[{"name": "v", "host": {"sourcePath": ""}}]),
            "host.sourcePath should not be blank.",
        ),
        (
            request(volumes=[{"name": "v", "host": {"sourcePath": "srv"}}]),
            "The host.sourcePath of volume 'v' must be an absolute path.",
        ),
        (
            request(
                volumes=[
                    {
                        "name": "v",
                        "host": {"sourcePath": "/x"},
                        "dockerVolumeConfiguration": {"scope": "task"},
                    }
                ]
            ),
            "Volume 'v' must have only one configuration.",
        ),
        (
            request(
                volumes=[
                    {
                        "name": "v",
                        "dockerVolumeConfiguration": {"scope": "task", "autoprovision": True},
                    }
                ]
            ),
            "Volume 'v': autoprovision is only valid with the scope shared.",
        ),
        (
            request(cpu="fast"),
            (
                "Invalid 'cpu' setting for task. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide."
            ),
        ),
        (
            request(memory="5"),
            (
                "Invalid 'memory' setting for task. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide."
            ),
        ),
        (
            request(memory="32"),
            "The memory of all containers must not be greater than the memory of the task.",
        ),
        (
            task({**WEB, "cpu": 200}, cpu="128"),
            "The cpu of all containers must not be greater than the cpu of the task.",
        ),
        (
            request(requiresCompatibilities=["FARGATE"]),
            "Networking mode for Fargate tasks must be awsvpc.",
        ),
        (
            request(requiresCompatibilities=["FARGATE"], networkMode="awsvpc"),
            "Fargate requires that 'cpu' be defined at the task level.",
        ),
        (
            request(requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256"),
            "Fargate requires that 'memory' be defined at the task level.",
        ),
        (
            request(
                requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="1536"
            ),
            "No Fargate configuration exists for given values.",
        ),
        (
            request(placementConstraints=[{"type": "distinctInstance"}]),
            "Task definitions take no placement constraint of type distinctInstance.",
        ),
        (
            request(placementConstraints=[{"type": "memberOf", "expression": "x"}]),
            "Invalid expression at character 1: an operator is missing",
        ),
        (
            request(placementConstraints=[{"type": "memberOf", "expression": "x"}] * 11),
            "The maximum number of placement constraints is 10.",
        ),
    ],
)
def test_what_is_refused(asked, message):
    refusal = refuse(asked)
    assert refusal is not None
    assert refusal.message == message
    assert refusal.code == "ClientException"


def test_a_definition_has_a_length():
    refusal = refuse(web(command=["x" * 70_000]))
    assert refusal is not None
    assert refusal.message.endswith("Max allowed length is '65536' bytes.")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
MEMBERS = [
    "cpu", "memory", "memoryReservation", "portMappings", "healthCheck", "dependsOn", "ulimits",
    "linuxParameters", "mountPoints", "volumesFrom", "restartPolicy", "environment", "image",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING, max_size=4))
def test_no_request_makes_it_raise(members):
    try:
        asked = web(**members)
    except msgspec.ValidationError:
        return
    if refuse(asked) is None:
        assert normal_form(asked).container_definitions
