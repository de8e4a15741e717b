"""A container: what Docker says of it, what the engine knows of it, and how it is made.

Times are Instants of the host's wall clock; a container is named within the agent by the ARN of
its task and its name in the task definition.
"""

from enum import StrEnum
from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class ContainerStatus(StrEnum):
    """Where a container of a task is; `engine/transitions.py` holds the table of moves.

    The participles in -ING mean that an instruction is out and its completion awaited.
    """

    WAITING = "WAITING"
    PULLING = "PULLING"
    PULLED = "PULLED"
    CREATING = "CREATING"
    CREATED = "CREATED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    REMOVING = "REMOVING"
    REMOVED = "REMOVED"


class Health(StrEnum):
    """The word of Docker's health check, as ECS spells it."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class PortBinding(Record):
    """A port of the host that leads to a port of a container; `protocol` is tcp or udp."""

    bind_ip: str
    container_port: int
    host_port: int
    protocol: str = "tcp"


Cause = Literal["own", "engine", "ghost"]


class Exit(Record):
    """How a run of a container ended, from an inspection after its end.

    `started_at` tells runs of one container apart (Docker's State.StartedAt); None where the
    container was gone before it could be inspected. `cause` is "engine" where it ended while the
    engine was away, "ghost" where the process is gone though the engine says that it runs.
    """

    exit_code: int | None
    finished_at: Instant
    out_of_memory: bool = False
    started_at: Instant | None = None
    cause: Cause = "own"


class RunEnd(Record):
    """How a run ended that was healed, or waits for it: what is told if it is not."""

    finished_at: Instant
    exit_code: int | None = None
    reason: str | None = None
    out_of_memory: bool = False


class ObservedContainer(Record):
    """One container as the runtime sees it now; `exit` is set if and only if it has ended.

    `running` is true while a process lives (a paused container runs). A container that was
    created and never started is neither running nor ended. From `labels` a lost
    checkpoint is made good. `unread`: that it exists is all that the runtime could say.
    """

    runtime_id: str
    name: str
    task_arn: str
    container: str
    running: bool
    labels: dict[str, str]
    exit: Exit | None = None
    started_at: Instant | None = None
    bindings: tuple[PortBinding, ...] = ()
    health: Health = Health.UNKNOWN
    health_since: Instant | None = None
    health_message: str | None = None
    unread: bool = False


class ContainerSpec(Record):
    """How a container is created: its Docker name and the body of `POST /containers/create`.

    `body` is plain JSON in Docker Engine API words (Image, Cmd, Env, Labels, HostConfig ...) and
    holds `image`, the reference by which the runtime answered the pull, and `labels`, too.
    """

    name: str
    image: str
    labels: dict[str, str]
    body: dict[str, object]


class ContainerRecord(Record):
    """What the engine knows of one container of a task.

    `attempt` counts the containers made under this name: completions carry it, and those of an
    earlier attempt are ignored. `deadline` is when an instruction without completion is given
    again; `retry_at` when a failed one is. `past_starts` are the runs that have ended, so that
    late news of them is not taken for news of the present run.

    `held` says that its run ended while the server was away, and that it waits (until `retry_at`)
    to be started again in place; `last_end` is that end, or the end before the last healing.
    `healings` counts those starts, which are among the `restarts`; `heal_tries` those since it
    last ran for long. `ghost` says that it was stopped because its process was gone, while the
    engine went on saying that it runs.
    """

    name: str
    status: ContainerStatus = ContainerStatus.WAITING
    attempt: int = 1
    failures: int = 0
    deadline: Instant | None = None
    retry_at: Instant | None = None
    image_reference: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    bindings: tuple[PortBinding, ...] = ()
    started_at: Instant | None = None
    past_starts: tuple[Instant, ...] = ()
    restarts: int = 0
    held: bool = False
    healings: int = 0
    heal_tries: int = 0
    last_end: RunEnd | None = None
    ghost: bool = False
    out_of_memory: bool = False
    stop_asked_at: Instant | None = None
    exit_code: int | None = None
    finished_at: Instant | None = None
    reason: str | None = None
    health: Health = Health.UNKNOWN
    health_since: Instant | None = None
    health_message: str | None = None
