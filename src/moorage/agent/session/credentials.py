"""IAMRoleCredentialsMessage: credentials for the containers of a task."""

from moorage.acs.messages import IAMRoleCredentialsMessage
from moorage.agent.engine.events import CredentialsReceived
from moorage.agent.session.response import Response

ROLE_TYPES = frozenset({"TaskApplication", "TaskExecution"})


def credentials(message: IAMRoleCredentialsMessage) -> Response:
    """Feed them to the engine, which knows whether the task is here (agent-protocol 8.1)."""
    if message.role_type not in ROLE_TYPES:
        return Response(ignored=f"the role type {message.role_type[:64]} is unknown")
    if not (message.message_id and message.task_arn and message.role_credentials.credentials_id):
        return Response(ignored="the credentials lack messageId, taskArn or credentialsId")
    return Response(
        events=(
            CredentialsReceived(
                message_id=message.message_id,
                task_arn=message.task_arn,
                role_type=message.role_type,
                credentials=message.role_credentials,
            ),
        )
    )
