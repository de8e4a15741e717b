"""What is told of a task in each state."""

import pytest

from moorage.agent.engine.reporting import due, health, picture
from moorage.agent.records.container import ContainerRecord, ContainerStatus, Health
from moorage.agent.records.report import TaskReport
from moorage.agent.records.task import TaskRecord
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import START, arn

S = ContainerStatus
RAN = {"started_at": START, "runtime_id": "c"}
WAITS = {"status": S.PULLED}
STARTS = {"status": S.STARTING, "runtime_id": "c"}
RUNS = {"status": S.RUNNING, **RAN}
STOPS = {"status": S.STOPPING, **RAN}
ENDED = {"status": S.STOPPED, "exit_code": 0, **RAN}
NEVER = {"status": S.STOPPED}


def told(web: dict, side: dict, **members) -> TaskRecord:
    task = a_task(a_container(), a_container("side", essential=False))
    records = (ContainerRecord(name="web", **web), ContainerRecord(name="side", **side))
    return TaskRecord(
        **{
            "task": task,
            "desired": "RUNNING",
            "containers": records,
            "received_at": START,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("web", "side", "status"),
    [
        (WAITS, WAITS, "PENDING"),
        (RUNS, STARTS, "PENDING"),
        (RUNS, RUNS, "RUNNING"),
        (RUNS, ENDED, "RUNNING"),
        (RUNS, NEVER, "RUNNING"),  # it is not essential and could not be begun
        (STOPS, ENDED, "RUNNING"),
        (STARTS, ENDED, "PENDING"),
        (ENDED, NEVER, "STOPPED"),
        (ENDED, ENDED, "RUNNING"),  # it ran, and that was never told
        (NEVER, NEVER, "STOPPED"),
    ],
)
def test_the_status_of_a_task_of_which_nothing_was_told(web, side, status):
    assert picture(told(web, side)).status == status


@pytest.mark.parametrize(
    ("web", "side", "status"),
    [(RUNS, STARTS, "RUNNING"), (ENDED, STOPS, "RUNNING"), (ENDED, ENDED, "STOPPED")],
)
def test_a_status_does_not_go_back(web, side, status):
    before = TaskReport(task=arn(1), status="RUNNING")
    assert picture(told(web, side, reported=before)).status == status


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (WAITS, "PENDING"),
        (STARTS, "PENDING"),
        ({**STARTS, "restarts": 1}, "RUNNING"),
        (RUNS, "RUNNING"),
        (STOPS, "RUNNING"),
        (ENDED, "STOPPED"),
        ({**ENDED, "status": S.REMOVED}, "STOPPED"),
    ],
)
def test_the_status_of_a_container(record, status):
    before = TaskReport(task=arn(1), status="RUNNING")
    shown = picture(told(RUNS, record, reported=before)).containers[1]
    assert shown.status == status


def test_times_and_reason_are_told_with_the_end():
    task = told(ENDED, NEVER, reason="why", stopped_at=START, pull_started_at=START)
    report = picture(task)
    assert (report.reason, report.execution_stopped_at, report.pull_started_at) == (
        "why",
        START,
        START,
    )
    running = picture(told(RUNS, RUNS, reason="why", stopped_at=START))
    assert (running.reason, running.execution_stopped_at) == (None, None)


def test_what_was_told_is_not_told_again():
    task = told(RUNS, RUNS)
    report = due(task)
    assert report is not None
    assert due(evolve(task, reported=report)) is None
    assert due(evolve(task, submitting=report)) is None
    assert due(evolve(task, settled=True)) is None
    moved = told(RUNS, ENDED, reported=report)
    assert due(moved) is not None


def test_a_task_on_its_way_to_stopped_is_told_once_it_is_there():
    report = due(told(RUNS, RUNS))
    assert due(told(STOPS, ENDED, reported=report, desired="STOPPED")) is None
    assert due(told(ENDED, ENDED, reported=report, desired="STOPPED")) is not None


def test_health_is_that_of_running_containers_with_a_check():
    task = a_task(a_container(health_check_type="docker"), a_container("side"))
    web = ContainerRecord(name="web", health=Health.HEALTHY, health_since=START, **RUNS)
    record = TaskRecord(
        task=task,
        desired="RUNNING",
        containers=(web, ContainerRecord(name="side", **RUNS)),
        received_at=START,
    )
    found = health(record)
    assert found is not None
    assert [(c.container_name, c.health, c.since) for c in found.containers] == [
        ("web", Health.HEALTHY, START)
    ]
    over = evolve(record, containers=(evolve(web, status=S.STOPPED), record.containers[1]))
    assert health(over) is None
