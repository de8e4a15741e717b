"""The websockets of the agents: moves frames, and runs a handler in a transaction for each message.

What is said, and when, is decided by `acs.session` (a pure machine, one for each instance for as
long as this server runs) and by the table `AGENT` of the cluster's house. Two websockets a host:
ACS, for commands, under /acs/ws, and TCS, for telemetry, under /tcs/ws.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qsl

from moorage.acs import session
from moorage.acs.codec import (
    REPLACED_KEY_REFUSAL,
    SECOND_AGENT_REFUSAL,
    Refusal,
    encode_refusal,
)
from moorage.acs.patience import Uptime
from moorage.ecs.agents import AgentTable
from moorage.ecs.operations.session import Hello
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.host.loss import expects
from moorage.ecs.rules.joining import SECOND_AGENT
from moorage.ecs.store import container_instances
from moorage.gateway.aws import Door, Ground
from moorage.gateway.ears import Commands, Publications
from moorage.gateway.exchange import Receive, Scope, Send, request_of
from moorage.gateway.line import Ear, Line
from moorage.gateway.link import Link
from moorage.gateway.output import HostAway, Pieces, Wanted
from moorage.gateway.standing import Opened, hello_of
from moorage.gateway.upgraded import CLOSE_GOING_AWAY, UPGRADED_EXTENSION
from moorage.gateway.websocket import pump
from moorage.gateway.works import TURNS_AT_ONCE
from moorage.ground.fault import Fault
from moorage.ground.instant import in_seconds
from moorage.ground.record import Record
from moorage.iam.authorize import REPLACED_KEY
from moorage.sql.transaction import Change

ACS_PATH = "/acs/ws"
TCS_PATH = "/tcs/ws"
# The host itself has changed, or what it should hold.
CONCERNING = frozenset({"instance", "orders"})
# Agents publish each 20 s or oftener; one that is silent for so long has gone without a word.
TELEMETRY_SILENCE_SECONDS_MAX = 180.0
QUERY_PARAMETERS_MAX = 64
REFUSED_STATUS = 400
TROUBLE_STATUS = 503
FAILED_STATUS = 500
# Handshakes that are verified in one turn of the loop: others who call do not wait for thousands.
GREETINGS_AT_ONCE = 8
# So many hosts are seen to in a tick before others have their turn: a wave of thousands of heartbeats
# holds nobody up. Not fewer: where the loop is busy, each turn is long, and no heartbeat may be late.
TICKED_AT_ONCE = 200
# Hosts of an earlier server that are written in one transaction as away: some tens of milliseconds.
AWAITED_AT_ONCE = 500
_log = logging.getLogger("moorage.agents")


class AgentsDoor:
    """Every instance's link, and the handshakes that open them."""

    telemetry_silence_seconds_max = TELEMETRY_SILENCE_SECONDS_MAX

    def __init__(self, ground: Ground, aws: Door, table: AgentTable) -> None:
        """Take the table of handlers; nothing is known of any host yet."""
        self._ground = ground
        self._aws = aws
        self._table = table
        self._links: dict[str, Link] = {}
        self._uptime = Uptime(ground.clock.monotonic())
        self._turns = asyncio.Semaphore(TURNS_AT_ONCE)
        self._greetings = asyncio.Semaphore(GREETINGS_AT_ONCE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._is_closed = False

    async def begin(self) -> None:
        """Take up the hosts that were connected when the last server stopped; start the ticks.

        Nobody decides before that is done: none of them is connected to this server yet.
        """
        self._loop = asyncio.get_running_loop()
        self._uptime = Uptime(self._ground.clock.monotonic())
        known = await asyncio.wrap_future(
            self._ground.database.read(
                lambda tx: container_instances.named(tx, container_instances.every(tx))
            )
        )
        expected = [one for one in known.values() if expects(one)]
        for first in range(0, len(expected), AWAITED_AT_ONCE):
            await self._await(expected[first : first + AWAITED_AT_ONCE])
        self._ticking = asyncio.create_task(self._tick())

    async def _await(self, hosts: Sequence[ContainerInstance]) -> None:
        """Wait for hosts that an earlier server knew; that they are away is kept first of all.

        Where the database takes no writes now, each link keeps it as soon as it does.
        """
        kept: frozenset[str] = frozenset()
        try:
            kept = await asyncio.wrap_future(
                self._ground.database.write(lambda tx: self._table.awaited(tx, hosts))
            )
        except Fault as fault:
            _log.warning("that %d hosts are away is not kept now: %s", len(hosts), fault.message)
        for instance in hosts:
            link = self._link(instance)
            if not link.is_connected:
                link.expect(instance, is_kept=instance.arn in kept)

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in committed changes; called from any thread."""
        arns = [change.key for change in changes if change.kind in CONCERNING]
        if arns and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is connected
                self._loop.call_soon_threadsafe(self._wake, arns)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket from handshake to end."""
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        async with self._greetings:
            welcome = await self._welcome(scope)
        if self._is_closed:
            welcome = _refused("ServerException", "The server is stopping.", TROUBLE_STATUS)
        try:
            if isinstance(welcome, _Refused):
                await _refuse(send, welcome)
                return
            await send({"type": "websocket.accept"})
        except OSError:
            return  # the peer went away while its handshake was verified
        kind = self._commands if scope["path"] == ACS_PATH else self._telemetry
        listen = partial(kind, welcome)
        upgraded = scope.get("extensions", {}).get(UPGRADED_EXTENSION)
        if upgraded is not None:
            upgraded.listen(listen)
        else:
            await pump(receive, send, listen)

    def logs(self, instance: str, wanted: Wanted) -> Pieces:
        """The output that a host sends; raises HostAway where it is not connected."""
        link = self._links.get(instance)
        if link is None:
            raise HostAway("The host that has this output is not connected.")
        return link.logs(self._ground.chance.hex(32), wanted)

    async def close(self) -> None:
        """Close all websockets, and open no more; hosts are not thereby lost."""
        self._is_closed = True
        if self._ticking is not None:
            self._ticking.cancel()
        for link in list(self._links.values()):
            await link.close(CLOSE_GOING_AWAY)

    async def _welcome(self, scope: Scope) -> "_Welcome | _Refused":
        if scope["path"] not in {ACS_PATH, TCS_PATH}:
            return _refused("BadRequestException", "There is no such websocket.")
        members = _query(scope)
        arn = members.get("containerInstanceArn") or members.get("containerInstance") or ""
        try:
            principal, _ = await self._aws.verified(request_of(scope), "ecs")
            instance = await asyncio.wrap_future(
                self._ground.database.look(lambda tx: container_instances.get(tx, arn))
            )
        except Fault as fault:
            if fault.status >= FAILED_STATUS:
                return _refused("ServerException", fault.message, TROUBLE_STATUS)
            return _refused("AccessDeniedException", fault.message)
        if principal.replaced:
            _log.warning("a key of %s that was replaced is still in use somewhere", arn)
            return _refused(REPLACED_KEY_REFUSAL, REPLACED_KEY)
        if principal.kind != "host" or principal.instance != arn or not arn:
            text = "This key speaks for another container instance, or for none."
            return _refused("AccessDeniedException", text)
        if instance is None or instance.status == "INACTIVE":
            text = f"The container instance {arn} is not registered (any more)."
            return _refused("InactiveInstanceException", text)
        token = members.get("clientToken")
        if token and instance.client_token and token != instance.client_token:
            _log.warning("%s: a second agent with its identity is kept out", arn)
            return _refused(SECOND_AGENT_REFUSAL, SECOND_AGENT)
        return _Welcome(instance=instance, key=principal.access_key_id, hello=hello_of(members))

    def _commands(self, welcome: "_Welcome", line: Line) -> Ear:
        link = self._link(welcome.instance)
        opened = Opened(line=line, hello=welcome.hello, key=welcome.key)
        return Commands(link, link.connected(opened, self._ground.chance.hex(32)))

    def _telemetry(self, welcome: "_Welcome", line: Line) -> Ear:
        link = self._link(welcome.instance)
        link.published_by(line, welcome.key)
        return Publications(link, line, self.telemetry_silence_seconds_max)

    def _link(self, instance: ContainerInstance) -> Link:
        link = self._links.get(instance.arn)
        if link is None:
            link = self._links[instance.arn] = Link(
                self._ground, self._table, instance, self._uptime, self._turns
            )
        return link

    def _wake(self, arns: Sequence[str]) -> None:
        for arn in arns:
            link = self._links.get(arn)
            if link is not None:
                link.wake()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(in_seconds(session.TICK_PERIOD))
            await self.tick()

    async def tick(self) -> None:
        """Let time pass for every host; a link whose host is lost makes way for a new one."""
        now = self._ground.clock.monotonic()
        self._uptime.passed(now)
        tick = session.Tick(now=now, heartbeat_id=self._ground.chance.hex(32))
        taken = 0
        for arn, link in list(self._links.items()):
            if link.look_at <= now:
                taken += 1
                if not taken % TICKED_AT_ONCE:
                    await asyncio.sleep(0)
                try:
                    link.take(tick)
                except Exception:  # noqa: BLE001 - the gateway's edge: one host's trouble is its own
                    _log.exception("the tick of %s failed by a fault of ours", arn)
            if link.is_over:
                del self._links[arn]
                await link.close(CLOSE_GOING_AWAY)


class _Welcome(Record):
    """A handshake that is accepted: whose it is, and the key that signed it."""

    instance: ContainerInstance
    key: str
    hello: Hello


class _Refused(Record):
    """A handshake that is refused, and the status to do it with."""

    refusal: Refusal
    status: int


def _refused(name: str, text: str, status: int = REFUSED_STATUS) -> _Refused:
    return _Refused(refusal=Refusal(name=name, text=text), status=status)


def _query(scope: Scope) -> dict[str, str]:
    try:
        query = scope["query_string"].decode("latin-1")
        return dict(parse_qsl(query, max_num_fields=QUERY_PARAMETERS_MAX))
    except ValueError:
        return {}


async def _refuse(send: Send, refused: _Refused) -> None:
    """Answer the handshake with a plain HTTP body, which agents of ours and Amazon's read."""
    body = encode_refusal(refused.refusal).encode()
    await send(
        {
            "type": "websocket.http.response.start",
            "status": refused.status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode("ascii")),
            ],
        }
    )
    await send({"type": "websocket.http.response.body", "body": body})
