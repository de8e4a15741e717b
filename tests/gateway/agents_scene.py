"""The agents' door with one registered host and its key, and tests that play its agent."""

import asyncio
import json
from urllib.parse import urlencode

from moorage.acs.codec import decode_from_server
from moorage.acs.messages import HeartbeatMessage
from moorage.ecs.agents import AGENT
from moorage.ecs.store import container_instances
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.aws import Door
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from moorage.wire.request import Request
from tests.gateway.ground import Desk, Wire, until


class Scene:
    """A door, one registered host and its key."""

    def __init__(self, kind=AgentsDoor) -> None:
        self.desk = Desk()
        self.instance = self.desk.instance()
        self.key = self.desk.key("host", self.instance.arn)
        self.door = kind(self.desk.ground, Door(self.desk.ground, ()), AGENT)
        self.desk.database.watch(self.door.changed)
        self.serving = []

    def dial(self, path="/acs/ws", key=None, **members):
        """An agent's handshake, signed; answers its end of the wire."""
        name = "containerInstanceArn" if path.startswith("/acs") else "containerInstance"
        query = urlencode({name: self.instance.arn, "agentVersion": "1.0"} | members)
        plain = Request(method="GET", path=path, query=query, headers=(("host", "h:4750"),))
        request = plain if key is False else self.desk.signed(key or self.key, plain)
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(a.encode(), b.encode()) for a, b in request.headers],
        }
        wire = Wire()
        wire.say({"type": "websocket.connect"})
        wire.serving = asyncio.create_task(self.door.serve(scope, wire.receive, wire.send))
        self.serving.append(wire.serving)
        return wire

    async def opened(self, **members):
        wire = self.dial(**members)
        await until(lambda: wire.sent)
        assert wire.sent[0] == {"type": "websocket.accept"}, wire.sent
        return wire

    async def refused(self, **members):
        wire = self.dial(**members)
        await asyncio.wait_for(wire.serving, 5)
        start, body = wire.sent
        assert start["type"] == "websocket.http.response.start"
        return start["status"], json.loads(body["body"])["type"]

    async def silent(self, count):
        for _ in range(count):
            self.desk.clock.advance(seconds(1))
            await self.door.tick()

    @property
    def row(self):
        return self.desk.row(self.instance.arn)

    def change(self, **members):
        def work(call):
            row = container_instances.get(call.tx, self.instance.arn)
            container_instances.write(call.tx, evolve(row, **members))

        self.desk.house.write(work)


def told(story, kind=AgentsDoor):
    async def run():
        scene = Scene(kind)
        await scene.door.begin()
        try:
            await story(scene)
        finally:
            await scene.door.close()
            for task in scene.serving:
                task.cancel()
            await asyncio.gather(*scene.serving, return_exceptions=True)
            scene.desk.close()

    asyncio.run(run())


def cut(wire, code=1006):
    wire.say({"type": "websocket.disconnect", "code": code})


def shown(wire):
    return [
        one for one in map(decode_from_server, wire.frames) if not isinstance(one, HeartbeatMessage)
    ]
