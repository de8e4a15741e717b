"""TaskStopVerificationAck: the server's word on which tasks beyond its manifest are to stop."""

from moorage.acs.messages import TaskStopVerificationAck
from moorage.agent.engine.events import StopConfirmed
from moorage.agent.session.response import Response


def stop(message: TaskStopVerificationAck) -> Response:
    """Feed the confirmed ones to the engine; it has no answer."""
    if not message.message_id:
        return Response(ignored="the stop verification has no messageId")
    return Response(
        events=(
            StopConfirmed(
                message_id=message.message_id,
                task_arns=tuple(
                    task.task_arn
                    for task in message.stop_tasks or ()
                    if task.desired_status in {None, "STOPPED"}
                ),
            ),
        )
    )
