"""TaskManifestMessage: what the server holds to be on this host."""

from moorage.acs.messages import TaskManifestMessage
from moorage.agent.engine.events import ManifestReceived
from moorage.agent.session.response import Response


def manifest(message: TaskManifestMessage) -> Response:
    """Feed it to the engine, which compares; a missing timeline counts as 0."""
    if not message.message_id:
        return Response(ignored="the manifest has no messageId")
    return Response(
        events=(
            ManifestReceived(
                message_id=message.message_id,
                cluster_arn=message.cluster_arn,
                container_instance_arn=message.container_instance_arn,
                timeline=message.timeline or 0,
                tasks=message.tasks or (),
            ),
        )
    )
