"""How a task came to stop, in plain sentences: who wanted it, and what its containers did.

From what the task and its host's post-mortem say; each source may be missing.
"""

import signal
from collections.abc import Callable, Mapping

from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.task import Task, TaskContainer
from moorage.ecs.rules.task.stop import HOST_GONE, SCHEDULER, USER
from moorage.ground.instant import Duration, Instant, from_epoch, in_seconds, maybe_from_epoch
from moorage.ground.record import Record
from moorage.shapes.moorage.post_mortem import ContainerPostMortem

_SIGNALS = {one.value: one.name for one in signal.Signals}
# What an agent or the scheduler gives as the reason begins so: then more is known than its code.
REASONS: tuple[tuple[str, str], ...] = (
    (
        "Fenced:",
        (
            "Its host stopped it by its own decision: it had lost the server, and the service is "
            "tagged to be fenced then (moorage:fence)."
        ),
    ),
    (
        "HostDeregistered:",
        "Its host had been deregistered, and stopped what it still ran.",
    ),
    (
        "EngineLost",
        "The container engine of its host was lost, and its containers ended with it.",
    ),
    (
        "ContainerEngineRestarted",
        "The container engine of its host was away, and its containers ended meanwhile.",
    ),
    (
        "The host of the task was confirmed lost",
        "A person had said that its lost host would not come back with its tasks.",
    ),
    (
        "Task failed container health checks",
        "The scheduler stopped it because its health checks failed.",
    ),
    (
        "Scaling activity initiated by",
        (
            "The scheduler stopped it, because the service no longer wanted this task (it was scaled "
            "in, moved, or replaced by a newer deployment)."
        ),
    ),
)


class Cause(Record):
    """One link of the chain: a sentence, and when that happened, where it has a time."""

    text: str
    at: Instant | None = None


class ContainerEnd(Record):
    """One container, by the task and the post-mortem together."""

    known: TaskContainer
    told: ContainerPostMortem | None = None

    @property
    def exit_code(self) -> int | None:
        """The exit code, where it ran and ended."""
        if self.told is not None and self.told.exit_code is not None:
            return self.told.exit_code
        return self.known.exit_code

    @property
    def reason(self) -> str:
        """Why it ended or never began, as its host says; or ""."""
        return (self.told.reason if self.told else None) or self.known.reason or ""

    @property
    def finished_at(self) -> Instant | None:
        """When it ended, by its host's clock."""
        return maybe_from_epoch(self.told.finished_at) if self.told else None

    @property
    def ran(self) -> Duration | None:
        """How long it ran."""
        if self.told is None or self.told.started_at is None or self.told.finished_at is None:
            return None
        return Duration(from_epoch(self.told.finished_at) - from_epoch(self.told.started_at))


def ends(task: Task, post_mortem: PostMortem | None) -> list[ContainerEnd]:
    """The task's containers, with what was told of each."""
    told = {one.name: one for one in (post_mortem.containers if post_mortem else ())}
    return [ContainerEnd(known=one, told=told.get(one.name)) for one in task.containers]


def mattered(task: Task, post_mortem: PostMortem | None) -> str:
    """The container whose end decided: of the essential ones that which ended first, or failed."""
    found = ends(task, post_mortem)
    return min(found, key=_weight).known.name if found else ""


def _weight(end: ContainerEnd) -> tuple[bool, bool, int]:
    tells = bool(end.reason) or end.exit_code is not None
    return (not end.known.essential, not tells, end.finished_at or 0)


def wanted_by(task: Task) -> Cause:
    """Who or what wanted the task stopped."""
    reason = task.stopped_reason or ""
    reasons = (reason, *(one.reason or "" for one in task.containers if one.essential))
    for beginning, sentence in REASONS:
        if any(one.startswith(beginning) for one in reasons):
            return Cause(text=sentence, at=_asked_at(task))
    said = _SAID.get(task.stop_code or "", _unasked)
    return Cause(text=said(reason), at=_asked_at(task))


def _asked_at(task: Task) -> Instant | None:
    return task.stop_requested_at or task.stopping_at or task.stopped_at


def _user(reason: str) -> str:
    return f'Somebody asked for it to be stopped (StopTask), for the reason: "{reason}".'


def _scheduler(reason: str) -> str:
    return f'The scheduler stopped it, for the reason: "{reason}".'


def _host(reason: str) -> str:
    return f'Its host is gone: "{reason}". The task counts as STOPPED without the host\'s word.'


def _failed(reason: str) -> str:
    return f"Nobody asked for it to stop: it could not be started. {reason}".rstrip()


def _unasked(_reason: str) -> str:
    return "Nobody asked for it to stop: an essential container ended, and with it the task."


_SAID: Mapping[str, Callable[[str], str]] = {
    USER: _user,
    SCHEDULER: _scheduler,
    HOST_GONE: _host,
    "TaskFailedToStart": _failed,
}


def container_causes(task: Task, post_mortem: PostMortem | None) -> list[Cause]:
    """What each container did, the one that mattered first among those of the same time."""
    found = [end for end in ends(task, post_mortem) if end.exit_code is not None or end.reason]
    first = mattered(task, post_mortem)
    found.sort(key=lambda end: (end.finished_at or 0, end.known.name != first))
    return [Cause(text=describe(end), at=end.finished_at) for end in found]


def describe(end: ContainerEnd) -> str:
    """`Container web (essential) ended with exit code 1 after 3 s.`, and why, where it is known."""
    kind = "essential" if end.known.essential else "not essential"
    name = f"Container {end.known.name} ({kind})"
    parts = [f"{name} {_how(end)}{_after(end)}."]
    if end.told is not None and end.told.out_of_memory:
        parts.append("It was killed because it needed more memory than it may have.")
    elif end.reason:
        parts.append(f"{end.reason.rstrip('.')}.")
    if end.told is not None and end.told.restarts:
        parts.append(f"Its restart policy had restarted it {_times(end.told.restarts)}.")
    return " ".join(parts)


def _how(end: ContainerEnd) -> str:
    code = end.exit_code
    if code is None:
        return "was not run" if end.told is None or end.told.started_at is None else "ended"
    number = end.told.signal if end.told else None
    if number is not None:
        return f"was ended by signal {number} ({_SIGNALS.get(number, 'unknown')})"
    return f"ended with exit code {code}"


def _after(end: ContainerEnd) -> str:
    if end.ran is None or end.exit_code is None:
        return ""
    return f" after {length(end.ran)}"


def healing_causes(post_mortem: PostMortem | None) -> list[Cause]:
    """That its host started containers again while the server was away, if it did."""
    return [
        Cause(text=_healed(one), at=post_mortem.at)
        for one in (post_mortem.containers if post_mortem else ())
        if one.healings and post_mortem is not None
    ]


def _healed(one: ContainerPostMortem) -> str:
    code = one.last_exit_code
    how = f", whose run before had ended with exit code {code}" if code is not None else ""
    return (
        f"While it could not reach the server, its host started container {one.name} again "
        f"{_times(one.healings or 0)}{how}."
    )


def length(duration: Duration) -> str:
    """A length of time for people: `0.4 s`, `12 s`, `5 min`, `3 h`, `2 days`."""
    count = max(in_seconds(duration), 0.0)
    if count < 10:  # noqa: PLR2004 - below it a tenth tells
        return f"{count:.1f} s"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if count < limit:
            return f"{count / unit:.0f} {name}"
    return f"{count / 86_400:.0f} days"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
