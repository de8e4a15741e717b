"""Docker's JSON, of old engines and new, and what it means."""

import json

import pytest

from moorage.agent.runtime import docker_records as records
from moorage.agent.runtime.docker_client import negotiate
from moorage.agent.runtime.docker_images import _cannot
from moorage.agent.runtime.port import EngineUnavailable
from moorage.ground.instant import Instant

AT = "2026-11-23T04:05:06.123456789Z"
INSTANT = Instant(1_795_406_706_123_456)


@pytest.mark.parametrize(
    ("highest", "lowest", "chosen"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.44", "", "1.44"),
        ("1.52", "1.44", "1.52"),
        ("1.60", "1.44", "1.56"),
        ("1.60", "1.56", "1.56"),
    ],
)
def test_the_highest_version_that_both_know_is_spoken(highest, lowest, chosen) -> None:
    assert negotiate(highest, lowest) == chosen


@pytest.mark.parametrize(
    ("highest", "lowest"), [("1.40", "1.12"), ("1.70", "1.57"), ("", ""), ("x", "1.2")]
)
def test_an_engine_without_a_common_version_is_refused(highest, lowest) -> None:
    with pytest.raises(EngineUnavailable, match="API"):
        negotiate(highest, lowest)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (AT, INSTANT),
        ("2026-11-23T04:05:06Z", Instant(1_795_406_706_000_000)),
        ("2026-11-23T05:05:06.1+01:00", Instant(1_795_406_706_100_000)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_times(text, instant) -> None:
    assert records.instant_of(text) == instant


def container(**state):
    body = {
        "Id": "c1",
        "Name": "/ecs-web",
        "Created": AT,
        "Image": "sha256:1",
        "State": {"Status": "running", "StartedAt": AT, **state},
        "Config": {"Image": "web:1", "Labels": None, "Tty": False, "Unknown": [1]},
        "HostConfig": {"NetworkMode": "default", "LogConfig": {"Type": "local"}},
        "NetworkSettings": {
            "IPAddress": "172.17.0.9",
            "Networks": {"bridge": {"IPAddress": "172.17.0.2"}, "gone": None},
            "Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}],
                "53/udp": [{"HostIp": "::", "HostPort": "5353"}],
                "90/tcp": None,
            },
        },
        "Mounts": [{"Type": "volume", "Name": "v"}, {"Type": "bind", "Source": "/x"}],
    }
    return records.container(json.dumps(body).encode())


def test_a_container_that_runs() -> None:
    found = container()
    assert (found.name, found.labels, found.exit_code) == ("ecs-web", {}, None)
    assert (found.address, found.log_driver, found.volumes) == ("172.17.0.2", "local", ("v",))
    assert [(p.container_port, p.protocol, p.host_port) for p in found.ports] == [
        (53, "udp", 5353),
        (80, "tcp", 8080),
    ]
    assert found.started_at == INSTANT
    assert found.health.status == "none"


def test_a_container_that_ended() -> None:
    found = container(Status="exited", ExitCode=137, OOMKilled=True, FinishedAt=AT)
    assert (found.exit_code, found.oom_killed, found.finished_at) == (137, True, INSTANT)


def test_a_container_that_never_started_has_no_exit_code() -> None:
    found = container(Status="created", StartedAt="0001-01-01T00:00:00Z", ExitCode=127, Error="no")
    assert (found.exit_code, found.error, found.started_at) == (None, "no", None)


def test_a_run_does_not_end_before_it_began() -> None:
    found = container(Status="exited", FinishedAt="2026-11-23T04:05:06.1Z")
    assert found.finished_at == found.started_at


def test_health_is_the_newest_verdict() -> None:
    log = [{"End": "2026-11-23T04:05:05Z", "Output": "old"}, {"End": AT, "Output": "x" * 9999}]
    found = container(Health={"Status": "unhealthy", "Log": log})
    assert (found.health.status, found.health.checked_at) == ("unhealthy", INSTANT)
    assert len(found.health.output) == 4096


def event(action: str, kind: str = "container", **attributes: str):
    body = {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": "c1", "Attributes": {"name": "ecs-web", "image": "x", **attributes}},
        "timeNano": 1_795_406_706_123_456_789,
    }
    return records.event(json.dumps(body).encode())


