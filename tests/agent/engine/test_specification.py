"""From a payload's container to Docker's creation body."""

import json

import msgspec
import pytest

from moorage.acs.task_messages import (
    Association,
    Container,
    DockerConfig,
    HostVolume,
    MountPoint,
    PortMapping,
    RegistryAuthentication,
    Task,
    Volume,
    VolumeFrom,
)
from moorage.agent.engine.specification import (
    Making,
    Unspecifiable,
    dynamic_ports,
    host_network,
    skeleton,
    specify,
)
from moorage.agent.records.container import ContainerSpec
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import HOST, arn


def made(container: Container, host=HOST, **members) -> ContainerSpec:
    task = a_task(container, a_container("db"), **members)
    spec = specify(Making(task=task, container=container, image="r/x", attempt=1), host)
    assert isinstance(spec, ContainerSpec)
    return spec


def host_config(container: Container, host=HOST, **members) -> dict[str, object]:
    body = made(container, host, **members).body["HostConfig"]
    assert isinstance(body, dict)
    return body


def config(**members: object) -> DockerConfig:
    return DockerConfig(config=json.dumps(members))


def of_host(**members: object) -> DockerConfig:
    return DockerConfig(host_config=json.dumps(members))


def test_a_container_gets_the_gpus_that_are_its_own():
    given = (
        Association(name="GPU-a", type="gpu", containers=("web",)),
        Association(name="GPU-b", type="gpu", containers=("db",)),
        Association(name="GPU-c", type="gpu", containers=("web",)),
        Association(name="other", type="elastic-inference", containers=("web",)),
    )
    body = host_config(a_container("web"), associations=given)
    assert body["DeviceRequests"] == [{"DeviceIDs": ["GPU-a", "GPU-c"], "Capabilities": [["gpu"]]}]
    assert "DeviceRequests" not in host_config(a_container("web"))


def test_the_least_container():
    spec = made(Container(name="web", image="r/x"))
    assert spec.name == "ecs-fam-1-web-000000000001"
    labels = spec.labels
    assert spec.body == {
        "Image": "r/x",
        "Env": ["AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1"],
        "StopTimeout": 30,
        "Labels": labels,
        "HostConfig": {"CpuShares": 2, "RestartPolicy": {"Name": "no"}},
    }
    assert {k: v for k, v in labels.items() if k != "moorage.task"} == {
        "com.amazonaws.ecs.cluster": "lab",
        "com.amazonaws.ecs.container-name": "web",
        "com.amazonaws.ecs.task-arn": arn(1),
        "com.amazonaws.ecs.task-definition-family": "fam",
        "com.amazonaws.ecs.task-definition-version": "1",
        "moorage.host": "h1",
        "moorage.instance": HOST.container_instance_arn,
        "moorage.attempt": "1",
    }


@pytest.mark.parametrize(
    ("members", "key", "value"),
    [
        ({"command": ("a", "b")}, "Cmd", ["a", "b"]),
        ({"command": ("a",), "overrides": '{"command":["c"]}'}, "Cmd", ["c"]),
        ({"overrides": '{"cpu":3}'}, "Cmd", None),
        ({"entry_point": ("/e",)}, "Entrypoint", ["/e"]),
        ({"entry_point": ()}, "Entrypoint", []),
        (
            {"environment": {"AWS_REGION": "mine", "A": "1=2"}},
            "Env",
            ["AWS_REGION=mine", "A=1=2", "AWS_DEFAULT_REGION=us-east-1"],
        ),
        ({"stop_timeout": 7}, "StopTimeout", 7),
        ({"docker_config": config(User="1000", Tty=True)}, "User", "1000"),
        ({"port_mappings": (PortMapping(container_port=80),)}, "ExposedPorts", {"80/tcp": {}}),
        ({"docker_config": config(Cmd=["given"]), "command": ("own",)}, "Cmd", ["given"]),
    ],
)
def test_the_config(members, key, value):
    assert made(a_container(**members)).body.get(key) == value


@pytest.mark.parametrize(
    ("members", "key", "value"),
    [
        ({"cpu": 1}, "CpuShares", 2),
        ({"cpu": 512}, "CpuShares", 512),
        ({"memory": 64}, "Memory", 64 * 1024 * 1024),
        ({"memory": 1}, "Memory", 6 * 1024 * 1024),
        ({"memory": 0}, "Memory", None),
        (
            {"volumes_from": (VolumeFrom(source_container="db", read_only=True),)},
            "VolumesFrom",
            ["ecs-fam-1-db-000000000001:ro"],
        ),
        (
            {"links": ("db:alias", "db")},
            "Links",
            ["ecs-fam-1-db-000000000001:alias", "ecs-fam-1-db-000000000001:db"],
        ),
        ({"docker_config": of_host(Privileged=True)}, "Privileged", True),
        ({"docker_config": of_host(NetworkMode="none")}, "NetworkMode", "none"),
        ({"docker_config": of_host(CpuShares=9), "cpu": 512}, "CpuShares", 9),
        ({"docker_config": of_host(CpuShares=None), "cpu": 512}, "CpuShares", 512),
    ],
)
def test_the_host_config(members, key, value):
    assert host_config(a_container(**members)).get(key) == value


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (PortMapping(container_port=80), {"80/tcp": [{"HostIp": "127.0.0.2", "HostPort": ""}]}),
        (
            PortMapping(container_port=80, host_port=0, protocol="udp"),
            {"80/udp": [{"HostIp": "127.0.0.2", "HostPort": ""}]},
        ),
        (
            PortMapping(container_port=80, host_port=8080),
            {"80/tcp": [{"HostIp": "127.0.0.2", "HostPort": "8080"}]},
        ),
        (
            PortMapping(container_port_range="90-91"),
            {
                "90/tcp": [{"HostIp": "127.0.0.2", "HostPort": ""}],
                "91/tcp": [{"HostIp": "127.0.0.2", "HostPort": ""}],
            },
        ),
        (PortMapping(container_port_range="x"), None),
    ],
)
def test_ports_are_published_on_the_hosts_address(mapping, expected):
    assert host_config(a_container(port_mappings=(mapping,))).get("PortBindings") == expected


