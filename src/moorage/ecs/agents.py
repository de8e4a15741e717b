"""The table of the agents: what the gateway runs for each event of a host's session.

The gateway moves frames and watches the silence; every consequence is a handler of this table,
run like an operation, in one transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from moorage.acs.messages import (
    AckRequest,
    InventoryMessage,
    Message,
    ServerMessage,
    TaskStopVerificationMessage,
)
from moorage.acs.patience import Ending, Loss
from moorage.acs.telemetry import PublishHealthRequest, PublishInstanceStatusRequest
from moorage.ecs.controllers.assignments import Outgoing, outgoing
from moorage.ecs.operations import adoption, session, telemetry
from moorage.ecs.operations.session import Hello, Refused
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

# Each is defined for one type of message alone; the table leads no other to it.
Handler = Callable[[Call, str, Any], tuple[ServerMessage, ...]]


class AgentTable(msgspec.Struct, frozen=True, kw_only=True):
    """The handlers of a host's session; each takes the call, then the host's ARN.

    `awaited` alone is for many: those that a server that starts waits for. It answers whose going
    is kept.
    `connected` answers the name of the exception with which a handshake is refused, or None.
    `doubted` takes whether the host is suspect now. `returned` is for one that is connected all
    along, and was lost because its engine was gone.
    `outgoing` takes whether the agent has just connected. `messages` leads from the type of what
    an agent says, on ACS or TCS, to the handler that answers the replies on ACS; what is not in
    it (a refused order, a heartbeat, metrics) changes nothing that is kept.
    """

    awaited: Callable[[Transaction, Iterable[ContainerInstance]], frozenset[str]]
    connected: Callable[[Call, str, Hello], Refused | None]
    disconnected: Callable[[Call, str, Ending], None]
    doubted: Callable[[Call, str, bool], None]
    lost: Callable[[Call, str, Loss], None]
    returned: Callable[[Call, str], None]
    outgoing: Callable[[Call, str, bool], Outgoing]
    messages: Mapping[type[Message], Handler]


AGENT = AgentTable(
    awaited=session.awaited,
    connected=session.connected,
    disconnected=session.disconnected,
    doubted=session.doubted,
    lost=session.lost,
    returned=session.returned,
    outgoing=outgoing,
    messages={
        AckRequest: session.acknowledge,
        TaskStopVerificationMessage: session.verify_stops,
        InventoryMessage: adoption.adopt,
        PublishHealthRequest: telemetry.publish_health,
        PublishInstanceStatusRequest: telemetry.publish_instance_status,
    },
)
