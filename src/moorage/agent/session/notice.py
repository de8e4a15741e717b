"""CloseMessage and ErrorMessage: nothing is asked of us."""

from moorage.acs.messages import CloseMessage, ErrorMessage
from moorage.agent.session.response import Response


def notice(message: CloseMessage | ErrorMessage) -> Response:
    """For the log."""
    return Response(ignored=f"the server says: {message.message or type(message).__name__}")
