"""ImagesInUseMessage and RegistryMessage: which images must stay, and where ours come from. Ours.

The engine keeps the former; the latter is for the pull proxy alone.
"""

from moorage.acs.messages import AckRequest, ImagesInUseMessage, RegistryMessage
from moorage.agent.engine.events import ImagesClaimed
from moorage.agent.engine.instructions import ConfigureRegistry, SendMessage
from moorage.agent.session.response import Response


def images(message: ImagesInUseMessage) -> Response:
    """Feed the claims to the engine; they replace those of before."""
    return Response(
        events=(
            ImagesClaimed(
                message_id=message.message_id,
                images=message.images or (),
                digests=message.digests or (),
            ),
        )
    )


def registry(message: RegistryMessage) -> Response:
    """Tell the pull proxy, and acknowledge."""
    return Response(
        instructions=(
            ConfigureRegistry(
                names=message.names,
                endpoint=message.endpoint,
                certificate_authority=message.certificate_authority,
            ),
            SendMessage(message=AckRequest(message_id=message.message_id)),
        )
    )
