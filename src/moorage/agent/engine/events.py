"""What may happen to an agent: the past, one record an event, fed to `Engine.handle`.

Rules for the shell that feeds them:

- A completion repeats `task_arn`, `container` and `attempt` of its instruction. Every instruction
  ends in exactly one completion, its failure included; a completion may come twice or late.
- If the container engine cannot be reached, no completion is fed: `EngineLost` is, once, and
  `EngineReturned` when it answers again. Instructions that were out are then given again.
- `ContainerExited` and `ContainersObserved` come from inspections, never from the text of an
  event of Docker alone: `Exit.started_at` tells which run ended.
- A look lists *all* containers with the label `moorage.host` of this host, running or not.
"""

from moorage.acs.messages import TaskIdentifier
from moorage.acs.task_messages import RoleCredentials, Task
from moorage.agent.records.container import Exit, Health, ObservedContainer, PortBinding
from moorage.agent.records.image import ObservedImage
from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record


class AgentStarted(Record):
    """The first event of a process: the checkpoint is loaded. Answered with a full look."""


class Tick(Record):
    """Time has passed; fed when a timer set by SetTimer is due, and at least every 10 s."""


# --- from the server (by the responders of agent/session) ----------------------------------------


class PayloadReceived(Record):
    """Tasks to run or stop."""

    message_id: str
    cluster_arn: str
    container_instance_arn: str
    tasks: tuple[Task, ...]
    seq_num: int = 0


class ManifestReceived(Record):
    """Every task that the server holds to be on this host."""

    message_id: str
    cluster_arn: str
    container_instance_arn: str
    timeline: int
    tasks: tuple[TaskIdentifier, ...]


class StopConfirmed(Record):
    """The server confirms a stop verification; `message_id` is the manifest's."""

    message_id: str
    task_arns: tuple[str, ...]


class CredentialsReceived(Record):
    """New credentials of a role of a task."""

    message_id: str
    task_arn: str
    role_type: str
    credentials: RoleCredentials


class InventoryRequested(Record):
    """The server wants to be told all tasks that are to run here."""

    message_id: str


class ImagesClaimed(Record):
    """Images that are in use somewhere and must stay on this host."""

    message_id: str
    images: tuple[str, ...]
    digests: tuple[str, ...]


class LogsRequested(Record):
    """Somebody wants the output of a container; `since` and `tail_lines` None for all."""

    request_id: str
    task_arn: str
    container: str
    follow: bool
    tail_lines: int | None = None
    since: Instant | None = None
    window: int | None = None


class HeartbeatReceived(Record):
    """The server was heard; the state of the container runtime is published in answer."""


class ServerSilent(Record):
    """The server is away: fed each second while it is, and at once when the connection breaks.

    `unheard`: for how long nothing was heard of it by this process. `unconfirmed`: how long ago
    the last moment is at which the server is known to have known that this host is there; counted
    across restarts of the agent, on a clock that nothing stops, so it is the longer one.
    """

    unheard: Duration
    unconfirmed: Duration


class ServerUnconfirmed(Record):
    """The server speaks, and has not confirmed for so long that it hears this host, too."""

    unconfirmed: Duration


class ServerHeard(Record):
    """The server speaks (again); fed before what it says."""


class HostDeregistered(Record):
    """The server refused the handshake, since this instance is INACTIVE: its tasks are not wanted."""


# --- reports --------------------------------------------------------------------------------------


class ReportAcknowledged(Record):
    """SubmitTaskStateChange `sequence` of this task was accepted."""

    task_arn: str
    sequence: int


class ReportRefused(Record):
    """It was refused for good (InvalidParameterException). Other refusals the shell retries."""

    task_arn: str
    sequence: int
    message: str = ""


# --- images, volumes, cgroups ---------------------------------------------------------------------


class PostMortemGathered(Record):
    """What GatherPostMortem asked for is kept on disk, and will be told: no container is needed."""

    task_arn: str
    ended: bool
    healings: int = 0


class PullFinished(Record):
    """The image is here; `reference` is what a container is to be created from.

    `image` is as the instruction named it. `digest` is the manifest's (`sha256:...`), where
    known. `pulled` is false where nothing was fetched: an image by digest that the host has is
    not pulled.
    """

    image: str
    reference: str
    started_at: Instant
    finished_at: Instant
    digest: str | None = None
    pulled: bool = True


class PullFailed(Record):
    """The image cannot be had; `transient` where another try may help (network, 5xx)."""

    image: str
    reason: str
    transient: bool = False
    started_at: Instant | None = None
    finished_at: Instant | None = None


