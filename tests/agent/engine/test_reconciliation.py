"""What a look makes of each status: a table."""

import pytest

from moorage.agent.engine.lifecycle import GONE
from moorage.agent.engine.reconciliation import finished, reconcile
from moorage.agent.records.container import (
    ContainerRecord,
    ContainerStatus,
    Exit,
    Health,
    ObservedContainer,
)
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import later, seconds
from tests.agent.engine.builders import a_task
from tests.agent.engine.world import START, arn

S = ContainerStatus
END = Exit(exit_code=3, finished_at=later(START, seconds(5)), started_at=START)
WITH_ID = frozenset({S.CREATED, S.STARTING, S.RUNNING, S.STOPPING, S.STOPPED, S.REMOVING})


def seen(runtime_id: str = "c", **members) -> ObservedContainer:
    return ObservedContainer(
        **{
            "runtime_id": runtime_id,
            "name": "n",
            "task_arn": arn(1),
            "container": "web",
            "running": False,
            "labels": {"moorage.attempt": "1"},
            **members,
        }
    )


def record(status: S, **members) -> ContainerRecord:
    known = {"runtime_id": "c"} if status in WITH_ID else {}
    started = {"started_at": START} if status in {S.RUNNING, S.STOPPING, S.STOPPED} else {}
    return ContainerRecord(**{"name": "web", "status": status, **known, **started, **members})


def task(of: ContainerRecord) -> TaskRecord:
    return TaskRecord(task=a_task(), desired="RUNNING", containers=(of,), received_at=START)


@pytest.mark.parametrize(
    ("status", "absent", "unstarted", "runs"),
    [
        (S.WAITING, S.WAITING, S.CREATED, S.RUNNING),
        (S.PULLING, S.PULLING, S.CREATED, S.RUNNING),
        (S.PULLED, S.PULLED, S.CREATED, S.RUNNING),
        (S.CREATING, S.PULLED, S.CREATED, S.RUNNING),
        (S.CREATED, S.PULLED, S.CREATED, S.RUNNING),
        (S.STARTING, S.STOPPED, S.CREATED, S.RUNNING),
        (S.RUNNING, S.STOPPED, S.RUNNING, S.RUNNING),
        (S.STOPPING, S.STOPPED, S.STOPPING, S.RUNNING),
        (S.STOPPED, S.STOPPED, S.STOPPED, S.STOPPED),
        (S.REMOVING, S.REMOVED, S.REMOVING, S.REMOVING),
        (S.REMOVED, S.REMOVED, S.REMOVED, S.REMOVED),
    ],
)
def test_a_look_at_each_status(status, absent, unstarted, runs):
    before = record(status)
    now = later(START, seconds(9))
    after = reconcile(task(before), before, None, now)
    assert after.status == absent
    if absent == S.STOPPED and status != S.STOPPED:
        assert (after.reason, after.finished_at, after.runtime_id) == (GONE, now, None)
    assert reconcile(task(before), before, seen(), now).status == unstarted
    there = seen(running=True, started_at=START)
    assert reconcile(task(before), before, there, now).status == runs


@pytest.mark.parametrize("status", [S.PULLING, S.CREATING, S.STARTING, S.STOPPING, S.REMOVING])
def test_an_instruction_that_is_out_is_left_alone(status):
    before = record(status, deadline=later(START, seconds(99)))
    assert reconcile(task(before), before, None, START) == before


def test_an_earlier_making_is_left_to_the_next_creation():
    before = record(S.PULLED, attempt=2)
    assert reconcile(task(before), before, seen(), START) == before


def test_another_container_under_the_same_labels_is_not_ours():
    before = record(S.RUNNING)
    other = seen("other", running=True, started_at=START)
    assert reconcile(task(before), before, other, START).reason == GONE


def test_a_container_that_ran_before_is_not_made_again():
    before = record(S.CREATED, restarts=1)
    assert reconcile(task(before), before, None, START).status == S.STOPPED


def test_a_container_made_after_it_was_given_up_is_known_for_its_removal():
    before = record(S.STOPPED, runtime_id=None, started_at=None)
    assert reconcile(task(before), before, seen(), START).runtime_id == "c"


def test_health_is_what_the_look_says():
    before = record(S.RUNNING, health=Health.UNKNOWN)
    there = seen(running=True, started_at=START, health=Health.HEALTHY, health_since=START)
    assert reconcile(task(before), before, there, START).health == Health.HEALTHY


@pytest.mark.parametrize(
    ("before", "what", "exit_code"),
    [
        (record(S.RUNNING), seen(exit=END), 3),
        (record(S.STARTING), seen(exit=END), 3),
        (record(S.WAITING), seen(exit=END), 3),
        (record(S.RUNNING), seen(), None),
        (record(S.RUNNING), seen("other", exit=END), None),
        (record(S.STARTING, past_starts=(START,)), seen(exit=END), None),
        (record(S.STOPPED), seen(exit=END), None),
    ],
)
def test_an_end_is_believed_if_it_is_of_the_present_run(before, what, exit_code):
    after = finished(task(before), before, what)
    assert (None if after is None else after.exit_code) == exit_code
