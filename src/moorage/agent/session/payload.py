"""PayloadMessage: tasks to run and to stop. The engine acknowledges it once they are stored."""

from moorage.acs.messages import PayloadMessage
from moorage.agent.engine.events import PayloadReceived
from moorage.agent.session.response import Response


def payload(message: PayloadMessage) -> Response:
    """Feed the tasks to the engine; a message without its three names is dropped unacknowledged.

    Amazon's agent requires messageId, clusterArn and containerInstanceArn to be there and not
    empty (agent-protocol 4), and so do we. A task without an ARN could never be told apart.
    """
    if not (message.message_id and message.cluster_arn and message.container_instance_arn):
        return Response(ignored="the payload lacks messageId, clusterArn or containerInstanceArn")
    if any(not task.arn for task in message.tasks or ()):
        return Response(ignored="a task of the payload has no ARN")
    return Response(
        events=(
            PayloadReceived(
                message_id=message.message_id,
                cluster_arn=message.cluster_arn,
                container_instance_arn=message.container_instance_arn,
                tasks=message.tasks or (),
                seq_num=message.seq_num or 0,
            ),
        )
    )