class ResourceCreated(Record):
    """A volume or cgroup is there (made now, or before: creation is idempotent by name)."""

    task_arn: str
    name: str


class ResourceFailed(Record):
    """A volume or cgroup could not be made."""

    task_arn: str
    name: str
    reason: str


class ResourceRemoved(Record):
    """A volume or cgroup is gone, or was never there."""

    task_arn: str
    name: str


class ResourceRemoveFailed(Record):
    """It could not be removed; tried again later."""

    task_arn: str
    name: str
    reason: str = ""


class ImagesListed(Record):
    """All images of the runtime, in answer to ListImages."""

    images: tuple[ObservedImage, ...]


# --- containers -----------------------------------------------------------------------------------


class ContainerCreated(Record):
    """The container exists, made now or met under its name: creation is idempotent by name."""

    task_arn: str
    container: str
    attempt: int
    runtime_id: str


class CreateFailed(Record):
    """`image_missing` where Docker knows no such image (then it is pulled after all)."""

    task_arn: str
    container: str
    attempt: int
    reason: str
    image_missing: bool = False
    transient: bool = False


class ContainerStarted(Record):
    """The container runs, or has run; with what an inspection after the start says.

    `started_at` is State.StartedAt. `bindings` are Docker's, IPv4 and IPv6 as they come.
    """

    task_arn: str
    container: str
    attempt: int
    runtime_id: str
    started_at: Instant
    bindings: tuple[PortBinding, ...] = ()


class StartFailed(Record):
    """`port_clash` where a port of the host was taken; `missing` where the container is gone.

    `unclear` where the call broke or hung: it may have started all the same.
    """

    task_arn: str
    container: str
    attempt: int
    reason: str
    port_clash: bool = False
    missing: bool = False
    unclear: bool = False


class ContainerExited(Record):
    """A run of a container ended, asked or unasked; noticed by Docker's events."""

    task_arn: str
    container: str
    runtime_id: str
    exit: Exit


class StopFinished(Record):
    """The container does not run; `exit` None where it is gone or never ran."""

    task_arn: str
    container: str
    attempt: int
    exit: Exit | None = None


class StopFailed(Record):
    """Docker could not stop it; tried again later."""

    task_arn: str
    container: str
    attempt: int
    reason: str


class ContainerRemoved(Record):
    """The container is gone, or was gone already."""

    task_arn: str
    container: str
    attempt: int


class RemoveFailed(Record):
    """It could not be removed; tried again later."""

    task_arn: str
    container: str
    attempt: int
    reason: str = ""


class HealthChanged(Record):
    """Docker's health check speaks another word since `since`; `message` is its last output."""

    task_arn: str
    container: str
    runtime_id: str
    health: Health
    since: Instant
    message: str | None = None


class ContainersObserved(Record):
    """A full look, in answer to ObserveContainers of the same `look`."""

    look: int
    containers: tuple[ObservedContainer, ...]


class LookFailed(Record):
    """The look could not be taken, by an engine that answers: it is tried again soon."""

    look: int
    reason: str = ""


class EngineLost(Record):
    """The container engine cannot be reached; what was out has no completion."""

    reason: str = ""


class EngineReturned(Record):
    """The container engine answers again; answered with a full look."""


class EventsMissed(Record):
    """Docker's events were interrupted, though Docker answers: a full look makes them good."""


ContainerEvent = (
    ContainerCreated
    | CreateFailed
    | ContainerStarted
    | StartFailed
    | ContainerExited
    | StopFinished
    | StopFailed
    | ContainerRemoved
    | RemoveFailed
    | HealthChanged
)
ResourceEvent = ResourceCreated | ResourceFailed | ResourceRemoved | ResourceRemoveFailed
ServerEvent = (
    PayloadReceived
    | ManifestReceived
    | StopConfirmed
    | CredentialsReceived
    | ImagesClaimed
    | InventoryRequested
    | LogsRequested
    | HeartbeatReceived
    | PostMortemGathered
    | ReportAcknowledged
    | ReportRefused
    | ServerSilent
    | ServerUnconfirmed
    | ServerHeard
    | HostDeregistered
)
Event = (
    AgentStarted
    | Tick
    | ServerEvent
    | PullFinished
    | PullFailed
    | ImagesListed
    | ResourceEvent
    | ContainerEvent
    | ContainersObserved
    | LookFailed
    | EngineLost
    | EngineReturned
    | EventsMissed
)
