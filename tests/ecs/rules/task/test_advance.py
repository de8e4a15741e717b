"""A host's reports: a table of endings, and the law that status only moves forward."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.task.advance import (
    ContainerReport,
    TaskReport,
    advance,
    report_of_container,
    report_of_task,
    shown_once,
)
from moorage.ecs.rules.task.status import CONTAINER_RANK, MOVES, ORDER, RANK, TABLE
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.instant import Instant, later, seconds
from moorage.shapes.ecs.agent import SubmitContainerStateChangeRequest, SubmitTaskStateChangeRequest
from moorage.shapes.ecs.network import NetworkBinding
from tests.ecs.rules.builders import NOW, a_container, a_task, running


def report(status: str, *containers: ContainerReport, **more) -> TaskReport:
    return TaskReport(status=status, containers=containers, **more)


def web(status: str, **more) -> ContainerReport:
    return ContainerReport(name="web", status=status, **more)


def after(task, *reports, at: Instant = NOW):
    for one in reports:
        task = advance(task, one, at).task
    return task


def test_a_task_starts_runs_and_ends():
    later_on = later(NOW, seconds(60))
    task = after(
        a_task(),
        report("PENDING", web("PENDING", image_digest="sha256:x"), pull_started_at=NOW),
        report("RUNNING", web("RUNNING", runtime_id="d1")),
    )
    assert (task.last_status, task.started_at, task.pull_started_at) == ("RUNNING", NOW, NOW)
    assert (task.containers[0].image_digest, task.containers[0].runtime_id) == ("sha256:x", "d1")
    task = after(task, report("STOPPED", web("STOPPED", exit_code=3)), at=later_on)
    assert (task.last_status, task.desired_status) == ("STOPPED", "STOPPED")
    assert (task.stop_code, task.stopped_reason) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (task.stopped_at, task.execution_stopped_at, task.stopping_at) == (later_on,) * 3
    assert task.containers[0].exit_code == 3


@pytest.mark.parametrize(
    ("before", "told", "code", "reason"),
    [
        (
            a_task(),
            report("STOPPED", web("STOPPED", reason="CannotPullContainerError: gone")),
            "TaskFailedToStart",
            "CannotPullContainerError: gone",
        ),
        (
            a_task(),
            report("STOPPED", web("STOPPED", exit_code=127, reason="CannotStartContainerError: x")),
            "TaskFailedToStart",
            "CannotStartContainerError: x",
        ),
        (
            a_task(),
            report("STOPPED", reason="TaskStateError: could not progress"),
            "TaskFailedToStart",
            "TaskStateError: could not progress",
        ),
        (a_task(), report("STOPPED"), "TaskFailedToStart", "Task failed to start"),
        (
            a_task(),
            report("STOPPED", web("STOPPED", exit_code=1)),
            "EssentialContainerExited",
            "Essential container in task exited",
        ),
        (
            running(a_task()),
            report("STOPPED", web("STOPPED", exit_code=137, reason="OutOfMemoryError: killed")),
            "EssentialContainerExited",
            "Essential container in task exited",
        ),
        (
            ask_to_stop(running(a_task()), "UserInitiated", "enough", NOW),
            report("STOPPED", web("STOPPED", exit_code=143)),
            "UserInitiated",
            "enough",
        ),
    ],
)
def test_endings_say_why(before, told, code, reason):
    task = after(before, told)
    assert (task.stop_code, task.stopped_reason) == (code, reason)
    if code == "EssentialContainerExited":
        assert task.started_at is not None, "it ran, though RUNNING may not have been seen"


def test_reports_of_one_container_are_applied_in_order():
    task = after(a_task(), report("RUNNING", web("RUNNING"), web("STOPPED", exit_code=0)))
    assert task.containers[0].last_status == "STOPPED"
    assert task.containers[0].exit_code == 0


def test_nothing_moves_a_stopped_task():
    task = after(a_task(), report("STOPPED", web("STOPPED", exit_code=0)))
    found = advance(task, report("RUNNING", web("RUNNING")), NOW)
    assert (found.task, found.changed, found.ignored) == (task, False, "The task is STOPPED.")


def test_repeats_and_unknown_containers_say_nothing_new():
    told = report("RUNNING", web("RUNNING"))
    task = after(a_task(), told)
    found = advance(task, told, later(NOW, seconds(5)))
    assert (found.changed, found.ignored) == (False, "The report says nothing new.")
    stranger = report("DANCING", ContainerReport(name="db", status="RUNNING"))
    assert not advance(task, stranger, NOW).changed


def binding(address: str, host_port: int = 32768, protocol: str = "tcp") -> NetworkBinding:
    return NetworkBinding(
        bind_ip=address, container_port=80, host_port=host_port, protocol=protocol
    )


def test_bindings_are_shown_once_and_their_ports_are_held():
    twins = (binding("::"), binding("0.0.0.0"), binding("0.0.0.0", 53, "udp"))
    assert [one.bind_ip for one in shown_once(twins)] == ["0.0.0.0", "0.0.0.0"]
    task = a_task(reserved=Resources(cpu=1, ports=(80,)))
    task = after(task, report("RUNNING", web("RUNNING", network_bindings=twins)))
    assert (task.reserved.ports, task.reserved.ports_udp) == ((80, 32768), (53,))
    assert task.reserved.cpu == 1
    assert [one.host_port for one in task.containers[0].network_bindings] == [32768, 53]


def test_requests_become_reports():
    request = msgspec.convert(
        {
            "task": "arn",
            "status": "RUNNING",
            "reason": "because",
            "pullStartedAt": 1795403157.895,
            "containers": [
                {
                    "containerName": "web",
                    "status": "RUNNING",
                    "runtimeId": "d1",
                    "networkBindings": [{"bindIP": "::", "containerPort": 80, "hostPort": 1}],
                }
            ],
        },
        SubmitTaskStateChangeRequest,
    )
    found = report_of_task(request)
    assert (found.status, found.reason) == ("RUNNING", "because")
    assert found.pull_started_at == 1795403157895000
    assert found.containers[0].network_bindings[0].host_port == 1
    single = SubmitContainerStateChangeRequest(
        container_name="web", status="STOPPED", exit_code=1, runtime_id="d1"
    )
    assert report_of_container(single) == TaskReport(
        status="",
        containers=(ContainerReport(name="web", status="STOPPED", exit_code=1, runtime_id="d1"),),
    )


CONTAINERS = st.builds(
    ContainerReport,
    name=st.sampled_from(["web", "side", "db"]),
    status=st.sampled_from(["PENDING", "RUNNING", "STOPPED", "odd"]),
    exit_code=st.none() | st.integers(0, 2),
    reason=st.none() | st.sampled_from(["", "CannotPullContainerError: x", "warning"]),
    runtime_id=st.none() | st.sampled_from(["d1", "d2"]),
    image_digest=st.none() | st.sampled_from(["sha256:a", "sha256:b"]),
    network_bindings=st.sampled_from([(), (binding("::"),), (binding("0.0.0.0"), binding("::"))]),
)
REPORTS = st.builds(
    TaskReport,
    status=st.sampled_from([*ORDER, "", "odd"]),
    reason=st.sampled_from(["", "because"]),
    containers=st.lists(CONTAINERS, max_size=4).map(tuple),
    pull_started_at=st.none() | st.just(NOW),
)


def two_containers():
    return a_task(containers=(a_container(), a_container("side", essential=False)))


@given(st.lists(REPORTS, max_size=6))
def test_status_never_goes_back_and_what_is_known_stays(reports):
    task = two_containers()
    for one in reports:
        found = advance(task, one, NOW)
        assert found.changed is (found.task != task)
        assert bool(found.ignored) is not found.changed
        assert RANK[found.task.last_status] >= RANK[task.last_status]
        for before, now in zip(task.containers, found.task.containers, strict=True):
            assert CONTAINER_RANK[now.last_status] >= CONTAINER_RANK[before.last_status]
            assert before.exit_code in {None, now.exit_code}
            assert before.runtime_id in {None, now.runtime_id}
        for name in ("started_at", "stopped_at", "stop_code", "pull_started_at"):
            assert getattr(task, name) in {None, getattr(found.task, name)}
        task = found.task


@given(REPORTS)
def test_a_report_that_comes_again_changes_nothing(told):
    once = advance(two_containers(), told, NOW).task
    assert advance(once, told, later(NOW, seconds(9))).task == once


@given(st.permutations([("PENDING", 0), ("RUNNING", 1), ("RUNNING", 2), ("PENDING", 3)]))
def test_the_order_of_reports_before_the_end_does_not_matter(told):
    task = after(a_task(), *(report(status, web(status)) for status, _ in told))
    assert task == after(a_task(), report("RUNNING", web("RUNNING")))


def test_the_table_only_goes_forward_and_the_scheduler_may_only_place_and_end():
    for before in ORDER:
        for then in ORDER:
            assert TABLE.allows(before, then) is (RANK[then] >= RANK[before])
            if MOVES["scheduler"].allows(before, then) and before != then:
                assert then in {"PENDING", "STOPPED"}
    assert not MOVES["scheduler"].allows("PENDING", "RUNNING")


def test_a_stopped_container_is_no_longer_healthy():
    healthy = a_container(has_health_check=True, health="HEALTHY", last_status="RUNNING")
    task = running(a_task(containers=(healthy,)))
    assert after(task, report("RUNNING", web("STOPPED"))).containers[0].health == "UNKNOWN"


@pytest.mark.parametrize(
    ("sent", "status", "taken_in"),
    [(7, "RUNNING", True), (7, "STOPPED", False), (0, "RUNNING", False)],
)
def test_who_runs_a_task_that_was_sent_has_taken_the_order_in(sent, status, taken_in):
    task = after(a_task(payload_sequence=sent), report(status, web(status)))
    assert (task.acknowledged_at is not None) == taken_in
