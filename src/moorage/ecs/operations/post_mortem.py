"""Moorage_V1 SubmitPostMortem: a host tells how a task of its own came to its end.

Told again, nothing changes; told of a task that is not known (any more), it is refused for good.
"""

import msgspec

from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.store import announcements, clusters, post_mortems, tasks
from moorage.ground.instant import maybe_from_epoch
from moorage.kernel.call import Call
from moorage.kernel.operation import HOSTS, operation
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.moorage.post_mortem import (
    ContainerPostMortem,
    OutputLine,
    SubmitPostMortemRequest,
    SubmitPostMortemResponse,
)

LINES_MAX = 200
LINE_LENGTH_MAX = 4096
TEXT_LENGTH_MAX = 1024
WORD_LENGTH_MAX = 512


def own_task(call: Call, request: SubmitPostMortemRequest) -> tuple[str, ...]:
    """The host on which the task runs or ran; a host speaks for its own tasks only."""
    task = _task(call, request)
    return (task.instance,) if task else ()


@operation(callers=HOSTS, resource=own_task)
def submit_post_mortem(call: Call, request: SubmitPostMortemRequest) -> SubmitPostMortemResponse:
    """Keep what a host tells of a task; a task that it healed is said to its service."""
    task = _task(call, request)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    known = post_mortems.of(call.tx, task)
    if known is not None and known.ended and not request.ended:
        return SubmitPostMortemResponse()  # late: its end is known
    told = _read(call, task, request)
    post_mortems.put(call.tx, told)
    if task.service and told.healings > (known.healings if known else 0):
        _announce(call, task, told)
    return SubmitPostMortemResponse()


def _task(call: Call, request: SubmitPostMortemRequest) -> Task | None:
    cluster = clusters.find(call.tx, call, request.cluster or call.principal.cluster)
    if cluster is None or not request.task:
        return None
    return tasks.find(call.tx, call, request.task, cluster.name)


def _read(call: Call, task: Task, request: SubmitPostMortemRequest) -> PostMortem:
    names = {container.name for container in task.containers}
    told = {one.name: one for one in request.containers or () if one.name in names}
    return PostMortem(
        holder=post_mortems.holder_of(task),
        task=task.arn,
        account=task.account,
        region=task.region,
        cluster_arn=task.cluster_arn,
        instance=task.instance,
        received_at=call.now,
        ended=request.ended is not False,
        at=maybe_from_epoch(request.at),
        reason=_cut(request.reason, TEXT_LENGTH_MAX),
        containers=tuple(_bounded(one) for one in told.values()),
    )


def _bounded(told: ContainerPostMortem) -> ContainerPostMortem:
    """What a host says of a container, no longer than it is shown; the last lines stay."""
    lines = told.lines or []
    return msgspec.structs.replace(
        told,
        image=_cut(told.image, WORD_LENGTH_MAX),
        image_digest=_cut(told.image_digest, WORD_LENGTH_MAX),
        runtime_id=_cut(told.runtime_id, WORD_LENGTH_MAX),
        reason=_cut(told.reason, TEXT_LENGTH_MAX),
        last_reason=_cut(told.last_reason, TEXT_LENGTH_MAX),
        unreadable=_cut(told.unreadable, TEXT_LENGTH_MAX),
        lines=[_line(line) for line in lines[-LINES_MAX:]] or None,
        lines_left_out=True if len(lines) > LINES_MAX else told.lines_left_out,
    )


def _line(line: OutputLine) -> OutputLine:
    text = line.text or ""
    if len(text) <= LINE_LENGTH_MAX and line.stream in {"stdout", "stderr"}:
        return line
    stream = "stderr" if line.stream == "stderr" else "stdout"
    cut = True if len(text) > LINE_LENGTH_MAX else line.cut
    return OutputLine(stream=stream, at=line.at, text=text[:LINE_LENGTH_MAX], cut=cut)


def _announce(call: Call, task: Task, told: PostMortem) -> None:
    healed = [one for one in told.containers if one.healings]
    codes = [one.last_exit_code for one in healed if one.last_exit_code is not None]
    last = codes[-1] if codes else None
    announcements.announce(
        call.tx,
        [task.service],
        lambda service: events.healed(service, task.id, told.healings, last),
    )


def _cut(text: str | None, length: int) -> str | None:
    return None if text is None else text[:length]
