"""The one ASGI application: hands each scope to the door that it belongs to."""

import logging

from moorage.gateway.agents import AgentsDoor
from moorage.gateway.aws import Door
from moorage.gateway.backup_door import BackupDoor
from moorage.gateway.exchange import Intake, Receive, Scope, Send, request_of, send_response
from moorage.gateway.health import authorities, health
from moorage.gateway.logs import LogsDoor
from moorage.gateway.registry import RegistryDoor
from moorage.ground.fault import TooLarge, TooSlow, Unavailable
from moorage.wire import json11
from moorage.wire.request import Response

HEALTH_PATH = "/healthz"
LOGS_PATH = "/moorage/logs"
AUTHORITY_PATH = "/moorage/ca.pem"
BACKUP_PATH = "/moorage/backup"
REGISTRY_PREFIX = "/v2"
_log = logging.getLogger("moorage.gateway")


class Application:
    """Bare ASGI: no framework stands between a socket and a door."""

    def __init__(
        self,
        *,
        aws: Door,
        registry: RegistryDoor,
        agents: AgentsDoor,
        logs: LogsDoor,
        backups: BackupDoor,
        body_bytes_max: int,
    ) -> None:
        """Take the doors, and the bound on the body of an API request."""
        self._aws = aws
        self._registry = registry
        self._agents = agents
        self._streams: dict[str, LogsDoor | BackupDoor] = {LOGS_PATH: logs, BACKUP_PATH: backups}
        self._intake = Intake(body_bytes_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request or websocket."""
        if scope["type"] == "websocket":
            await self._agents.serve(scope, receive, send)
            return
        assert scope["type"] == "http", "lifespan is off"
        path = scope["path"]
        if path == REGISTRY_PREFIX or path.startswith(REGISTRY_PREFIX + "/"):
            await self._registry.answer(scope, receive, send)
        elif path == HEALTH_PATH:
            await send_response(
                send, await health(self._aws.ground.database, self._aws.ground.site)
            )
        elif path == AUTHORITY_PATH:
            await send_response(send, await authorities(self._aws.ground.database))
        elif path in self._streams:
            await self._streams[path].answer(request_of(scope), receive, send)
        else:
            await self._call(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await self._intake.request(scope, receive)
        except (TooLarge, TooSlow, Unavailable) as fault:
            # What is left of the body is not read, so the connection cannot be used again.
            answer = json11.render_fault(fault, self._aws.new_request_id())
            closing = Response(
                status=answer.status,
                headers=(*answer.headers, ("connection", "close")),
                body=answer.body,
            )
            await send_response(send, closing)
            return
        if request is not None:
            await send_response(send, await self._aws.answer(request))
