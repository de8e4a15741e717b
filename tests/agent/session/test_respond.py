"""Each message of the server, and what follows from it."""

import pytest

from moorage.acs import messages as m
from moorage.acs.task_messages import RoleCredentials, Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.session.respond import RESPONDERS, respond
from moorage.agent.session.response import Response
from moorage.ground.instant import from_epoch
from moorage.ground.record import evolve

TASK = Task(arn="a", desired_status="RUNNING")
PAYLOAD = m.PayloadMessage(
    message_id="p1", cluster_arn="c", container_instance_arn="i", tasks=(TASK,), seq_num=4
)
MANIFEST = m.TaskManifestMessage(message_id="m1", cluster_arn="c", container_instance_arn="i")
CREDENTIALS = m.IAMRoleCredentialsMessage(
    message_id="c1",
    task_arn="a",
    role_type="TaskApplication",
    role_credentials=RoleCredentials(credentials_id="cid"),
)


def test_each_message_has_a_responder():
    assert set(RESPONDERS) == set(m.SERVER_MESSAGES)


@pytest.mark.parametrize(
    ("message", "events", "instructions"),
    [
        (
            PAYLOAD,
            (
                e.PayloadReceived(
                    message_id="p1",
                    cluster_arn="c",
                    container_instance_arn="i",
                    tasks=(TASK,),
                    seq_num=4,
                ),
            ),
            (),
        ),
        (
            evolve(PAYLOAD, tasks=None, seq_num=None),
            (
                e.PayloadReceived(
                    message_id="p1", cluster_arn="c", container_instance_arn="i", tasks=()
                ),
            ),
            (),
        ),
        (
            m.AuthorityMessage(message_id="a1", certificates=("PEM",)),
            (),
            (i.TrustAuthorities(message_id="a1", certificates=("PEM",)),),
        ),
        (
            m.RotateKeyMessage(message_id="k1"),
            (),
            (i.SendMessage(message=m.AckRequest(message_id="k1")), i.RotateKey()),
        ),
        (
            m.HeartbeatMessage(message_id="h"),
            (e.HeartbeatReceived(),),
            (i.SendMessage(message=m.HeartbeatAckRequest(message_id="h")),),
        ),
        (
            MANIFEST,
            (
                e.ManifestReceived(
                    message_id="m1",
                    cluster_arn="c",
                    container_instance_arn="i",
                    timeline=0,
                    tasks=(),
                ),
            ),
            (),
        ),
        (
            m.TaskStopVerificationAck(
                message_id="m1",
                stop_tasks=(
                    m.TaskIdentifier(task_arn="a", desired_status="STOPPED"),
                    m.TaskIdentifier(task_arn="b"),
                    m.TaskIdentifier(task_arn="c", desired_status="RUNNING"),
                ),
            ),
            (e.StopConfirmed(message_id="m1", task_arns=("a", "b")),),
            (),
        ),
        (
            CREDENTIALS,
            (
                e.CredentialsReceived(
                    message_id="c1",
                    task_arn="a",
                    role_type="TaskApplication",
                    credentials=CREDENTIALS.role_credentials,
                ),
            ),
            (),
        ),
        (
            m.ImagesInUseMessage(message_id="i1", images=("x",)),
            (e.ImagesClaimed(message_id="i1", images=("x",), digests=()),),
            (),
        ),
        (
            m.InventoryRequest(message_id="i2"),
            (e.InventoryRequested(message_id="i2"),),
            (),
        ),
        (
            m.RegistryMessage(message_id="r1", names=("h:1",), endpoint="http://h:1"),
            (),
            (
                i.ConfigureRegistry(names=("h:1",), endpoint="http://h:1"),
                i.SendMessage(message=m.AckRequest(message_id="r1")),
            ),
        ),
        (
            m.LogsRequest(
                request_id="l", task_arn="a", container_name="w", tail_lines=-4, since=10.5
            ),
            (
                e.LogsRequested(
                    request_id="l",
                    task_arn="a",
                    container="w",
                    follow=False,
                    tail_lines=0,
                    since=from_epoch(10.5),
                ),
            ),
            (),
        ),
        (
            m.LogsRequest(request_id="l", task_arn="a", container_name="w", window=0),
            (e.LogsRequested(request_id="l", task_arn="a", container="w", follow=False, window=1),),
            (),
        ),
        (m.LogsMore(request_id="l", chunks=3), (), (i.AllowLogs(request_id="l", chunks=3),)),
        (m.LogsMore(request_id="l", chunks=-3), (), (i.AllowLogs(request_id="l", chunks=0),)),
        (m.LogsCancel(request_id="l"), (), (i.CancelLogs(request_id="l"),)),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, m.Message) else "",
)
def test_what_follows_from_a_message(message, events, instructions):
    assert respond(message) == Response(events=events, instructions=instructions)


@pytest.mark.parametrize(
    "message",
    [
        evolve(PAYLOAD, message_id=""),
        evolve(PAYLOAD, cluster_arn=""),
        evolve(PAYLOAD, container_instance_arn=""),
        evolve(PAYLOAD, tasks=(evolve(TASK, arn=""),)),
        evolve(MANIFEST, message_id=""),
        m.TaskStopVerificationAck(message_id=""),
        evolve(CREDENTIALS, role_type="Other"),
        evolve(CREDENTIALS, task_arn=""),
        evolve(CREDENTIALS, role_credentials=RoleCredentials()),
        m.CloseMessage(message="bye"),
        m.ErrorMessage(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_has_no_effect_says_why(message):
    found = respond(message)
    assert found.ignored
    assert found == Response(ignored=found.ignored)
