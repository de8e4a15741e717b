"""LogsRequest, LogsMore, LogsCancel: somebody reads a container's output over the agent's link. Ours."""

from moorage.acs.messages import LogsCancel, LogsMore, LogsRequest
from moorage.agent.engine.events import LogsRequested
from moorage.agent.engine.instructions import AllowLogs, CancelLogs
from moorage.agent.session.response import Response
from moorage.ground.instant import maybe_from_epoch


def logs(message: LogsRequest) -> Response:
    """Feed it to the engine, which knows the container's id."""
    lines = message.tail_lines
    return Response(
        events=(
            LogsRequested(
                request_id=message.request_id,
                task_arn=message.task_arn,
                container=message.container_name,
                follow=bool(message.follow),
                tail_lines=None if lines is None else max(lines, 0),
                since=maybe_from_epoch(message.since),
                window=None if message.window is None else max(message.window, 1),
            ),
        )
    )


def more(message: LogsMore) -> Response:
    """Let the stream go on; no decision is needed."""
    chunks = max(message.chunks, 0)
    return Response(instructions=(AllowLogs(request_id=message.request_id, chunks=chunks),))


def cancel(message: LogsCancel) -> Response:
    """End the stream; no decision is needed."""
    return Response(instructions=(CancelLogs(request_id=message.request_id),))
