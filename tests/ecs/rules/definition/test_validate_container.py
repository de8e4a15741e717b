"""What is refused of a container definition, whatever stands around it."""

import pytest

from moorage.ecs.rules.definition.validate import refuse
from tests.ecs.rules.definition.requests import check, linux, web


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (web(name=None), "Container.name should not be null or empty."),
        (web(name="a b"), "Container.name contains invalid characters."),
        (web(image=""), "Container.image should not be null or empty."),
        (web(image="$IMAGE"), "Container.image contains invalid characters."),
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
            web(
                resourceRequirements=[
                    {"type": "GPU", "value": "1", "sharingStrategy": {"nvidiaMps": {"memory": 1}}}
                ]
            ),
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
    ],
)
def test_what_is_refused(asked, message):
    refusal = refuse(asked)
    assert refusal is not None
    assert refusal.message == message
    assert refusal.code == "ClientException"
