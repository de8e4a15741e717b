"""What the server asks, and what is answered at once."""

import pytest

from moorage.acs.messages import (
    AckRequest,
    IAMRoleCredentialsAckRequest,
    LogsChunk,
    TaskStopVerificationMessage,
)
from moorage.acs.task_messages import Container, ContainerDependency, RoleCredentials, Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.adoption import UNKNOWN_IN_MANIFEST, UNKNOWN_TO_STOP
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task, doings, kinds
from tests.agent.engine.world import World, arn, payload

ONE = arn(1)
CREDENTIALS = RoleCredentials(
    credentials_id="cid", secret_access_key="hidden", expiration="2026-11-23T00:00:00Z"
)


def manifest(timeline: int, **statuses: str) -> e.ManifestReceived:
    listed = {arn(int(name[1:])): status for name, status in statuses.items()}
    return e.ManifestReceived(
        message_id=f"m{timeline}",
        cluster_arn="arn:cluster",
        container_instance_arn="arn:ci",
        timeline=timeline,
        tasks=World().identifiers(listed),
    )


def messages(answer: list[i.Instruction]) -> list[object]:
    return [one.message for one in doings(answer) if isinstance(one, i.SendMessage)]


def test_tasks_to_stop_come_before_tasks_to_run(world):
    world.feed(payload(a_task()))
    world.run()
    both = payload(a_task(number=2), Task(arn=ONE, desired_status="STOPPED"))
    assert kinds(world.feed(both)) == ["StopContainer", "CreateContainer", "SendMessage"]


@pytest.mark.parametrize(
    "task",
    [
        a_task(a_container("x"), a_container("x")),
        a_task(Container(name="x")),
        evolve(a_task(), containers=()),
        evolve(a_task(), desired_status="PENDING"),
        a_task(a_container("x"), a_container("x/")),
        a_task(
            a_container(depends_on=(ContainerDependency(container_name="y", condition="START"),))
        ),
    ],
)
def test_a_task_that_can_never_run_is_acknowledged_and_told_as_stopped(world, task):
    answer = world.feed(payload(task))
    assert kinds(answer) == ["SendMessage", "SubmitTaskStateChange"]
    report = doings(answer)[1].report
    assert report.status == "STOPPED"
    assert report.reason.startswith("UnrecognizedTaskError: Error loading task - ")


def test_a_stop_for_an_unknown_task_is_told_as_stopped_and_runs_nothing(world):
    stop = evolve(a_task(), desired_status="STOPPED")
    answer = world.feed(payload(stop))
    assert kinds(answer) == ["SendMessage", "SubmitTaskStateChange"]
    report = doings(answer)[1].report
    assert [(c.container_name, c.status) for c in report.containers] == [("web", "STOPPED")]
    assert report.reason is None


def test_a_bare_stop_for_an_unknown_task_has_a_reason(world):
    answer = world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    assert doings(answer)[1].report.reason == UNKNOWN_TO_STOP


def test_a_payload_that_comes_again_is_acknowledged_and_changes_nothing(world):
    world.feed(payload(a_task()))
    world.run()
    assert kinds(world.feed(payload(a_task()))) == ["SendMessage"]
    stop = payload(Task(arn=ONE, desired_status="STOPPED"))
    assert kinds(world.feed(stop)) == ["StopContainer", "SendMessage"]
    assert kinds(world.feed(stop)) == ["SendMessage"]


def test_credentials_are_kept_in_memory_and_acknowledged_one_by_one(world):
    task = a_task(role_credentials=CREDENTIALS, execution_role_credentials=CREDENTIALS)
    answer = world.feed(payload(task))
    kept = [one for one in answer if isinstance(one, i.KeepCredentials)]
    assert [one.role_type for one in kept] == ["TaskApplication", "TaskExecution"]
    assert [type(m) for m in messages(answer)] == [
        IAMRoleCredentialsAckRequest,
        IAMRoleCredentialsAckRequest,
        AckRequest,
    ]
    assert not any(b"hidden" in stored for stored in world.disk.values())


