"""One link, and the agent's ends of its connections, for tests of links and of output."""

import asyncio

from moorage.acs import session
from moorage.acs.codec import decode_from_server, encode
from moorage.acs.messages import (
    AckRequest,
    HeartbeatMessage,
    PayloadMessage,
    TaskManifestMessage,
)
from moorage.ecs.agents import AgentTable
from moorage.gateway.link import Link
from moorage.gateway.logs import LogsWanted
from moorage.gateway.standing import Opened, hello_of
from moorage.gateway.websocket import Socket
from moorage.ground.instant import seconds
from tests.gateway.ground import Desk, Handlers, Wire


class Scene:
    """One link, and the agent's ends of its connections."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.handlers = Handlers()
        self.instance = self.desk.instance()
        self.link = Link(self.desk.ground, table_of(self.handlers), self.instance)
        self.given_up = 0

    def connect(self, version="1.0"):
        wire = Wire()
        wire.socket = Socket(wire.send, self._give_up)
        opened = Opened(line=wire.socket, hello=hello_of({"agentVersion": version}))
        wire.number = self.link.connected(opened, "h0")
        return wire

    def drop(self, wire, how="closed"):
        wire.socket.gone()
        self.link.disconnected(wire.number, how)

    async def said(self, wire, message):
        await self.link.received(wire.number, encode(message))

    def silent(self, count):
        """So many seconds pass in which nothing comes."""
        for _ in range(count):
            self.desk.clock.advance(seconds(1))
            self.link.take(session.Tick(now=self.desk.clock.monotonic(), heartbeat_id="h"))

    def _give_up(self):
        self.given_up += 1


def table_of(handlers):
    return AgentTable(
        awaited=handlers.awaited,
        connected=handlers.connected,
        disconnected=handlers.disconnected,
        doubted=handlers.doubted,
        lost=handlers.lost,
        returned=handlers.returned,
        outgoing=handlers.outgoing,
        messages={AckRequest: handlers.heard},
    )


def told(story):
    """Run a story on a scene of its own, and tidy up."""

    async def run():
        scene = Scene()
        try:
            await story(scene)
        finally:
            await scene.link.close(1012)
            scene.desk.close()

    asyncio.run(run())


def shown(wire):
    """The messages that the agent was sent, without heartbeats."""
    found = [decode_from_server(frame) for frame in wire.frames]
    return [one for one in found if not isinstance(one, HeartbeatMessage)]


def a_payload(number):
    return PayloadMessage(
        message_id=f"p{number}", cluster_arn="c", container_instance_arn="i", seq_num=number
    )


def a_manifest(timeline):
    return TaskManifestMessage(
        message_id=f"m{timeline}", cluster_arn="c", container_instance_arn="i", timeline=timeline
    )


def wanted(scene, **members):
    return LogsWanted(instance=scene.instance.arn, task="t", container="main", **members)