def test_events_and_what_comes_with_them() -> None:
    died = event("die", exitCode="3", label="y")
    assert died is not None
    assert (died.at, died.exit_code, died.name, died.labels["label"]) == (
        INSTANT,
        3,
        "ecs-web",
        "y",
    )
    killed = event("kill", signal="9")
    assert killed is not None
    assert (killed.signal, killed.exit_code) == (9, None)
    sick = event("health_status: unhealthy")
    assert sick is not None
    assert (sick.action, sick.health) == ("health_status", "unhealthy")


@pytest.mark.parametrize(
    ("action", "kind"), [("exec_die", "container"), ("start", "network"), ("attach", "container")]
)
def test_events_of_no_interest_are_none(action: str, kind: str) -> None:
    assert event(action, kind) is None


def usage(stats: dict[str, int], **more: object):
    body = {
        "read": AT,
        "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000}, "online_cpus": 2},
        "memory_stats": {"usage": 1000, "limit": 9000, "stats": stats},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"op": "Read", "value": 10},
                {"op": "write", "value": 4},
                {"op": "Total", "value": 14},
            ]
        },
        **more,
    }
    return records.usage(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("stats", "memory"),
    [
        ({"total_inactive_file": 300, "inactive_file": 1}, 700),
        ({"inactive_file": 200}, 800),
        ({"inactive_file": 2000}, 1000),
        ({}, 1000),
    ],
)
def test_memory_is_counted_without_the_page_cache(stats, memory) -> None:
    found = usage(stats, networks={"eth0": {"rx_bytes": 1}, "eth1": {"rx_bytes": 2}})
    assert found is not None
    assert found.memory_bytes == memory
    assert (found.read_bytes, found.written_bytes, found.cpu) == (10, 4, 5000)
    assert found.network is not None
    assert found.network.rx_bytes == 3


@pytest.mark.parametrize("content", [b"", b" ", b'{"read":"0001-01-01T00:00:00Z"}'])
def test_what_does_not_run_has_no_usage(content: bytes) -> None:
    assert records.usage(content) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_what_cannot_be_read_is_an_engine_in_trouble(content: bytes) -> None:
    """An engine that was stopping once sent half an answer, and the agent fell over it."""
    with pytest.raises(EngineUnavailable):
        records.container(content)


def test_an_image_knows_the_digest_that_its_alias_stands_for() -> None:
    alias = "r:1/web:sha256-" + "a" * 64
    body = {
        "Id": "sha256:1",
        "RepoTags": [alias, "<none>:<none>"],
        "RepoDigests": None,
        "Created": AT,
    }
    found = records.image(json.dumps(body).encode())
    assert found.references == (alias,)
    assert found.digests == ("r:1/web@sha256:" + "a" * 64,)
    assert found.created_at == INSTANT
    (listed,) = records.images(json.dumps([{**body, "Created": 1_795_406_706}]).encode())
    assert listed.created_at == Instant(1_795_406_706_000_000)


def test_the_engines_own_words() -> None:
    body = {
        "ID": "E",
        "ServerVersion": "29.0",
        "OSType": "linux",
        "NCPU": 8,
        "MemTotal": 1 << 33,
        "CgroupVersion": "2",
        "CgroupDriver": "systemd",
        "Plugins": {"Log": ["local", "awslogs"], "Volume": None},
    }
    facts = records.engine_facts(json.dumps(body).encode(), "1.52")
    assert (facts.cpus, facts.cgroup_version, facts.cgroup_driver) == (8, "2", "systemd")
    assert (facts.log_drivers, facts.volume_drivers) == (("awslogs", "local"), ())
    assert facts.api_version == "1.52"


@pytest.mark.parametrize(
    ("reason", "transient"),
    [
        ("manifest for x not found: manifest unknown: manifest unknown", False),
        ("pull access denied for x, repository does not exist", False),
        ("Get https://x/v2/: dial tcp: connection refused", True),
        ("received unexpected HTTP status: 502 Bad Gateway", True),
        ("unexpected EOF", True),
    ],
)
def test_some_pulls_are_worth_another_try(reason: str, transient: bool) -> None:
    assert _cannot(reason).transient is transient
