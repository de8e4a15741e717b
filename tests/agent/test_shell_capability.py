"""What a host says it offers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.agent.capability import (
    attributes,
    cpu_units,
    memory_mebibytes,
    platform_devices,
    reserved_ports,
    total_resources,
)
from moorage.agent.options import AgentOptions, OptionsRefused, check
from moorage.agent.runtime.port import EngineFacts
from moorage.ground.record import evolve

OPTIONS = AgentOptions(endpoint="http://127.0.0.1:4750", data=Path("/data"))
FACTS = EngineFacts(
    engine_id="E",
    version="20.10.24",
    api_version="1.41",
    cpus=2,
    memory_bytes=16 << 30,
    log_drivers=("awslogs", "fluentd", "journald", "json-file", "local", "syslog"),
    volume_drivers=("local",),
)


def test_it_offers_the_gpus_that_it_is_told_of() -> None:
    options = evolve(OPTIONS, gpus=("GPU-8932f937-d72c", "1"))
    check(options)
    assert [(one.id, one.type) for one in platform_devices(options)] == [
        ("GPU-8932f937-d72c", "GPU"),
        ("1", "GPU"),
    ]
    assert platform_devices(OPTIONS) == ()


@pytest.mark.parametrize("gpus", [("",), ("a b",), ("x" * 129,), ("1", "1")])
def test_what_is_no_gpu_is_refused(gpus: tuple[str, ...]) -> None:
    with pytest.raises(OptionsRefused, match="--gpu"):
        check(evolve(OPTIONS, gpus=gpus))


def named(facts: EngineFacts = FACTS, options: AgentOptions = OPTIONS, *, limits: bool = True):
    return {a.name: a.value for a in attributes(facts, options, task_limits=limits)}


@pytest.mark.parametrize(
    "name",
    [
        "com.amazonaws.ecs.capability.docker-remote-api.1.17",
        "com.amazonaws.ecs.capability.docker-remote-api.1.32",
        "com.amazonaws.ecs.capability.logging-driver.json-file",
        "com.amazonaws.ecs.capability.logging-driver.none",
        "com.amazonaws.ecs.capability.privileged-container",
        "ecs.capability.container-ordering",
        "ecs.capability.docker-plugin.local",
        "ecs.capability.task-cpu-mem-limit",
        "moorage.capability.agent",
    ],
)
def test_it_names_what_it_can_do(name: str) -> None:
    assert named()[name] is None


@pytest.mark.parametrize(
    "name",
    [
        "com.amazonaws.ecs.capability.docker-remote-api.1.26",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.logging-driver.fluentd",
        "com.amazonaws.ecs.capability.task-iam-role",
        "ecs.capability.task-eni",
    ],
)
def test_it_does_not_name_what_it_cannot(name: str) -> None:
    assert name not in named()


def test_what_it_is_has_values() -> None:
    options = evolve(OPTIONS, zone="z1", attributes=(("rack", "r7"), ("flag", "")))
    found = named(evolve(FACTS, architecture="aarch64"), options)
    assert found["ecs.os-type"] == "linux"
    assert found["ecs.os-family"] == "LINUX"
    assert found["ecs.cpu-architecture"] == "arm64"
    assert found["ecs.availability-zone"] == "z1"
    assert found["rack"] == "r7"
    assert found["flag"] is None
    assert "ecs.availability-zone" not in named()


def test_limits_of_tasks_are_named_only_where_they_are_kept() -> None:
    assert "ecs.capability.task-cpu-mem-limit" not in named(limits=False)


@given(st.integers(1, 4096))
def test_memory_leaves_the_machine_its_part(gibibytes: int) -> None:
    facts = evolve(FACTS, memory_bytes=gibibytes << 30)
    whole = gibibytes * 1024
    assert memory_mebibytes(facts, OPTIONS) == whole - max(256, whole * 5 // 100)


def test_a_share_is_what_the_operator_says_within_the_machine() -> None:
    options = evolve(OPTIONS, cpu=682, memory_mebibytes=5000)
    assert (cpu_units(FACTS, options), memory_mebibytes(FACTS, options)) == (682, 5000)
    with pytest.raises(OptionsRefused, match="--cpu"):
        cpu_units(FACTS, evolve(OPTIONS, cpu=2049))
    with pytest.raises(OptionsRefused, match="--memory"):
        memory_mebibytes(FACTS, evolve(OPTIONS, memory_mebibytes=16 * 1024))


def test_resources_are_in_the_form_of_the_protocol() -> None:
    found = {resource.name: resource for resource in total_resources(FACTS, OPTIONS)}
    assert found["CPU"].integer_value == 2048
    assert found["MEMORY"].integer_value == 16 * 1024 - 819
    assert found["PORTS"].string_set_value is not None
    assert "22" in found["PORTS"].string_set_value
    assert "4750" in found["PORTS"].string_set_value
    assert found["PORTS_UDP"].string_set_value == []


def test_the_servers_port_is_known_from_its_url() -> None:
    assert 443 in reserved_ports(evolve(OPTIONS, endpoint="https://moorage.example"))


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "127.0.0.1:4750"},
        {"endpoint": "ftp://x"},
        {"name": "a b"},
        {"cpu": 0},
        {"memory_mebibytes": -1},
        {"attributes": (("ecs.os-type", "x"),)},
        {"attributes": (("a b", "x"),)},
        {"attributes": (("a", "x\n"),)},
        {"attributes": tuple((f"a{n}", "") for n in range(11))},
    ],
)
def test_options_that_cannot_be_used_are_refused(change: dict[str, object]) -> None:
    check(OPTIONS)
    with pytest.raises(OptionsRefused):
        check(evolve(OPTIONS, **change))


def test_a_host_that_shares_its_engine_says_so() -> None:
    assert "moorage.shared-engine" not in named()
    assert "moorage.shared-engine" in named(FACTS, evolve(OPTIONS, shared_engine=True))
