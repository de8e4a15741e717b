"""What the shell is to do: imperatives, one record an instruction, answered by `Engine.handle`.

Rules for the shell that performs them:

- They are *begun* in the order given. SaveCheckpoint is finished (with `durable`: fsync) before
  the next one of the same answer is begun; all others run beside each other. So what is to be done
  on the host stands before it, and what is said to the server, on the strength of it, after it.
- Each names its completion below. All are idempotent: given again, they change nothing that is
  done already and answer as if they had.
- A failure of the container engine itself (unreachable, hanging) is `EngineLost`, no completion.
- Docker names come from the task's id: a create that meets a container of this name *with the same
  label moorage.attempt* adopts it and answers ContainerCreated; with another attempt's label it
  removes it (it never ran, or its run was given up) and creates anew.
"""

from moorage.acs.messages import AgentMessage
from moorage.acs.task_messages import RegistryAuthentication, RoleCredentials
from moorage.agent.records.container import ContainerSpec
from moorage.agent.records.host import HostMemory
from moorage.agent.records.post_mortem import PostMortem
from moorage.agent.records.report import TaskHealth, TaskReport
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant
from moorage.ground.record import Record


class SaveCheckpoint(Record):
    """Keep these records on disk; drop those of the tasks named in `forgotten`.

    At most one in an answer, and only what changed. `memory` None: as it was.
    """

    tasks: tuple[TaskRecord, ...] = ()
    forgotten: tuple[str, ...] = ()
    memory: HostMemory | None = None
    durable: bool = False


class SetTimer(Record):
    """Feed Tick at this instant; replaces the timer that was set before. None: no timer."""

    at: Instant | None


# --- to the server --------------------------------------------------------------------------------


class SendMessage(Record):
    """Send this over ACS, if connected; else forget it (the server resends and asks again)."""

    message: AgentMessage


class SubmitTaskStateChange(Record):
    """Report a task: ReportAcknowledged or ReportRefused, with `sequence`.

    The shell retries anything but success and InvalidParameterException, with back-off, for as
    long as the process lives. The engine has at most one out a task and REPORTS_IN_FLIGHT_MAX.
    """

    sequence: int
    report: TaskReport


class PublishHealth(Record):
    """Say this on TCS now: at each change, and for all every HEALTH_PERIOD."""

    tasks: tuple[TaskHealth, ...]


class PublishInstanceStatus(Record):
    """Say on TCS how the container runtime is; after each heartbeat, and on change.

    The first word of `reason` names the kind of impairment (`engine/impairment.py`).
    """

    impaired: bool
    since: Instant
    reason: str | None = None


class GatherPostMortem(Record):
    """Read the last lines of these containers, keep all of it on disk: PostMortemGathered.

    What is kept is told to the server until it has it; that has no completion. A container whose
    output cannot be read, or not in time, is told of without it.
    """

    post_mortem: PostMortem


# --- images, volumes, cgroups ---------------------------------------------------------------------


class PullImage(Record):
    """Have this image: PullFinished or PullFailed.

    An image named by digest that the host has is not pulled: PullFinished(pulled=False). An image
    named by tag is asked of its registry; where that cannot be reached and the host has one of
    this name, that one serves: PullFinished(pulled=False). Given once for all that wait for it.
    """

    image: str
    registry_authentication: RegistryAuthentication | None = None


class CreateVolume(Record):
    """ResourceCreated or ResourceFailed, with `name`; a volume of this name serves as it is."""

    task_arn: str
    name: str
    driver: str | None = None
    driver_options: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class RemoveVolume(Record):
    """ResourceRemoved or ResourceRemoveFailed, with `name`."""

    task_arn: str
    name: str


class CreateCgroup(Record):
    """ResourceCreated or ResourceFailed, with `name`: the path below the cgroup file system.

    `cpu` in vCPU (a quota of the same), `memory_mebibytes` a hard limit; None for no limit.
    """

    task_arn: str
    name: str
    cpu: float | None = None
    memory_mebibytes: int | None = None


class RemoveCgroup(Record):
    """ResourceRemoved or ResourceRemoveFailed, with `name`."""

    task_arn: str
    name: str


class ListImages(Record):
    """ImagesListed."""


class RemoveImage(Record):
    """Remove this reference, without force; no completion: the next list shows what became of it."""

    reference: str


# --- containers -----------------------------------------------------------------------------------


class CreateContainer(Record):
    """ContainerCreated or CreateFailed; see the rule on names above."""

    task_arn: str
    container: str
    attempt: int
    spec: ContainerSpec


class StartContainer(Record):
    """ContainerStarted (also if it runs already, or has ended since) or StartFailed."""

    task_arn: str
    container: str
    attempt: int
    runtime_id: str


class StopContainer(Record):
    """SIGTERM, then SIGKILL after `timeout_seconds`: StopFinished or StopFailed."""

    task_arn: str
    container: str
    attempt: int
    runtime_id: str
    timeout_seconds: int


class RemoveContainer(Record):
    """Remove it with its anonymous volumes, by force: ContainerRemoved or RemoveFailed."""

    task_arn: str
    container: str
    attempt: int
    runtime_id: str


class ObserveContainers(Record):
    """Take a full look: ContainersObserved or LookFailed, with the same `look`."""

    look: int


# --- passed through for others of the agent -------------------------------------------------------


class StreamLogs(Record):
    """Send LogsChunk messages with this container's output until its end or CancelLogs.

    At most `window` of them before AllowLogs allows more; None: no bound.
    """

    request_id: str
    runtime_id: str
    follow: bool
    tail_lines: int | None = None
    since: Instant | None = None
    window: int | None = None


class AllowLogs(Record):
    """Send so many more chunks of this request's stream, if it still runs."""

    request_id: str
    chunks: int


class CancelLogs(Record):
    """Stop the stream of this request, if it still runs."""

    request_id: str


class ConfigureRegistry(Record):
    """These `HOST:PORT` names are our registry, reached at this URL; for the pull proxy."""

    names: tuple[str, ...]
    endpoint: str
    certificate_authority: str | None = None


class TrustAuthorities(Record):
    """Believe these certificates (PEM) and no others, once kept; answer the message then."""

    message_id: str
    certificates: tuple[str, ...]


class RotateKey(Record):
    """Ask the server for a new key of this host, and use it."""


class KeepCredentials(Record):
    """Serve these to the task's containers; in memory only, never on disk, never in a log."""

    task_arn: str
    role_type: str
    credentials: RoleCredentials


Instruction = (
    SaveCheckpoint
    | SetTimer
    | SendMessage
    | SubmitTaskStateChange
    | GatherPostMortem
    | PublishHealth
    | PublishInstanceStatus
    | PullImage
    | CreateVolume
    | RemoveVolume
    | CreateCgroup
    | RemoveCgroup
    | ListImages
    | RemoveImage
    | CreateContainer
    | StartContainer
    | StopContainer
    | RemoveContainer
    | ObserveContainers
    | StreamLogs
    | AllowLogs
    | CancelLogs
    | ConfigureRegistry
    | TrustAuthorities
    | RotateKey
    | KeepCredentials
)
