"""Ends, failures and bindings, one by one."""

import pytest

from moorage.acs.task_messages import PortMapping, RestartPolicy
from moorage.agent.engine import events as e
from moorage.agent.engine import lifecycle
from moorage.agent.engine.pulls import Pulls
from moorage.agent.engine.transitions import Story
from moorage.agent.engine.turn import BACK_OFF_MAX, Turn, back_off
from moorage.agent.records.container import ContainerRecord, ContainerStatus, Exit, PortBinding
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import later, seconds
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import HOST, START, arn

S = ContainerStatus
LATER = later(START, seconds(400))
RUNS = ContainerRecord(name="web", status=S.RUNNING, runtime_id="c", started_at=START)


def a_turn() -> Turn:
    return Turn(START, HOST, Pulls(), Story(), tuple)


def of(container=None, desired="RUNNING", record: ContainerRecord = RUNS, **members) -> TaskRecord:
    return TaskRecord(
        task=a_task(container or a_container(), **members),
        desired=desired,
        containers=(record,),
        received_at=START,
    )


@pytest.mark.parametrize(
    ("policy", "code", "desired", "status"),
    [
        (None, 1, "RUNNING", S.STOPPED),
        (RestartPolicy(enabled=False), 1, "RUNNING", S.STOPPED),
        (RestartPolicy(enabled=True), 1, "RUNNING", S.CREATED),  # 300 s are the default
        (RestartPolicy(enabled=True), 0, "RUNNING", S.CREATED),
        (RestartPolicy(enabled=True), 1, "STOPPED", S.STOPPED),
        (RestartPolicy(enabled=True, ignored_exit_codes=(1,)), 1, "RUNNING", S.STOPPED),
        (RestartPolicy(enabled=True, restart_attempt_period=401), 1, "RUNNING", S.STOPPED),
        (RestartPolicy(enabled=True, restart_attempt_period=400), 1, "RUNNING", S.CREATED),
    ],
)
def test_the_restart_policy(policy, code, desired, status):
    task = of(a_container(restart_policy=policy), desired)
    end = Exit(exit_code=code, finished_at=LATER, started_at=START)
    after = lifecycle.ended(task, RUNS, end)
    assert after.status == status
    if status == S.CREATED:
        assert (after.restarts, after.past_starts) == (1, (START,))
        assert not lifecycle.of_this_run(after, end)


@pytest.mark.parametrize(
    ("status", "started_at", "expected"),
    [
        (S.RUNNING, START, True),
        (S.RUNNING, None, True),
        (S.CREATED, None, False),
        (S.STARTING, None, True),
        (S.STOPPED, START, False),
        (S.WAITING, START, True),  # from a checkpoint older than the container
    ],
)
def test_which_ends_are_of_this_run(status, started_at, expected):
    record = ContainerRecord(name="web", status=status)
    assert (
        lifecycle.of_this_run(record, Exit(exit_code=0, finished_at=LATER, started_at=started_at))
        is expected
    )


@pytest.mark.parametrize(
    ("asked", "code", "killed", "reason"),
    [
        (None, 137, False, None),
        (370, 137, False, "The container did not heed SIGTERM and was killed after 30 seconds"),
        (369.6, 137, False, "The container did not heed SIGTERM and was killed after 30 seconds"),
        (371, 137, False, None),  # killed by somebody else in the meantime
        (370, 143, False, None),
        (370, 137, True, lifecycle.OUT_OF_MEMORY),
    ],
)
def test_the_reason_of_an_end(asked, code, killed, reason):
    at = None if asked is None else later(START, seconds(asked))
    record = ContainerRecord(name="web", status=S.STOPPING, started_at=START, stop_asked_at=at)
    end = Exit(exit_code=code, finished_at=LATER, started_at=START, out_of_memory=killed)
    assert lifecycle.ended(of(desired="STOPPED"), record, end).reason == reason


def test_reasons_are_cut():
    assert len(lifecycle.stopped(RUNS, START, "x" * 5000).reason or "") == 1024


@pytest.mark.parametrize(
    ("bindings", "shown"),
    [
        ([("0.0.0.0", 80, 32768), ("::", 80, 32768)], [("0.0.0.0", 80, 32768)]),
        ([("::", 80, 32768), ("0.0.0.0", 80, 32768)], [("0.0.0.0", 80, 32768)]),
        ([("::", 80, 32768)], [("::", 80, 32768)]),
        (
            [("127.0.0.2", 81, 2), ("127.0.0.2", 80, 3)],
            [("127.0.0.2", 80, 3), ("127.0.0.2", 81, 2)],
        ),
    ],
)
def test_both_families_are_shown_once(bindings, shown):
    given = tuple(
        PortBinding(bind_ip=ip, container_port=inside, host_port=outside)
        for ip, inside, outside in bindings
    )
    found = lifecycle.shown_once(given)
    assert [(b.bind_ip, b.container_port, b.host_port) for b in found] == shown


def test_in_host_mode_the_ports_are_the_hosts():
    container = a_container(port_mappings=(PortMapping(container_port=80, protocol="udp"),))
    task = of(container, network_mode="host")
    record = lifecycle.running(task, RUNS, START, (), "c")
    assert record.bindings == (
        PortBinding(bind_ip="0.0.0.0", container_port=80, host_port=80, protocol="udp"),
    )


@pytest.mark.parametrize(
    ("failures", "members", "status"),
    [
        (0, {"image_missing": True}, S.WAITING),
        (0, {"transient": True}, S.PULLED),
        (0, {}, S.STOPPED),
        (4, {"image_missing": True}, S.STOPPED),
        (4, {"transient": True}, S.STOPPED),
    ],
)
def test_failed_creations(failures, members, status):
    record = ContainerRecord(name="web", status=S.CREATING, failures=failures)
    failed = e.CreateFailed(task_arn=arn(1), container="web", attempt=1, reason="why", **members)
    after = lifecycle.create_failed(record, failed, a_turn())
    assert after.status == status
    if status == S.STOPPED:
        assert after.reason == "CannotCreateContainerError: why"


@pytest.mark.parametrize(
    ("host_port", "members", "record", "status"),
    [
        (0, {"port_clash": True}, {}, S.PULLED),
        (0, {"port_clash": True}, {"failures": 4}, S.STOPPED),
        (0, {"port_clash": True}, {"restarts": 1}, S.STOPPED),
        (8080, {"port_clash": True}, {}, S.STOPPED),
        (0, {}, {}, S.STOPPED),
        (8080, {"missing": True}, {}, S.PULLED),
        (8080, {"missing": True}, {"restarts": 1}, S.STOPPED),
    ],
)
def test_failed_starts(host_port, members, record, status):
    mapping = PortMapping(container_port=80, host_port=host_port)
    task = of(a_container(port_mappings=(mapping,)))
    before = ContainerRecord(name="web", status=S.STARTING, runtime_id="c", **record)
    failed = e.StartFailed(task_arn=arn(1), container="web", attempt=1, reason="why", **members)
    after = lifecycle.start_failed(task, before, failed, a_turn())
    assert after.status == status
    assert after.attempt == (2 if status == S.PULLED else 1)


def test_back_off_doubles_to_a_bound():
    waits = [back_off(failures) for failures in range(1, 30)]
    assert waits[:4] == [seconds(1), seconds(2), seconds(4), seconds(8)]
    assert waits[-1] == BACK_OFF_MAX
    assert back_off(0) == seconds(1)
