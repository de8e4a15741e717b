"""What RegisterTaskDefinition refuses, and how it says so."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.definition.validate import refuse
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

WEB = {"name": "web", "image": "demo:1", "memory": 64}
SIDE = {**WEB, "name": "side", "essential": False}


def request(**members) -> RegisterTaskDefinitionRequest:
    given_members = {"family": "web", "containerDefinitions": [WEB], **members}
    return msgspec.convert(given_members, RegisterTaskDefinitionRequest)


def web(**members) -> RegisterTaskDefinitionRequest:
    return request(containerDefinitions=[{**WEB, **members}])


def task(*containers, **members) -> RegisterTaskDefinitionRequest:
    return request(containerDefinitions=list(containers), **members)


def check(**members) -> RegisterTaskDefinitionRequest:
    return web(healthCheck={"command": ["CMD", "true"], **members})


def linux(**members) -> RegisterTaskDefinitionRequest:
    return web(linuxParameters=members)


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
        (web(name=None), "Container.name should not be null or empty."),
        (web(name="a b"), "Container.name contains invalid characters."),
        (web(image=""), "Container.image should not be null or empty."),
        (web(image="$IMAGE"), "Container.image contains invalid characters."),
        (task(WEB, WEB), "Container names must be unique; 'web' is used more than once."),
        (
            web(essential=False),
            "TaskDefinition must have at least one essential container.",
        ),
        (
            web(memory=None),
            (
                "Invalid setting for container 'web'. At least one of 'memory' or "
                "'memoryReservation' must be specified."
            ),
        ),
        (web(cpu=-1), "Invalid 'cpu' setting for container 'web'."),
        (web(memory=5), "Invalid 'memory' setting for container 'web'."),
        (web(memoryReservation=0), "Invalid 'memoryReservation' setting for container 'web'."),
        (
            web(memoryReservation=65),
            (
                "Invalid setting for container 'web'. 'memory' must be greater than or equal to "
                "'memoryReservation'."
            ),
        ),
        (web(portMappings=[{}]), "Invalid 'containerPort' setting for container 'web'."),
        (
            web(portMappings=[{"containerPort": 70000}]),
            "Invalid 'containerPort' setting for container 'web'.",
        ),
        (
            web(portMappings=[{"containerPort": 80, "hostPort": 70000}]),
            "Invalid 'hostPort' setting for container 'web'.",
        ),
        (
            web(portMappings=[{"containerPortRange": "9-8"}]),
            "Invalid 'containerPortRange' setting for container 'web'.",
        ),
        (
            web(portMappings=[{"containerPortRange": "8-9", "hostPort": 8}]),
            "Invalid 'containerPortRange' setting for container 'web'.",
        ),
        (
            web(portMappings=[{"containerPortRange": "1-101"}]),
            "Invalid 'containerPortRange' setting for container 'web'.",
        ),
        (
            web(portMappings=[{"containerPortRange": f"{n}-{n}"} for n in range(1, 102)]),
            "Invalid 'containerPortRange' setting for container 'web'.",
        ),
        (
            web(
                portMappings=[
                    {"containerPort": 1, "name": "a"},
                    {"containerPort": 2, "name": "a"},
                ]
            ),
            "Port mapping names must be unique in container 'web'.",
        ),
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
            web(environment=[{"name": "A=B", "value": "c"}]),
            "Invalid 'environment' setting for container 'web'.",
        ),
        (
            web(environmentFiles=[{"type": "s3", "value": "x"}] * 11),
            "Container 'web' has more than 10 environmentFiles.",
        ),
        (
            web(healthCheck={"command": ["true"]}),
            (
                "Invalid 'healthCheck' setting for container 'web'. The command must begin with CMD "
                "or CMD-SHELL."
            ),
        ),
        (
            web(healthCheck={"command": ["CMD"]}),
            (
                "Invalid 'healthCheck' setting for container 'web'. The command must begin with CMD "
                "or CMD-SHELL."
            ),
        ),
        (
            check(interval=4),
            (
                "Invalid 'healthCheck' setting for container 'web'. The interval must be between 5 "
                "and 300."
            ),
        ),
        (
            check(startPeriod=301),
            (
                "Invalid 'healthCheck' setting for container 'web'. The startPeriod must be between "
                "0 and 300."
            ),
        ),
        (
            web(restartPolicy={"enabled": True, "restartAttemptPeriod": 0}),
            (
                "Invalid 'restartPolicy' setting for container 'web'. The restartAttemptPeriod must "
                "be between 1 and 1800 seconds."
            ),
        ),
        (
            web(restartPolicy={"enabled": True, "ignoredExitCodes": list(range(51))}),
            (
                "Invalid 'restartPolicy' setting for container 'web'. At most 50 ignoredExitCodes "
                "are allowed."
            ),
        ),
        (web(stopTimeout=-1), "Invalid 'stopTimeout' setting for container 'web'."),
        (
            web(ulimits=[{"name": "nofile", "softLimit": 2, "hardLimit": 1}]),
            (
                "Invalid 'ulimits' setting for container 'web'. The softLimit of nofile must not be "
                "greater than its hardLimit."
            ),
        ),
        (
            web(resourceRequirements=[{"type": "GPU", "value": "0"}]),
            "Invalid 'resourceRequirements' setting for container 'web'.",
        ),
        (
            web(systemControls=[{"namespace": "net.core.somaxconn"}]),
            "Invalid 'systemControls' setting for container 'web'.",
        ),
        (
            web(extraHosts=[{"hostname": "a"}]),
            "Invalid 'extraHosts' setting for container 'web'.",
        ),
        (
            linux(capabilities={"add": ["FLY"]}),
            "Invalid 'linuxParameters.capabilities' setting for container 'web'.",
        ),
        (
            linux(devices=[{"hostPath": "null"}]),
            "Invalid 'linuxParameters.devices' setting for container 'web'.",
        ),
        (
            linux(tmpfs=[{"containerPath": "/t", "size": 0}]),
            "Invalid 'linuxParameters.tmpfs' setting for container 'web'.",
        ),
        (
            linux(sharedMemorySize=-1),
            "Invalid 'linuxParameters.sharedMemorySize' setting for container 'web'.",
        ),
        (
            linux(swappiness=101),
            "Invalid 'linuxParameters.swappiness' setting for container 'web'.",
        ),
        (
            linux(maxSwap=-1),
            "Invalid 'linuxParameters.maxSwap' setting for container 'web'.",
        ),
        (
            web(dependsOn=[{"containerName": "db", "condition": "START"}]),
            "Cannot depend on container 'db' because it does not exist.",
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
            web(dependsOn=[{"containerName": "web", "condition": "START"}]),
            "Container dependencies form a cycle: web -> web.",
        ),
        (
            web(volumesFrom=[{"sourceContainer": "db"}]),
            "Unknown container 'db' in volumesFrom.",
        ),
        (web(links=["db:x"]), "Unknown container 'db' in links."),
        (web(mountPoints=[{"containerPath": "/v"}]), "Unknown volume 'null'."),
        (
            web(mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}]),
            "Unknown volume 'v'.",
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
