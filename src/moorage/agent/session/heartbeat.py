"""HeartbeatMessage: answered at once, and with a word on the container runtime."""

from moorage.acs.messages import HeartbeatAckRequest, HeartbeatMessage
from moorage.agent.engine.events import HeartbeatReceived
from moorage.agent.engine.instructions import SendMessage
from moorage.agent.session.response import Response


def heartbeat(message: HeartbeatMessage) -> Response:
    """Acknowledge with the same id (none, if it had none)."""
    answer = HeartbeatAckRequest(message_id=message.message_id)
    return Response(events=(HeartbeatReceived(),), instructions=(SendMessage(message=answer),))
