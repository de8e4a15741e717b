"""TCS, the second websocket: what runs here, how it feels, how the container runtime is.

Amazon's model of 2015-03-10, the part that we use. The framing differs by direction: a frame of
the agent is a block of headers (a signature, which the server need not check a second time), an
empty line, and the JSON; a frame of the server is plain JSON as in ACS. Timestamps are epoch
seconds. Wire shapes default to None only.
"""

from collections.abc import Mapping

import msgspec

from moorage.acs.codec import FRAME_BYTES_MAX, Unreadable, decode, encode
from moorage.acs.messages import HeartbeatMessage, Message
from moorage.acs.task_messages import Shape
from moorage.ground.record import Record

HEADER_BYTES_MAX = 16 * 1024
# Amazon's agent: at most ten tasks in one PublishMetricsRequest or PublishHealthRequest.
TASKS_IN_MESSAGE_MAX = 10
# The first word of the reason with which our agent says IMPAIRED of its ContainerRuntime. With the
# latter two the engine answers: the host takes nothing new on, and nothing of it is lost.
ENGINE_LOST = "EngineLost"
CONTAINER_STUCK = "ContainerStuck"
RECORDS_UNWRITABLE = "RecordsUnwritable"


class StatisticSet(Shape):
    """Readings of a period."""

    min: float
    max: float
    sample_count: int
    sum: float


class NetworkStatisticSet(Shape):
    """Bytes, packets, drops and errors in both directions during a period."""

    rx_bytes: StatisticSet | None = None
    rx_packets: StatisticSet | None = None
    rx_dropped: StatisticSet | None = None
    rx_errors: StatisticSet | None = None
    tx_bytes: StatisticSet | None = None
    tx_packets: StatisticSet | None = None
    tx_dropped: StatisticSet | None = None
    tx_errors: StatisticSet | None = None
    rx_bytes_per_second: StatisticSet | None = None
    tx_bytes_per_second: StatisticSet | None = None


class StorageStatisticSet(Shape):
    """Bytes read and written during a period."""

    read_size_bytes: StatisticSet | None = None
    write_size_bytes: StatisticSet | None = None


class RestartStatisticSet(Shape):
    """How often the restart policy acted."""

    restart_count: int | None = None


class ContainerMetric(Shape):
    """One container's period: CPU in percent of a core, memory in MiB."""

    container_name: str | None = None
    container_arn: str | None = None
    cpu_stats_set: StatisticSet | None = None
    memory_stats_set: StatisticSet | None = None
    network_stats_set: NetworkStatisticSet | None = None
    storage_stats_set: StorageStatisticSet | None = None
    restart_stats_set: RestartStatisticSet | None = None


class TaskMetric(Shape):
    """One task's containers."""

    task_arn: str | None = None
    cluster_arn: str | None = None
    task_definition_family: str | None = None
    task_definition_version: str | None = None
    container_metrics: tuple[ContainerMetric, ...] | None = None


class MetricsMetadata(Shape):
    """Who says it; `fin` on the last part of a publication."""

    cluster: str | None = None
    container_instance: str | None = None
    message_id: str | None = None
    idle: bool | None = None
    fin: bool | None = None


class PublishMetricsRequest(Message):
    """The figures of a period."""

    metadata: MetricsMetadata | None = None
    task_metrics: tuple[TaskMetric, ...] | None = None
    timestamp: float | None = None


class ContainerHealthStatus(Shape):
    """`health_status` is HEALTHY, UNHEALTHY or UNKNOWN."""

    container_name: str | None = None
    health_status: str | None = None
    status_since: float | None = None
    status_message: str | None = None


class TaskHealthStatus(Shape):
    """One task's containers that have a health check."""

    task_arn: str | None = None
    cluster_arn: str | None = None
    task_definition_family: str | None = None
    task_definition_version: str | None = None
    containers: tuple[ContainerHealthStatus, ...] | None = None


class HealthMetadata(Shape):
    """Who says it; `fin` on the last part of a publication."""

    cluster: str | None = None
    container_instance: str | None = None
    message_id: str | None = None
    fin: bool | None = None


class PublishHealthRequest(Message):
    """Health of containers, at once when it changes and every 20 s."""

    metadata: HealthMetadata | None = None
    tasks: tuple[TaskHealthStatus, ...] | None = None
    timestamp: float | None = None