def test_on_all_addresses_docker_publishes_both_families():
    everywhere = evolve(HOST, publish_address="0.0.0.0")
    ports = (PortMapping(container_port=80),)
    found = host_config(a_container(port_mappings=ports), everywhere)
    assert found["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": ""}]}


@pytest.mark.parametrize("by", ["task", "container"])
def test_in_host_mode_nothing_is_published(by):
    ports = (PortMapping(container_port=80, host_port=80),)
    docker = of_host(NetworkMode="host") if by == "container" else None
    container = a_container(port_mappings=ports, docker_config=docker)
    mode = "host" if by == "task" else None
    found = host_config(container, network_mode=mode)
    assert found["NetworkMode"] == "host"
    assert "PortBindings" not in found
    assert host_network(a_task(container, network_mode=mode), container)


def test_mounts_become_binds():
    volumes = (
        Volume(name="path", host=HostVolume(source_path="/srv")),
        Volume(name="own"),
    )
    mounts = (
        MountPoint(source_volume="path", container_path="/a", read_only=True),
        MountPoint(source_volume="own", container_path="/b"),
    )
    assert host_config(a_container(mount_points=mounts), volumes=volumes)["Binds"] == [
        "/srv:/a:ro",
        "ecs-fam-1-own-000000000001:/b",
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"cpu": 0.5}, "/moorage/" + arn(1).rsplit("/", 1)[-1]),
        ({"memory": 64}, "/moorage/" + arn(1).rsplit("/", 1)[-1]),
        ({}, None),
    ],
)
def test_limits_of_the_whole_task_are_a_parent_cgroup(members, expected):
    assert host_config(a_container(), **members).get("CgroupParent") == expected
    unlimited = evolve(HOST, cgroup_root=None)
    assert "CgroupParent" not in host_config(a_container(), unlimited, **members)


def test_labels_of_the_user_stay_and_ours_win():
    docker = config(Labels={"team": "x", "moorage.host": "stolen"})
    labels = made(a_container(docker_config=docker)).labels
    assert (labels["team"], labels["moorage.host"]) == ("x", "h1")


def test_objects_are_merged_and_other_things_replaced():
    docker = of_host(PortBindings={"90/tcp": []}, Binds=["/x:/y"])
    ports = (PortMapping(container_port=80),)
    found = host_config(a_container(port_mappings=ports, docker_config=docker))
    assert set(found["PortBindings"]) == {"80/tcp", "90/tcp"}  # type: ignore[arg-type]
    assert found["Binds"] == ["/x:/y"]


@pytest.mark.parametrize(
    ("members", "begins"),
    [
        ({"docker_config": DockerConfig(config="{")}, "DockerClientConfigError: "),
        ({"docker_config": DockerConfig(config="[]")}, "DockerClientConfigError: "),
        ({"docker_config": DockerConfig(host_config="nope")}, "HostConfigError: Unable to decode"),
        ({"overrides": '{"command":"x"}'}, "CannotCreateContainerError: "),
    ],
)
def test_what_cannot_be_decoded_is_said(members, begins):
    container = a_container(**members)
    making = Making(task=a_task(container), container=container, image="x", attempt=1)
    found = specify(making, HOST)
    assert isinstance(found, Unspecifiable)
    assert found.reason.startswith(begins)
    assert not host_network(making.task, container)


def test_the_skeleton_in_the_label_tells_no_secret_and_can_be_read_back():
    secret = a_container(
        environment={"PASSWORD": "hidden"},
        command=("--password", "hidden"),
        entry_point=("hidden",),
        overrides='{"command":["hidden"]}',
        docker_config=config(Env=["A=hidden"]),
        registry_authentication=RegistryAuthentication(type="hidden"),
        stop_timeout=9,
    )
    label = made(secret).labels["moorage.task"]
    assert "hidden" not in label
    read = msgspec.json.decode(label, type=Task)
    assert read == skeleton(a_task(secret, a_container("db")))
    assert read.containers is not None
    assert read.containers[0].stop_timeout == 9


@pytest.mark.parametrize(
    ("mappings", "dynamic"),
    [
        ((), False),
        ((PortMapping(container_port=1, host_port=1),), False),
        ((PortMapping(container_port=1, host_port=0),), True),
    ],
)
def test_dynamic_ports_are_those_without_a_number(mappings, dynamic):
    assert dynamic_ports(a_container(port_mappings=mappings)) is dynamic
