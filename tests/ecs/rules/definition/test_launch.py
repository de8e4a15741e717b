"""What RunTask, StartTask and services may not ask, and what asks for nothing."""

import msgspec
import pytest

from moorage.ecs.rules.definition.launch import (
    refuse_create,
    refuse_network,
    refuse_run,
    refuse_start,
    refuse_update,
)
from moorage.shapes.ecs.network import NetworkConfiguration
from moorage.shapes.ecs.service import CreateServiceRequest, UpdateServiceRequest
from moorage.shapes.ecs.task import RunTaskRequest, StartTaskRequest
from moorage.shapes.ecs.task_definition import TaskDefinition

AWSVPC = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


def code(refusal) -> str:
    return "" if refusal is None else refusal.code


UNSUPPORTED = "UnsupportedFeatureException"
INVALID = "InvalidParameterException"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ""),
        ({"count": 10, "launchType": "EC2", "startedBy": "x" * 128, "group": "g"}, ""),
        ({"launchType": "EXTERNAL", "capacityProviderStrategy": []}, ""),
        ({"count": 0}, INVALID),
        ({"count": 11}, INVALID),
        ({"launchType": "FARGATE"}, UNSUPPORTED),
        ({"launchType": "MANAGED_INSTANCES"}, UNSUPPORTED),
        ({"capacityProviderStrategy": [{"capacityProvider": "x"}]}, ""),
        ({"volumeConfigurations": [{"name": "v"}]}, UNSUPPORTED),
        ({"platformVersion": "LATEST"}, INVALID),
        ({"clientToken": "x" * 65}, INVALID),
        ({"startedBy": "x" * 129}, INVALID),
        ({"group": "service:web"}, INVALID),
        ({"group": "g" * 255}, ""),
        ({"group": "g" * 256}, INVALID),
        ({"placementConstraints": [{"type": "memberOf", "expression": "("}]}, INVALID),
        ({"placementStrategy": [{"type": "spread"}]}, INVALID),
    ],
)
def test_run_task(members, expected):
    assert code(refuse_run(msgspec.convert(members, RunTaskRequest))) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ""),
        ({"containerInstances": []}, INVALID),
        ({"containerInstances": ["i"] * 11}, INVALID),
        ({"startedBy": "x" * 37}, INVALID),
        ({"volumeConfigurations": [{"name": "v"}]}, UNSUPPORTED),
    ],
)
def test_start_task(members, expected):
    given = {"containerInstances": ["i"], **members}
    assert code(refuse_start(msgspec.convert(given, StartTaskRequest))) == expected


SERVICE = [
    ({}, ""),
    ({"loadBalancers": [], "serviceRegistries": [], "volumeConfigurations": []}, ""),
    ({"serviceConnectConfiguration": {"enabled": False}}, ""),
    ({"deploymentController": {"type": "ECS"}}, ""),
    ({"availabilityZoneRebalancing": "DISABLED"}, ""),
    ({"availabilityZoneRebalancing": "ENABLED"}, ""),
    ({"desiredCount": -1}, INVALID),
    ({"desiredCount": 5001}, INVALID),
    ({"healthCheckGracePeriodSeconds": -1}, INVALID),
    ({"loadBalancers": [{"containerPort": 80}]}, UNSUPPORTED),
    ({"serviceRegistries": [{"registryArn": "x"}]}, UNSUPPORTED),
    ({"serviceConnectConfiguration": {"enabled": True}}, UNSUPPORTED),
    ({"capacityProviderStrategy": [{"capacityProvider": "x"}]}, ""),
    ({"volumeConfigurations": [{"name": "v"}]}, UNSUPPORTED),
    ({"vpcLatticeConfigurations": [{"portName": "x"}]}, UNSUPPORTED),
    ({"gatewayConnectors": [{}]}, UNSUPPORTED),
    ({"deploymentController": {"type": "EXTERNAL"}}, UNSUPPORTED),
    ({"deploymentConfiguration": {"strategy": "CANARY"}}, UNSUPPORTED),
    ({"deploymentConfiguration": {"maximumPercent": 50}}, INVALID),
    ({"platformVersion": "1.4.0"}, INVALID),
]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        *SERVICE,
        ({"desiredCount": None}, INVALID),
        ({"schedulingStrategy": "DAEMON"}, INVALID),  # with a desired count
        ({"schedulingStrategy": "DAEMON", "desiredCount": None}, ""),
        ({"schedulingStrategy": "SOMETIMES"}, INVALID),
        ({"launchType": "FARGATE"}, UNSUPPORTED),
        ({"role": "arn"}, UNSUPPORTED),
        ({"clientToken": "x" * 65}, INVALID),
    ],
)
def test_create_service(members, expected):
    given = {"desiredCount": 1, **members}
    assert code(refuse_create(msgspec.convert(given, CreateServiceRequest))) == expected


@pytest.mark.parametrize(("members", "expected"), SERVICE)
def test_update_service(members, expected):
    assert code(refuse_update(msgspec.convert(members, UpdateServiceRequest))) == expected


@pytest.mark.parametrize(
    ("mode", "network", "sound"),
    [
        (None, None, True),
        ("bridge", {}, True),
        ("bridge", AWSVPC, False),
        ("awsvpc", AWSVPC, True),
        ("awsvpc", None, False),
    ],
)
def test_network_configuration_goes_with_awsvpc_alone(mode, network, sound):
    given = None if network is None else msgspec.convert(network, NetworkConfiguration)
    assert (refuse_network(TaskDefinition(network_mode=mode), given) is None) is sound


def test_a_refusal_names_what_it_refuses():
    refusal = refuse_run(RunTaskRequest(launch_type="FARGATE"))
    assert "FARGATE" in refusal.message
