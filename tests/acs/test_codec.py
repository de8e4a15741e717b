"""Frames: what is written is read, and what is not understood says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs import messages as m
from moorage.acs.codec import (
    FRAME_BYTES_MAX,
    Refusal,
    Unreadable,
    decode_from_agent,
    decode_from_server,
    decode_refusal,
    encode,
    encode_refusal,
)
from moorage.acs.task_messages import (
    Container,
    ContainerDependency,
    DockerConfig,
    PortMapping,
    RoleCredentials,
    Task,
    TaskExtras,
)

PAYLOAD = m.PayloadMessage(
    message_id="m1",
    cluster_arn="c",
    container_instance_arn="i",
    seq_num=3,
    tasks=(
        Task(
            arn="a",
            desired_status="RUNNING",
            cpu=0.5,
            containers=(
                Container(
                    name="web",
                    essential=False,
                    command=(),
                    environment={"A": "1"},
                    port_mappings=(PortMapping(container_port=80, host_port=0),),
                    depends_on=(ContainerDependency(container_name="b", condition="START"),),
                    docker_config=DockerConfig(host_config="{}", version="1.21"),
                ),
            ),
            moorage=TaskExtras(service_name="svc"),
        ),
    ),
)
FROM_SERVER = [
    PAYLOAD,
    m.HeartbeatMessage(message_id="h", healthy=True),
    m.TaskManifestMessage(
        message_id="m",
        cluster_arn="c",
        container_instance_arn="i",
        timeline=4,
        tasks=(m.TaskIdentifier(task_arn="a", desired_status="RUNNING"),),
    ),
    m.TaskStopVerificationAck(message_id="m", stop_tasks=()),
    m.IAMRoleCredentialsMessage(
        message_id="m",
        task_arn="a",
        role_type="TaskExecution",
        role_credentials=RoleCredentials(credentials_id="c"),
    ),
    m.CloseMessage(message="bye"),
    m.ErrorMessage(),
    m.RegistryMessage(message_id="m", names=("h:1",), endpoint="http://h:1"),
    m.AuthorityMessage(message_id="m", certificates=("-----BEGIN CERTIFICATE-----",)),
    m.RotateKeyMessage(message_id="m"),
    m.ImagesInUseMessage(message_id="m", images=("a",), digests=()),
    m.InventoryRequest(message_id="m"),
    m.LogsRequest(request_id="r", task_arn="a", container_name="w", follow=False, since=1.5),
    m.LogsMore(request_id="r", chunks=4),
    m.LogsCancel(request_id="r"),
]
FROM_AGENT = [
    m.AckRequest(message_id="m", cluster="c", container_instance="i"),
    m.NackRequest(message_id="m", reason="why"),
    m.HeartbeatAckRequest(),
    m.TaskStopVerificationMessage(message_id="m", stop_candidates=()),
    m.IAMRoleCredentialsAckRequest(message_id="m", credentials_id="c"),
    m.InventoryMessage(
        message_id="m",
        tasks=(
            m.HeldTask(
                task=Task(arn="a", desired_status="RUNNING"),
                status="RUNNING",
                containers=(
                    m.HeldContainer(
                        name="w",
                        status="RUNNING",
                        ports=(m.HeldPort(container_port=80, host_port=32768),),
                    ),
                ),
            ),
        ),
    ),
    m.LogsChunk(request_id="r", stream="stderr", data=b"\x00\xff\n", end=True),
]


@pytest.mark.parametrize("message", FROM_SERVER, ids=lambda one: type(one).__name__)
def test_the_agent_reads_what_the_server_writes(message):
    assert decode_from_server(encode(message)) == message
    assert isinstance(decode_from_agent(encode(message)), Unreadable)


@pytest.mark.parametrize("message", FROM_AGENT, ids=lambda one: type(one).__name__)
def test_the_server_reads_what_the_agent_writes(message):
    assert decode_from_agent(encode(message).encode()) == message


def test_each_message_has_an_example():
    assert {type(one) for one in FROM_SERVER} == set(m.SERVER_MESSAGES)
    assert {type(one) for one in FROM_AGENT} == set(m.AGENT_MESSAGES)


def test_the_wire_speaks_as_amazon_does():
    """Zero, false and empty lists are said: a default that vanished would be another value."""
    frame = json.loads(encode(PAYLOAD))
    assert frame["type"] == "PayloadMessage"
    (task,) = frame["message"]["tasks"]
    (container,) = task["containers"]
    assert frame["message"]["containerInstanceArn"] == "i"
    assert frame["message"]["seqNum"] == 3
    assert container["essential"] is False
    assert container["command"] == []
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 0}]
    assert container["dockerConfig"] == {"hostConfig": "{}", "version": "1.21"}
    assert task["moorage"] == {"serviceName": "svc"}
    assert encode(m.HeartbeatAckRequest()) == '{"type":"HeartbeatAckRequest","message":{}}'


def test_unknown_members_are_ignored():
    frame = '{"type":"HeartbeatMessage","message":{"messageId":"h","new":{"a":[1]}},"more":1}'
    assert decode_from_server(frame) == m.HeartbeatMessage(message_id="h")


@pytest.mark.parametrize(
    ("frame", "type_", "said"),
    [
        ("", None, "not a frame"),
        ("[]", None, "not a frame"),
        ("{}", None, "not a frame"),
        ('{"type":"HeartbeatMessage"}', None, "not a frame"),
        ('{"type":1,"message":{}}', None, "not a frame"),
        (b"\xff\xfe", None, "not a frame"),
        ('{"type":"Other","message":{}}', "Other", "unknown type"),
        ('{"type":"' + "x" * 999 + '","message":{}}', "x" * 64, "unknown type"),
        ('{"type":"HeartbeatMessage","message":[]}', "HeartbeatMessage", "Expected `object`"),
        ('{"type":"PayloadMessage","message":{"messageId":"m"}}', "PayloadMessage", "clusterArn"),
        (
            encode(PAYLOAD).replace('"name":"web"', '"name":"web","cpu":"1"'),
            "PayloadMessage",
            "Expected `int | null`, got `str`",
        ),
        ("x" * (FRAME_BYTES_MAX + 1), None, "longer than"),
    ],
)
def test_what_cannot_be_read_says_why(frame, type_, said):
    found = decode_from_server(frame)
    assert isinstance(found, Unreadable)
    assert found.type == type_
    assert said in found.reason


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_frame_makes_the_codec_fail(frame):
    assert isinstance(decode_from_server(frame), Unreadable)
    assert isinstance(decode_from_agent(frame), Unreadable)
    decode_refusal(frame)


@pytest.mark.parametrize("form", ["%s", '{"type":"AckRequest","message":%s}', '{"type":[%s]}'])
def test_a_frame_nested_too_deeply_is_unreadable(form):
    """It raises RecursionError while decoding, and once ended the link of the host that sent it."""
    frame = form % ("[" * 100_000 + "]" * 100_000)
    assert isinstance(decode_from_agent(frame), Unreadable)
    assert isinstance(decode_from_server(frame), Unreadable)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"InvalidClusterException":"no"}', Refusal(name="InvalidClusterException", text="no")),
        ('{"ServerException":null}', Refusal(name="ServerException")),
        (
            '{"type":"AccessDeniedException","message":{"message":"no"}}',
            Refusal(name="AccessDeniedException", text="no"),
        ),
        ('{"type":"X","message":"no"}', Refusal(name="X")),
        ('{"__type":"ClientException"}', None),
        ("<html>", None),
        (" " * 70_000, None),
    ],
)
def test_refusals_in_both_forms(body, expected):
    assert decode_refusal(body) == expected


def test_a_refusal_is_written_as_amazons_agent_parses_it():
    refusal = Refusal(name="InactiveInstanceException", text="deregistered")
    assert decode_refusal(encode_refusal(refusal)) == refusal
