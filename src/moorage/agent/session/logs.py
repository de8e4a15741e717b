"""LogsRequest and LogsCancel: somebody reads a container's output over the agent's link. Ours."""

from moorage.acs.messages import LogsCancel, LogsRequest
from moorage.agent.engine.events import LogsRequested
from moorage.agent.engine.instructions import CancelLogs
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
            ),
        )
    )


def cancel(message: LogsCancel) -> Response:
    """End the stream; no decision is needed."""
    return Response(instructions=(CancelLogs(request_id=message.request_id),))
