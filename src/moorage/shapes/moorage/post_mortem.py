"""How a task ended: what its host saw and read there, and the chain of causes made of it."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class OutputLine(Record, rename="camel"):
    """One line of a container's output; `cut` where it was longer, `stream` stdout or stderr."""

    stream: str | None = None
    at: Timestamp | None = None
    text: str | None = None
    cut: bool | None = None


class ContainerPostMortem(Record, rename="camel"):
    """One container: how it ended, and the last lines of both streams in the order they came.

    `signal` is the number of the signal that ended it, where one did. `restarts` are those of its
    own restart policy, `healings` those of its host while the server was away; `lastExitCode` and
    `lastReason` are of the run before the last of these. `lines` are the last ones where
    `linesLeftOut`; `unreadable` says why there are none.
    """

    name: str | None = None
    image: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    exit_code: Integer | None = None
    signal: Integer | None = None
    out_of_memory: bool | None = None
    reason: str | None = None
    restarts: Integer | None = None
    healings: Integer | None = None
    last_exit_code: Integer | None = None
    last_reason: str | None = None
    lines: list[OutputLine] | None = None
    lines_left_out: bool | None = None
    unreadable: str | None = None


class SubmitPostMortemRequest(Record, rename="camel"):
    """What a host tells of a task of its own; `ended` false: it was healed and runs."""

    cluster: str | None = None
    task: str | None = None
    ended: bool | None = None
    at: Timestamp | None = None
    reason: str | None = None
    containers: list[ContainerPostMortem] | None = None


class SubmitPostMortemResponse(Record, rename="camel"):
    """It is kept; told again, it is replaced by the same."""


class ExplainTaskRequest(Record, rename="camel"):
    """A task by its id, its ARN, or the beginning of its id, where no other begins so."""

    cluster: str | None = None
    task: str | None = None


class Cause(Record, rename="camel"):
    """One link of the chain: a sentence, and when it happened, where it has a time."""

    at: Timestamp | None = None
    text: str | None = None


class ExplainTaskResponse(Record, rename="camel"):
    """Why a task is as it is, oldest cause first.

    `headline` says it in one sentence. `container` is the one that mattered; `containers` are
    those of the post-mortem, where one is kept. `forgotten` where only the post-mortem is left.
    """

    task_arn: str | None = None
    last_status: str | None = None
    desired_status: str | None = None
    service: str | None = None
    host: str | None = None
    headline: str | None = None
    causes: list[Cause] | None = None
    container: str | None = None
    containers: list[ContainerPostMortem] | None = None
    forgotten: bool | None = None