def test_credentials_of_an_unknown_task_have_no_answer(world):
    received = e.CredentialsReceived(
        message_id="c1", task_arn=ONE, role_type="TaskApplication", credentials=CREDENTIALS
    )
    assert doings(world.feed(received)) == []
    world.feed(payload(a_task()))
    assert messages(world.feed(received)) == [
        IAMRoleCredentialsAckRequest(
            message_id="c1", credentials_id="cid", expiration="2026-11-23T00:00:00Z"
        )
    ]


def test_a_manifest_that_agrees_is_acknowledged(world):
    world.feed(payload(a_task(), seq_num=3))
    world.run()
    (ack,) = messages(world.feed(manifest(4, t1="RUNNING")))
    assert ack == AckRequest(message_id="m4", cluster="arn:cluster", container_instance="arn:ci")


@pytest.mark.parametrize("timeline", [0, 2, 3])
def test_a_manifest_that_is_not_newer_than_all_before_is_dropped(world, timeline):
    world.feed(payload(a_task(), seq_num=3))
    assert doings(world.feed(manifest(timeline))) == []
    world.feed(manifest(5, t1="RUNNING"))
    assert doings(world.feed(manifest(5))) == []
    world.begin()
    world.run()
    assert doings(world.feed(manifest(5))) == [], "the highest is remembered on the disk"


def test_tasks_beyond_the_manifest_are_asked_about_and_stopped_once_confirmed(world):
    world.feed(payload(a_task(), a_task(number=2)))
    world.run()
    _, verification = messages(world.feed(manifest(9, t2="RUNNING", t1="STOPPED")))
    assert isinstance(verification, TaskStopVerificationMessage)
    assert [c.task_arn for c in verification.stop_candidates] == [ONE]
    confirmed = e.StopConfirmed(message_id="m9", task_arns=(ONE, arn(7)))
    assert kinds(world.feed(confirmed)) == ["StopContainer"]
    again = e.StopConfirmed(message_id="m9", task_arns=(arn(2),))
    assert kinds(world.feed(again)) == [], "a manifest is good for one confirmation"


def test_a_task_that_is_listed_and_not_here_is_told_as_stopped(world):
    answer = world.feed(manifest(9, t1="RUNNING", t2="STOPPED"))
    reports = [one.report for one in answer if isinstance(one, i.SubmitTaskStateChange)]
    assert [(r.task, r.status, r.reason) for r in reports] == [
        (ONE, "STOPPED", UNKNOWN_IN_MANIFEST)
    ]


def test_claims_replace_those_of_before(world):
    for images in (("a",), ("b",)):
        claimed = e.ImagesClaimed(message_id="i1", images=images, digests=())
        assert messages(world.feed(claimed)) == [AckRequest(message_id="i1")]
    assert world.engine.memory().claimed_images == ("b",)


def test_logs_are_read_by_the_id_of_the_container(world):
    world.feed(payload(a_task()))
    world.run()
    asked = e.LogsRequested(
        request_id="r1", task_arn=ONE, container="web", follow=True, tail_lines=10
    )
    assert doings(world.feed(asked)) == [
        i.StreamLogs(
            request_id="r1",
            runtime_id=world.of(ONE, "web").runtime_id,
            follow=True,
            tail_lines=10,
        )
    ]


@pytest.mark.parametrize(("task", "container"), [(arn(5), "web"), (ONE, "other"), (ONE, "web")])
def test_logs_of_what_is_not_here_end_at_once(world, task, container):
    world.feed(payload(a_task()))
    asked = e.LogsRequested(request_id="r1", task_arn=task, container=container, follow=False)
    (chunk,) = messages(world.feed(asked))
    assert isinstance(chunk, LogsChunk)
    assert chunk.end
    assert container in chunk.error


def test_a_heartbeat_is_answered_with_the_state_of_docker(world):
    (status,) = doings(world.feed(e.HeartbeatReceived()))
    assert not status.impaired
    world.feed(e.EngineLost())
    (status,) = doings(world.feed(e.HeartbeatReceived()))
    assert status.impaired
