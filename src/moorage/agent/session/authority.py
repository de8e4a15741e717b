"""AuthorityMessage and RotateKeyMessage: whom to believe from now on, and a key to be changed. Ours."""

from moorage.acs.messages import AckRequest, AuthorityMessage, RotateKeyMessage
from moorage.agent.engine.instructions import RotateKey, SendMessage, TrustAuthorities
from moorage.agent.session.response import Response


def authority(message: AuthorityMessage) -> Response:
    """Have them checked and kept; that is acknowledged once it is done."""
    return Response(
        instructions=(
            TrustAuthorities(message_id=message.message_id, certificates=message.certificates),
        )
    )


def rotate(message: RotateKeyMessage) -> Response:
    """Acknowledge, and begin; the server sees by the new key that it was done."""
    answer = SendMessage(message=AckRequest(message_id=message.message_id))
    return Response(instructions=(answer, RotateKey()))
