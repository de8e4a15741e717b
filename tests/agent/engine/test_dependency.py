"""dependsOn: a table of each condition against each state, and laws over random graphs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs.task_messages import Container, ContainerDependency, VolumeFrom
from moorage.agent.engine.dependency import (
    Hopeless,
    Ready,
    Waits,
    flaw,
    needs,
    ready,
    stoppable,
    verdict,
)
from moorage.agent.records.container import ContainerRecord, ContainerStatus, Health
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import later, seconds
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import START

S = ContainerStatus
BEFORE = {"status": S.CREATING}
CREATED = {"status": S.CREATED, "runtime_id": "c"}
RUNS = {"status": S.RUNNING, "runtime_id": "c", "started_at": START}
HEALTHY = {**RUNS, "health": Health.HEALTHY}
UNHEALTHY = {**RUNS, "health": Health.UNHEALTHY}
ENDED_0 = {"status": S.STOPPED, "runtime_id": "c", "started_at": START, "exit_code": 0}
ENDED_1 = {**ENDED_0, "exit_code": 1}
FAILED = {"status": S.STOPPED}
REMOVED = {"status": S.REMOVED, "runtime_id": "c", "started_at": START, "exit_code": 0}


def pair(condition: str, state: dict, start_timeout: int | None = None) -> TaskRecord:
    web = a_container(depends_on=(ContainerDependency(container_name="db", condition=condition),))
    task = a_task(web, a_container("db", start_timeout=start_timeout))
    return of(task, ContainerRecord(name="web"), ContainerRecord(name="db", **state))


def of(task, *records: ContainerRecord) -> TaskRecord:
    return TaskRecord(task=task, desired="RUNNING", containers=records, received_at=START)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # before, created, runs, healthy, unhealthy, ended 0, ended 1, failed
        ("START", "W W R R R R R H"),
        ("COMPLETE", "W W W W W R R H"),
        ("SUCCESS", "W W W W W R H H"),
        ("HEALTHY", "W W W R W H H H"),
    ],
)
def test_a_condition_in_each_state(condition, expected):
    states = [BEFORE, CREATED, RUNS, HEALTHY, UNHEALTHY, ENDED_0, ENDED_1, FAILED]
    letters = {Ready: "R", Waits: "W", Hopeless: "H"}
    found = [letters[type(verdict(pair(condition, state), "web", START))] for state in states]
    assert " ".join(found) == expected


@pytest.mark.parametrize(
    ("condition", "seconds_on", "expected"),
    [("HEALTHY", 9, Waits), ("HEALTHY", 10, Hopeless), ("COMPLETE", 10, Hopeless)],
)
def test_start_timeout_bounds_a_wait_from_the_start_on(condition, seconds_on, expected):
    task = pair(condition, RUNS, start_timeout=10)
    found = verdict(task, "web", later(START, seconds(seconds_on)))
    assert isinstance(found, expected)
    if isinstance(found, Waits):
        assert found.until == later(START, seconds(10))


def test_start_timeout_does_not_bound_what_has_not_started():
    found = verdict(pair("HEALTHY", CREATED, start_timeout=1), "web", later(START, seconds(99)))
    assert found == Waits()


@pytest.mark.parametrize(
    ("state", "expected"),
    [(BEFORE, Waits), (CREATED, Ready), (FAILED, Hopeless), (REMOVED, Hopeless)],
)
def test_volumes_from_wants_the_other_created(state, expected):
    web = a_container(volumes_from=(VolumeFrom(source_container="db"),))
    task = of(
        a_task(web, a_container("db")),
        ContainerRecord(name="web"),
        ContainerRecord(name="db", **state),
    )
    assert isinstance(verdict(task, "web", START), expected)


def test_a_link_wants_the_other_started():
    assert needs(a_container(links=("db:alias", "cache"))) == [("db", "START"), ("cache", "START")]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.STARTING, False),
        (S.RUNNING, False),
        (S.STOPPING, False),
        (S.CREATED, True),
        (S.STOPPED, True),
    ],
)
def test_a_container_stops_after_those_that_depend_on_it(status, expected):
    task = pair("START", RUNS)
    task = of(task.task, ContainerRecord(name="web", status=status), task.containers[1])
    assert stoppable(task, "db") is expected
    assert stoppable(task, "web")


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        ({"a": ["b"], "b": []}, None),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, "form a circle"),
        ({"a": ["a"]}, "form a circle"),
        ({"a": ["x"]}, "which the task does not have"),
    ],
)
def test_impossible_dependencies_are_found(edges, said):
    found = flaw(containers(edges))
    assert (found is None) if said is None else (found is not None and said in found)


def test_an_unknown_condition_is_found():
    one = a_container(depends_on=(ContainerDependency(container_name="db", condition="SOON"),))
    assert "unknown condition SOON" in (flaw((one, a_container("db"))) or "")


def containers(edges: dict[str, list[str]]) -> tuple[Container, ...]:
    return tuple(
        a_container(
            name,
            depends_on=tuple(
                ContainerDependency(container_name=o, condition="START") for o in others
            ),
        )
        for name, others in edges.items()
    )


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_whatever_has_no_circle_comes_to_run_and_to_stop(pairs):
    """Edges point to lower numbers only, so that there is no circle."""
    edges: dict[str, list[str]] = {f"c{n}": [] for n in range(7)}
    for one, other in pairs:
        if other < one:
            edges[f"c{one}"].append(f"c{other}")
    definitions = containers(edges)
    assert flaw(definitions) is None
    records = {name: ContainerRecord(name=name) for name in edges}
    for _ in range(len(edges)):
        task = of(a_task(*definitions), *records.values())
        for name in ready(task, START):
            records[name] = ContainerRecord(name=name, **RUNS)
    assert all(record.status == S.RUNNING for record in records.values())
    for _ in range(len(edges)):
        task = of(a_task(*definitions), *records.values())
        for name in edges:
            if stoppable(task, name):
                records[name] = ContainerRecord(name=name, **ENDED_0)
    assert all(record.status == S.STOPPED for record in records.values())
