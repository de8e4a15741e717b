"""The websockets of the agents: moves frames, and runs a handler in a transaction for each message.

What is said, and when, is decided by `acs.session` (a pure machine, one for each instance for as
long as this server runs) and by the table `AGENT` of the cluster's house. Two websockets a host:
ACS, for commands, under /acs/ws, and TCS, for telemetry, under /tcs/ws.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from moorage.acs import session, telemetry
from moorage.acs.codec import Refusal, Unreadable, encode_refusal
from moorage.acs.messages import LogsChunk
from moorage.ecs.agents import AgentTable
from moorage.ecs.records.container_instance import ContainerInstance, Disconnection
from moorage.ecs.store import container_instances
from moorage.gateway.aws import Door, Ground
from moorage.gateway.exchange import Receive, Scope, Send, request_of
from moorage.gateway.link import HostAway, Link, Socket
from moorage.ground.fault import Fault
from moorage.sql.transaction import Change

ACS_PATH = "/acs/ws"
TCS_PATH = "/tcs/ws"
INSTANCE = "instance"
TICK_SECONDS = 1.0
REFUSED_STATUS = 400
CLOSE_GOING_AWAY = 1012
GOODBYE_CODES = frozenset({1000, 1001})
_log = logging.getLogger("moorage.agents")

__all__ = ["AgentsDoor", "HostAway"]


class AgentsDoor:
    """Every instance's link, and the handshakes that open them."""

    def __init__(self, ground: Ground, aws: Door, table: AgentTable) -> None:
        """Take the table of handlers; nothing is known of any host yet."""
        self._ground = ground
        self._aws = aws
        self._table = table
        self._links: dict[str, Link] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take up the hosts that were connected when the last server stopped; start the ticks."""
        self._loop = asyncio.get_running_loop()
        known = await asyncio.wrap_future(
            self._ground.database.read(
                lambda tx: container_instances.named(tx, container_instances.every(tx))
            )
        )
        for instance in known.values():
            if instance.status != "INACTIVE" and instance.lost_at is None:
                self._link(instance).expect()
        self._ticking = asyncio.create_task(self._tick())

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in committed changes; called from any thread."""
        arns = [change.key for change in changes if change.kind == INSTANCE]
        if arns and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, arns)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket from handshake to end."""
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        path = scope["path"]
        refusal, instance = await self._welcome(scope)
        if refusal is not None or instance is None:
            await _refuse(send, refusal or Refusal(name="BadRequestException"))
            return
        await send({"type": "websocket.accept"})
        if path == ACS_PATH:
            await self._commands(scope, instance, receive, send)
        else:
            await self._telemetry(instance, receive, send)

    def logs(self, instance: str, wanted: Any) -> AsyncGenerator[LogsChunk, None]:
        """The output that a host sends; raises HostAway where it is not connected."""
        link = self._links.get(instance)
        if link is None or not link.is_connected:
            raise HostAway("The host that has this output is not connected.")
        return link.logs(self._ground.chance.hex(32), wanted)

    async def close(self) -> None:
        """Close all websockets; hosts are not thereby lost."""
        if self._ticking is not None:
            self._ticking.cancel()
        for link in self._links.values():
            await link.close(CLOSE_GOING_AWAY)

    async def _welcome(self, scope: Scope) -> tuple[Refusal | None, ContainerInstance | None]:
        if scope["path"] not in {ACS_PATH, TCS_PATH}:
            return Refusal(name="BadRequestException", text="There is no such websocket."), None
        members = _query(scope)
        arn = members.get("containerInstanceArn") or members.get("containerInstance") or ""
        try:
            principal, _ = await self._aws.verified(request_of(scope), "ecs")
        except Fault as fault:
            return Refusal(name="AccessDeniedException", text=fault.message), None
        if principal.kind != "host" or principal.instance != arn or not arn:
            text = "This key speaks for another container instance, or for none."
            return Refusal(name="AccessDeniedException", text=text), None
        instance = await asyncio.wrap_future(
            self._ground.database.read(lambda tx: container_instances.get(tx, arn))
        )
        if instance is None or instance.status == "INACTIVE":
            text = f"The container instance {arn} is not registered (any more)."
            return Refusal(name="InactiveInstanceException", text=text), None
        return None, instance

    async def _commands(
        self, scope: Scope, instance: ContainerInstance, receive: Receive, send: Send
    ) -> None:
        link = self._link(instance)
        socket = Socket(send)
        connection = link.connected(socket, _query(scope), self._ground.chance.hex(32))
        how: Disconnection = "closed"
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    how = "goodbye" if message.get("code") in GOODBYE_CODES else "closed"
                    break
                frame = message.get("text") or message.get("bytes") or ""
                await link.received(connection, frame)
        finally:
            socket.gone()
            link.disconnected(connection, how)

    async def _telemetry(self, instance: ContainerInstance, receive: Receive, send: Send) -> None:
        link = self._link(instance)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            published = telemetry.decode_publication(
                message.get("text") or message.get("bytes") or ""
            )
            if isinstance(published, Unreadable):
                _log.warning("telemetry of %s not understood: %s", instance.arn, published.reason)
                continue
            try:
                await link.publish(published.message)
            except Fault as fault:
                _log.warning("telemetry of %s was not kept: %s", instance.arn, fault.message)
                continue
            await send({"type": "websocket.send", "text": telemetry.answer_to(published.message)})

    def _link(self, instance: ContainerInstance) -> Link:
        link = self._links.get(instance.arn)
        if link is None:
            link = self._links[instance.arn] = Link(self._ground, self._table, instance)
        return link

    def _wake(self, arns: Sequence[str]) -> None:
        for arn in arns:
            link = self._links.get(arn)
            if link is not None:
                link.wake()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._ground.clock.monotonic()
            for link in list(self._links.values()):
                link.put(
                    session.Tick(
                        now=now,
                        heartbeat_id=self._ground.chance.hex(32),
                        jitter=self._ground.chance.uniform(0, 1),
                    )
                )


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Answer the handshake with a plain HTTP body, which agents of ours and Amazon's read."""
    body = encode_refusal(refusal).encode()
    await send(
        {
            "type": "websocket.http.response.start",
            "status": REFUSED_STATUS,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode("ascii")),
            ],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})
