"""F14: the agent is killed at each step of a task's start and stop, and nothing goes wrong.

No container is made twice or run twice, none is left behind, no volume and no cgroup either, and
the task ends as if the agent had lived: RUNNING was said, then STOPPED, with the exit codes.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.acs.task_messages import Container, ContainerDependency, Task, Volume
from moorage.ground.instant import hours
from tests.agent.engine.builders import DIGEST
from tests.agent.engine.crashes import Life, Plagued
from tests.agent.engine.world import RANK, arn

TASK = Task(
    arn=arn(1),
    desired_status="RUNNING",
    family="fam",
    version="1",
    cpu=0.5,
    containers=(
        Container(name="db", image="r/db:1", essential=True, health_check_type="docker"),
        Container(
            name="web",
            image=DIGEST,
            essential=True,
            depends_on=(ContainerDependency(container_name="db", condition="HEALTHY"),),
        ),
    ),
    volumes=(Volume(name="data"),),
)
MODES = {
    "done, then saved": {"eager": True, "durable_only": False},
    "saved, then done": {"eager": False, "durable_only": False},
    "power lost, done first": {"eager": True, "durable_only": True},
    "power lost, saved first": {"eager": False, "durable_only": True},
}


def run(kills: tuple[int, ...], mode: str) -> Plagued:
    """A task's life with these deaths of the agent; all that must hold is asserted."""
    host = Plagued(TASK, kills, **MODES[mode])
    try:
        host.live("RUNNING")
        assert len(host.virtual.containers) == 2
        host.books.stop()
        host.live("STOPPED")
        check(host)
        clean_up(host)
    finally:
        host.close()
    return host


def check(host: Plagued) -> None:
    assert set(host.virtual.made.values()) == {1}, host.virtual.made
    assert len(host.virtual.made) == 2, "one attempt of each"
    assert sorted(host.virtual.starts) == sorted({name for name, _ in host.virtual.made})
    statuses = [report.status for report in host.books.reports]
    if host.durable_only:
        # What was told may be forgotten with the power, and told again; the server goes by rank.
        statuses = list(itertools.accumulate(statuses, lambda a, b: max(a, b, key=RANK.get)))
    assert [status for status, _ in itertools.groupby(statuses)] == ["RUNNING", "STOPPED"]
    last = host.books.reports[-1]
    told = {c.container_name: (c.status, c.exit_code, c.reason) for c in last.containers}
    assert told == {"db": ("STOPPED", 143, None), "web": ("STOPPED", 143, None)}
    assert last.reason is None


def clean_up(host: Plagued) -> None:
    """Hours later nothing is left."""
    host.kills = set()
    for _ in range(3):
        host.clock.advance(hours(4))
        life = Life(host)
        life.live("STOPPED")
        assert len(life.engine.tasks()) <= 1
    assert host.virtual.containers == {}
    assert host.virtual.volumes == {}
    assert host.cgroups.there == set()
    assert set(host.saved) == {"host"}


@pytest.mark.parametrize("mode", sorted(MODES))
def test_killed_once_at_each_step(mode: str) -> None:
    steps = run((), mode).steps
    assert steps > 60
    for step in range(1, steps):
        run((step,), mode)


@settings(max_examples=60, deadline=None)
@given(
    kills=st.lists(st.integers(1, 200), min_size=2, max_size=6, unique=True),
    mode=st.sampled_from(sorted(MODES)),
)
def test_killed_again_and_again(kills: list[int], mode: str) -> None:
    run(tuple(kills), mode)