class InstanceStatus(Shape):
    """`type` is ContainerRuntime; `status` OK, IMPAIRED, INSUFFICIENT_DATA or INITIALIZING."""

    type: str | None = None
    status: str | None = None
    status_reason: str | None = None
    last_updated: float | None = None
    last_status_change: float | None = None


class InstanceStatusMetadata(Shape):
    """Who says it."""

    cluster: str | None = None
    container_instance: str | None = None
    request_id: str | None = None


class PublishInstanceStatusRequest(Message):
    """How the host's container runtime is, after each heartbeat."""

    metadata: InstanceStatusMetadata | None = None
    statuses: tuple[InstanceStatus, ...] | None = None
    timestamp: float | None = None


class AckPublishMetric(Message):
    """Metrics came."""

    message: str | None = None


class AckPublishHealth(Message):
    """Health came."""

    message: str | None = None


class AckPublishInstanceStatus(Message):
    """An instance's status came."""

    message: str | None = None


Publication = PublishMetricsRequest | PublishHealthRequest | PublishInstanceStatusRequest
TelemetryAnswer = HeartbeatMessage | AckPublishMetric | AckPublishHealth | AckPublishInstanceStatus

_PUBLICATIONS: Mapping[str, msgspec.json.Decoder[msgspec.Struct]] = {
    shape.__name__: msgspec.json.Decoder(shape)
    for shape in (PublishMetricsRequest, PublishHealthRequest, PublishInstanceStatusRequest)
}
_ANSWERS: Mapping[str, msgspec.json.Decoder[msgspec.Struct]] = {
    shape.__name__: msgspec.json.Decoder(shape)
    for shape in (HeartbeatMessage, AckPublishMetric, AckPublishHealth, AckPublishInstanceStatus)
}


class Published(Record):
    """A frame of the agent, opened: header names in lower case, and what it says."""

    headers: dict[str, str]
    message: Publication


def encode_publication(message: Publication, headers: Mapping[str, str]) -> str:
    """The agent's frame: headers (Authorization, Host, X-Amz-Date), an empty line, the JSON."""
    block = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{block}\r\n{encode(message)}"


def publication_body(message: Publication) -> str:
    """The JSON alone: what the signature in the headers covers."""
    return encode(message)


def decode_publication(frame: str | bytes) -> Published | Unreadable:
    """What the agent publishes in this frame; never raises."""
    if len(frame) > FRAME_BYTES_MAX + HEADER_BYTES_MAX:
        return Unreadable(reason=f"the frame is longer than {FRAME_BYTES_MAX} bytes")
    try:
        text = frame if isinstance(frame, str) else frame.decode()
    except UnicodeError:
        return Unreadable(reason="not UTF-8")
    block, separator, body = text.partition("\r\n\r\n")
    if not separator:
        block, body = "", text
    if len(block) > HEADER_BYTES_MAX:
        return Unreadable(reason=f"more than {HEADER_BYTES_MAX} bytes of headers")
    headers: dict[str, str] = {}
    for line in block.split("\r\n") if block else ():
        name, colon, value = line.partition(":")
        if not colon:
            return Unreadable(reason="a line among the headers is none")
        headers[name.strip().lower()] = value.strip()
    message = decode(body, _PUBLICATIONS)
    if isinstance(message, Unreadable):
        return message
    assert isinstance(
        message, PublishMetricsRequest | PublishHealthRequest | PublishInstanceStatusRequest
    )
    return Published(headers=headers, message=message)


ANSWERS: Mapping[type[Publication], type[Message]] = {
    PublishMetricsRequest: AckPublishMetric,
    PublishHealthRequest: AckPublishHealth,
    PublishInstanceStatusRequest: AckPublishInstanceStatus,
}
_FRAMES = {said: encode(answer(message="ok")) for said, answer in ANSWERS.items()}


def answer_to(message: Publication) -> str:
    """The server's frame that acknowledges a publication: without it the agent reconnects."""
    return _FRAMES[type(message)]


def decode_answer(frame: str | bytes) -> TelemetryAnswer | Unreadable:
    """What the server says on TCS; never raises."""
    return decode(frame, _ANSWERS)  # type: ignore[return-value]  # the table's own types
