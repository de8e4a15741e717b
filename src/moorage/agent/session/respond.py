"""The table of responders: from the type of a message to the function that answers it."""

from collections.abc import Mapping

from moorage.acs import messages
from moorage.acs.messages import ServerMessage
from moorage.agent.session.authority import authority, rotate
from moorage.agent.session.credentials import credentials
from moorage.agent.session.heartbeat import heartbeat
from moorage.agent.session.images import images, registry
from moorage.agent.session.inventory import inventory
from moorage.agent.session.logs import cancel, logs, more
from moorage.agent.session.manifest import manifest
from moorage.agent.session.notice import notice
from moorage.agent.session.payload import payload
from moorage.agent.session.response import Responder, Response
from moorage.agent.session.stop import stop

RESPONDERS: Mapping[type[ServerMessage], Responder] = {
    messages.PayloadMessage: payload,
    messages.HeartbeatMessage: heartbeat,
    messages.TaskManifestMessage: manifest,
    messages.TaskStopVerificationAck: stop,
    messages.IAMRoleCredentialsMessage: credentials,
    messages.ImagesInUseMessage: images,
    messages.InventoryRequest: inventory,
    messages.RegistryMessage: registry,
    messages.AuthorityMessage: authority,
    messages.RotateKeyMessage: rotate,
    messages.LogsRequest: logs,
    messages.LogsMore: more,
    messages.LogsCancel: cancel,
    messages.CloseMessage: notice,
    messages.ErrorMessage: notice,
}


def respond(message: ServerMessage) -> Response:
    """What follows from a message of the server; total, and never raises."""
    return RESPONDERS[type(message)](message)
