"""InventoryRequest: the server has forgotten what runs here, and wants to be told. Ours."""

from moorage.acs.messages import InventoryRequest
from moorage.agent.engine.events import InventoryRequested
from moorage.agent.session.response import Response


def inventory(message: InventoryRequest) -> Response:
    """Feed it to the engine, which tells once it has looked."""
    return Response(events=(InventoryRequested(message_id=message.message_id),))
