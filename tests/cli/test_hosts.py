"""Hosts in tables and words, and how a drain is followed."""

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from moorage.cli.host import app
from moorage.cli.host_commands import watch
from moorage.cli.host_table import name_of, notes_of, progress_of, state_of, table_of
from moorage.cli.lengths import words_of_seconds
from moorage.ground.instant import Instant, seconds
from moorage.shapes.moorage.host_state import Host, HostDrain

NOW = Instant(seconds(10_000))


def a_host(name="one", state="CONNECTED", **members) -> Host:
    given = {
        "container_instance_arn": "arn:aws:ecs:us-east-1:1:container-instance/c/0123456789abcdef",
        "status": "ACTIVE",
        "state_since": 9_800.0,
        "state_reason": f"It is {state}.",
        "running_tasks_count": 2,
        "pending_tasks_count": 0,
        "unreachable_tasks_count": 0,
        "remaining_cpu": 512,
        "remaining_memory": 1024,
        **members,
    }
    return Host(name=name, state=state, **given)


def printed(table, width=80) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as caught:
        console.print(table)
    return caught.get().splitlines()


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (-3, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (200, "3m 20s"),
        (3600, "1h"),
        (3605, "1h"),
        (7500, "2h 5m"),
        (273_600, "3d 4h"),
    ],
)
def test_lengths_in_words(count, words):
    assert words_of_seconds(count) == words


def test_hosts_stand_in_a_table_by_name_in_eighty_columns():
    hosts = [
        a_host("two", "LOST", unreachable_tasks_count=3, running_tasks_count=0, zone="z"),
        a_host("one", agent_version="1.0.0", docker_version="29.1.0"),
    ]
    lines = printed(table_of(hosts, NOW, brief=True))
    assert " ".join(lines[1].split()) == "host status state tasks free cpu free MiB id"
    assert " ".join(lines[3].split()) == "one ACTIVE connected 2 512 1024 0123456789ab"
    assert "lost 3m 20s" in lines[4]
    assert "0 +3 lost" in lines[4]
    wide = printed(table_of(hosts, NOW), width=160)
    assert [word for word in ("zone", "agent", "engine") if word in wide[1]] == [
        "zone",
        "agent",
        "engine",
    ]


def test_who_is_not_well_gets_a_sentence():
    hosts = [a_host("b", "LOST"), a_host("a", "ENGINE_GONE"), a_host("c")]
    drained = a_host("d", drain=HostDrain(service_tasks_left=2))
    assert notes_of([*hosts, drained], NOW) == [
        "a: It is ENGINE_GONE.",
        "b: It is LOST.",
        "d: draining, 2 tasks of services left.",
    ]
    assert state_of(hosts[1]) == "engine gone"
    assert state_of(a_host("e", "NEVER_CONNECTED")) == "never seen"


def test_a_host_without_a_name_is_called_by_its_id():
    assert name_of(a_host(None)) == "0123456789ab"


@pytest.mark.parametrize(
    ("drain", "words"),
    [
        (None, ""),
        (HostDrain(service_tasks_left=0), "empty"),
        (HostDrain(service_tasks_left=1), "1 task of services left"),
        (
            HostDrain(
                service_tasks_left=5, other_tasks_left=2, deadline=10_570.0, on_timeout="force"
            ),
            "5 tasks of services left, 2 stand-alone left alone, 9m 30s to the deadline (force)",
        ),
        (
            HostDrain(service_tasks_left=0, other_tasks_left=1, deadline=10_570.0),
            "empty, 1 stand-alone left alone",
        ),
    ],
)
def test_how_far_a_drain_is(drain, words):
    assert progress_of(a_host(drain=drain), NOW) == words


def test_what_a_host_says_of_itself_can_do_nothing():
    evil = "1.0\x1b[2J"
    host = a_host(state="IMPAIRED", agent_version=evil, docker_version=evil, state_reason=evil)
    text = "".join([*printed(table_of([host], NOW), 160), *notes_of([host], NOW)])
    assert text.count("1.0") == 3
    assert "\x1b" not in text


def followed(*lefts):
    """What is told of a drain that is seen with so many tasks left; None: it was taken back."""
    seen = [
        a_host(drain=None if left is None else HostDrain(service_tasks_left=left)) for left in lefts
    ]
    told, pauses = [], []
    done = watch(lambda: seen.pop(0), told.append, lambda: pauses.append(1))
    assert not seen
    return done, len(told), len(pauses)


def test_a_drain_is_followed_to_its_end_and_told_when_it_moves():
    assert followed(0) == (True, 1, 0)
    assert followed(3, 3, 2, 2, 2, 0) == (True, 3, 5)
    assert followed(3, 3, None) == (False, 2, 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["drain", "one", "--deadline", "soon"], "no length of time"),
        (["drain", "one", "--on-timeout", "force"], "--deadline 10m"),
        (["drain", "one", "--deadline", "1m", "--on-timeout", "panic"], "force or abandon"),
        (["list"], "No server is known"),
        (["remove", "one"], "No server is known"),
    ],
)
def test_what_makes_no_sense_is_refused_with_advice(words, told, tmp_path: Path):
    result = CliRunner().invoke(app, [*words, "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert told in result.output
