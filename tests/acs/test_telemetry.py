"""TCS: headers before the JSON from the agent, plain JSON from the server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs import telemetry as t
from moorage.acs.codec import FRAME_BYTES_MAX, Unreadable
from moorage.acs.messages import HeartbeatMessage

METRICS = t.PublishMetricsRequest(
    metadata=t.MetricsMetadata(cluster="lab", idle=False, fin=True),
    task_metrics=(
        t.TaskMetric(
            task_arn="a",
            container_metrics=(
                t.ContainerMetric(
                    container_name="web",
                    cpu_stats_set=t.StatisticSet(min=0, max=1.5, sample_count=20, sum=9),
                ),
            ),
        ),
    ),
    timestamp=1795403143.5,
)
HEALTH = t.PublishHealthRequest(
    metadata=t.HealthMetadata(cluster="lab", fin=True),
    tasks=(
        t.TaskHealthStatus(
            task_arn="a",
            containers=(t.ContainerHealthStatus(container_name="web", health_status="HEALTHY"),),
        ),
    ),
    timestamp=1795403143,
)
STATUS = t.PublishInstanceStatusRequest(
    statuses=(t.InstanceStatus(type="ContainerRuntime", status="OK"),)
)
HEADERS = {"Authorization": "AWS4-HMAC-SHA256 x", "Host": "127.0.0.1:28731", "X-Amz-Date": "d"}


@pytest.mark.parametrize("message", [METRICS, HEALTH, STATUS])
def test_a_publication_is_read_with_its_headers(message):
    frame = t.encode_publication(message, HEADERS)
    assert frame.startswith("Authorization: AWS4-HMAC-SHA256 x\r\nHost: 127.0.0.1:28731\r\n")
    block, _, body = frame.partition("\r\n\r\n")
    assert body == t.publication_body(message)
    assert block.count("\r\n") == 2
    found = t.decode_publication(frame.encode())
    assert found == t.Published(
        headers={name.lower(): value for name, value in HEADERS.items()}, message=message
    )
    assert t.decode_publication(body) == t.Published(headers={}, message=message)


def test_a_line_of_amazons_agent():
    body = (
        '{"type":"PublishHealthRequest","message":{"metadata":{"cluster":"lab",'
        '"containerInstance":"i","messageId":"u","fin":true},"tasks":[{"taskArn":"a",'
        '"taskDefinitionFamily":"f","taskDefinitionVersion":"1","containers":'
        '[{"containerName":"main","healthStatus":"HEALTHY","statusSince":1795403157}]}],'
        '"timestamp":1795403157}}'
    )
    found = t.decode_publication(f"Host: h\r\n\r\n{body}")
    assert isinstance(found, t.Published)
    assert isinstance(found.message, t.PublishHealthRequest)
    assert found.message.tasks is not None
    assert found.message.tasks[0].containers is not None
    assert found.message.tasks[0].containers[0].status_since == 1795403157


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (METRICS, "AckPublishMetric"),
        (HEALTH, "AckPublishHealth"),
        (STATUS, "AckPublishInstanceStatus"),
    ],
)
def test_each_publication_has_its_answer(message, name):
    frame = t.answer_to(message)
    assert json.loads(frame) == {"type": name, "message": {"message": "ok"}}
    assert type(t.decode_answer(frame)).__name__ == name


def test_the_servers_heartbeat_is_read():
    frame = '{"type":"HeartbeatMessage","message":{"healthy":true}}'
    assert t.decode_answer(frame) == HeartbeatMessage(healthy=True)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"\xff", "not UTF-8"),
        ("no colon\r\n\r\n{}", "a line among the headers"),
        ("A: b\r\n\r\n", "not a frame"),
        ('A: b\r\n\r\n{"type":"X","message":{}}', "unknown type"),
        ("A: " + "b" * 20_000 + "\r\n\r\n{}", "bytes of headers"),
        ("x" * (FRAME_BYTES_MAX + 20_000), "longer than"),
    ],
)
def test_what_cannot_be_read_says_why(frame, said):
    found = t.decode_publication(frame)
    assert isinstance(found, Unreadable)
    assert said in found.reason


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_no_frame_makes_it_fail(frame):
    assert isinstance(t.decode_publication(frame), Unreadable)
    assert isinstance(t.decode_answer(frame), Unreadable)
