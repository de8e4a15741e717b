"""One simulated host: it joins, keeps its websockets open, and runs what it is told."""

import json
from pathlib import Path
from typing import Any

import msgspec

from fleet.commands import Commands
from fleet.ground import Ground
from fleet.identity import Identity
from fleet.runs import Runs
from fleet.telemetry import Telemetry
from moorage.agent import capability
from moorage.agent.options import AgentOptions
from moorage.agent.runtime.port import EngineFacts
from moorage.wire.canonical import Credentials

OK = 200
ZONES = 3
FACTS = EngineFacts(
    engine_id="fleet",
    version="20.10.24",
    api_version="1.41",
    cpus=16,
    memory_bytes=64 * 2**30,
    log_drivers=("json-file", "local", "syslog", "journald"),
    volume_drivers=("local",),
)


class Refused(Exception):  # noqa: N818 - shown as it is
    """The server does not take this host in."""


class Host:
    """One host."""

    __slots__ = ("_commands", "_ground", "_telemetry", "identity", "number", "runs")

    def __init__(self, ground: Ground, name: str, number: int) -> None:
        """A machine that has not joined yet."""
        self._ground = ground
        self.number = number
        self.identity = Identity(ground, name)
        self.runs = Runs(ground, "", self.identity.call)
        self._telemetry = Telemetry(ground, self.identity, self.runs)
        self._commands = Commands(ground, self.identity, self.runs, self._telemetry.heartbeat)

    @property
    def has_commands(self) -> bool:
        """Whether ACS is open, and the server there has sent its manifest."""
        return self._commands.is_open and self._commands.is_welcome

    @property
    def has_telemetry(self) -> bool:
        """Whether TCS is open."""
        return self._telemetry.is_open

    async def join(self, token: str) -> None:
        """Spend a use of a token, and register; raises Refused, OSError, TimeoutError."""
        identity = self.identity
        joined = await self._must("Join", {"token": token, "name": identity.name}, "moorage")
        identity.key = Credentials(
            access_key_id=joined["accessKeyId"], secret_access_key=joined["secretAccessKey"]
        )
        identity.cluster = joined["cluster"]
        self.runs.cluster = identity.cluster
        options = AgentOptions(
            endpoint=self._ground.url, data=Path("/"), zone=f"zone-{self.number % ZONES}"
        )
        attributes = capability.attributes(FACTS, options, task_limits=True)
        registered = await self._must(
            "RegisterContainerInstance",
            {
                "cluster": identity.cluster,
                "attributes": msgspec.to_builtins(attributes),
                "totalResources": msgspec.to_builtins(capability.total_resources(FACTS, options)),
                "clientToken": identity.token,
                "instanceIdentityDocument": "",
                "instanceIdentityDocumentSignature": "",
            },
        )
        identity.instance = registered["containerInstance"]["containerInstanceArn"]
        self._ground.counters.joined += 1

    def connect(self) -> None:
        """Open both websockets, and keep them open."""
        self._commands.begin()
        self._telemetry.begin()

    def cut(self) -> None:
        """Lose both connections at once; they are made again."""
        self._commands.cut()
        self._telemetry.cut()

    def end(self) -> None:
        """Be gone for good, without a word."""
        self._commands.end()
        self._telemetry.end()
        self.identity.lines.close()

    async def _must(
        self, operation: str, members: dict[str, object], service: str = "ecs"
    ) -> dict[str, Any]:
        status, body = await self.identity.call(operation, members, service)
        if status != OK:
            raise Refused(f"{operation}: {status} {body.decode(errors='replace')}")
        told: dict[str, Any] = json.loads(body)
        return told
