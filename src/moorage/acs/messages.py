"""What control plane and agent say over the ACS websocket: one struct a message.

Names and members are those of Amazon's ACS model (2014-11-13), the part of it that we use.
Amazon's agent ignores unknown members and drops unknown types without an acknowledgement; so our
own additions are optional members, or types of their own (the last section) that are sent only to
an agent which registered the attribute `moorage.capability.agent`.
"""

from typing import Literal

from moorage.acs.task_messages import RoleCredentials, Shape, Task

CAPABILITY_OF_OUR_AGENT = "moorage.capability.agent"


class Message(Shape):
    """What stands under `message` in a frame; its type is the class's name."""


# --- server to agent -----------------------------------------------------------------------------


class PayloadMessage(Message):
    """Tasks to run or to stop. Resent, with the same id, until acknowledged."""

    message_id: str
    cluster_arn: str
    container_instance_arn: str
    tasks: tuple[Task, ...] | None = None
    generated_at: int | None = None
    seq_num: int | None = None
    timeline: int | None = None


class HeartbeatMessage(Message):
    """The server is there; also on TCS, where it has no id and no answer.

    `answered`, ours, is the id of the newest heartbeat of this connection whose answer has come:
    so the agent learns that the server knew of it when it sent that answer.
    """

    message_id: str | None = None
    healthy: bool | None = None
    answered: str | None = None


class TaskIdentifier(Shape):
    """One line of a manifest or of a stop verification."""

    task_arn: str
    task_cluster_arn: str | None = None
    desired_status: str | None = None


class TaskManifestMessage(Message):
    """All tasks that this instance should know; dropped where `timeline` is not a new high."""

    message_id: str
    cluster_arn: str
    container_instance_arn: str
    tasks: tuple[TaskIdentifier, ...] | None = None
    generated_at: int | None = None
    timeline: int | None = None


class TaskStopVerificationAck(Message):
    """The server confirms which of the candidates are to be stopped."""

    message_id: str
    stop_tasks: tuple[TaskIdentifier, ...] | None = None
    generated_at: int | None = None


class IAMRoleCredentialsMessage(Message):
    """New credentials for a task's role; `role_type` is TaskApplication or TaskExecution."""

    message_id: str
    task_arn: str
    role_type: str
    role_credentials: RoleCredentials
    task_cluster_arn: str | None = None


class CloseMessage(Message):
    """The server is about to close; logged only."""

    message: str | None = None


class ErrorMessage(Message):
    """The server is in trouble; logged only."""

    message: str | None = None


# --- agent to server -----------------------------------------------------------------------------


class AckRequest(Message):
    """A payload, a manifest or one of our own messages was accepted and stored."""

    message_id: str
    cluster: str | None = None
    container_instance: str | None = None


class NackRequest(Message):
    """A message was understood and refused."""

    message_id: str
    reason: str
    cluster: str | None = None
    container_instance: str | None = None


class HeartbeatAckRequest(Message):
    """The agent is there."""

    message_id: str | None = None


class TaskStopVerificationMessage(Message):
    """Asks whether tasks that run here and were not in the manifest of this id may be stopped."""

    message_id: str
    stop_candidates: tuple[TaskIdentifier, ...] | None = None


class IAMRoleCredentialsAckRequest(Message):
    """Credentials were stored."""

    message_id: str
    credentials_id: str | None = None
    expiration: str | None = None


# --- ours: only to and from an agent with moorage.capability.agent -------------------------------


class RegistryMessage(Message):
    """Under which `HOST:PORT` names our registry is known, and at which URL it is reached.

    `certificate_authority` is PEM, where the registry serves TLS by a private authority.
    """

    message_id: str
    names: tuple[str, ...]
    endpoint: str
    certificate_authority: str | None = None


class AuthorityMessage(Message):
    """Whom to trust from now on when calling this server: certificates in PEM, and no others.

    The first signs the server's certificate. Acknowledged once they are kept on disk.
    """

    message_id: str
    certificates: tuple[str, ...]


class RotateKeyMessage(Message):
    """Ask for a new key of your own (RotateHostKey). Said again until the host has changed it."""

    message_id: str


class ImagesInUseMessage(Message):
    """Images (as written) and digests that some deployment claims: never removed from a host."""

    message_id: str
    images: tuple[str, ...] | None = None
    digests: tuple[str, ...] | None = None


class InventoryRequest(Message):
    """The server's database is older than its hosts: tell it all tasks that are to run here."""

    message_id: str


class HeldPort(Shape):
    """A port of the host that leads to a port of a container."""

    container_port: int
    host_port: int
    bind_ip: str | None = None
    protocol: str | None = None


class HeldContainer(Shape):
    """How one container of a task is; `status` is PENDING, RUNNING or STOPPED."""

    name: str
    status: str
    runtime_id: str | None = None
    image_digest: str | None = None
    ports: tuple[HeldPort, ...] | None = None


class HeldTask(Shape):
    """A task that a host has: as it was sent, and how it is."""

    task: Task
    status: str
    containers: tuple[HeldContainer, ...] | None = None


class InventoryMessage(Message):
    """Some of the tasks that are to run here, in answer to the request of this id."""

    message_id: str
    tasks: tuple[HeldTask, ...] | None = None


class LogsRequest(Message):
    """Send the output of a container; `since` in epoch seconds, `tail_lines` None for all.

    `window` is how many chunks may be on their way or unread: more only as LogsMore allows, so
    that one reader's output holds nothing up that shares the connection. None: no bound.
    """

    request_id: str
    task_arn: str
    container_name: str
    follow: bool | None = None
    tail_lines: int | None = None
    since: float | None = None
    window: int | None = None


class LogsMore(Message):
    """So many more chunks of this output may be sent: its reader has read on."""

    request_id: str
    chunks: int


class LogsCancel(Message):
    """Nobody reads this output any more."""

    request_id: str


class LogsChunk(Message):
    """Some output; `data` is base64 on the wire. The last chunk has `end`, and `error` if failed."""

    request_id: str
    stream: Literal["stdout", "stderr"] | None = None
    data: bytes | None = None
    end: bool | None = None
    error: str | None = None


ServerMessage = (
    PayloadMessage
    | HeartbeatMessage
    | TaskManifestMessage
    | TaskStopVerificationAck
    | IAMRoleCredentialsMessage
    | CloseMessage
    | ErrorMessage
    | RegistryMessage
    | AuthorityMessage
    | RotateKeyMessage
    | ImagesInUseMessage
    | InventoryRequest
    | LogsRequest
    | LogsMore
    | LogsCancel
)
AgentMessage = (
    AckRequest
    | NackRequest
    | HeartbeatAckRequest
    | TaskStopVerificationMessage
    | IAMRoleCredentialsAckRequest
    | InventoryMessage
    | LogsChunk
)

SERVER_MESSAGES: tuple[type[Message], ...] = (
    PayloadMessage,
    HeartbeatMessage,
    TaskManifestMessage,
    TaskStopVerificationAck,
    IAMRoleCredentialsMessage,
    CloseMessage,
    ErrorMessage,
    RegistryMessage,
    AuthorityMessage,
    RotateKeyMessage,
    ImagesInUseMessage,
    InventoryRequest,
    LogsRequest,
    LogsMore,
    LogsCancel,
)
AGENT_MESSAGES: tuple[type[Message], ...] = (
    AckRequest,
    NackRequest,
    HeartbeatAckRequest,
    TaskStopVerificationMessage,
    IAMRoleCredentialsAckRequest,
    InventoryMessage,
    LogsChunk,
)
