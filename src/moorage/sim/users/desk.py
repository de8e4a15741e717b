"""What the users know, and how they call: each step in a task of its own, so that calls overlap.

What comes of a call is told to the laws, and so is what is about to be asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from yarl import URL

from moorage.gateway.rehearsal import HEADER
from moorage.ground.fault import Fault
from moorage.sim.http import Exchange, Session
from moorage.sim.loop import Process
from moorage.sim.machine import Machine
from moorage.sim.network import Host, Network
from moorage.sim.plane import ENDPOINT, REGION, ControlPlane
from moorage.sim.sight import Answered
from moorage.sim.words import REHEARSED
from moorage.sim.world import SkewedClock, World
from moorage.wire.client import AwsClient, Unreachable

ECS = "AmazonEC2ContainerServiceV20141113"
OWN = "Moorage_V1"
UNKNOWN = "unknown"
SERVER_ERROR = 500
UNAVAILABLE = 503
TRIES_MAX = 100
GOOD = ("web", "web", "web", "slow", "deaf")
BAD = ("crash", "dud", "sick")
_T = TypeVar("_T")
Picks: TypeAlias = tuple[int, ...]
Json: TypeAlias = dict[str, Any]
Acts: TypeAlias = Mapping[str, Callable[["Desk", int, Picks], Awaitable[object]]]


class Kept(msgspec.Struct):
    """A service as the users believe it to be.

    `port` is the fixed one of its tasks, 0 for none; those that are `alone` never share a host.
    """

    name: str
    desired: int
    family: str = ""
    port: int = 0
    alone: bool = False
    is_daemon: bool = False
    deleted: bool = False


class Rehearsing(Session):
    """Calls whose every request asks for a dry run."""

    def post(self, url: URL, *, headers: dict[str, str], data: bytes, **more: object) -> Exchange:
        """Send a request, with the header that makes a dry run of it."""
        return super().post(url, headers={**headers, HEADER: "true"}, data=data, **more)


class Desk:
    """The desk: what is known there, and the clients that sign for it.

    `busy` are the steps that have called anything.
    """

    def __init__(
        self, world: World, network: Network, plane: ControlPlane, machines: list[Machine]
    ) -> None:
        """Know nothing yet."""
        self.world = world
        self.plane = plane
        self.machines = machines
        self.hosts_first = len(machines)
        self.host = Host("desk")
        self.process: Process = world.process("desk")
        self.host.process = self.process
        self.clock = SkewedClock(world)
        self.watchers: list[Callable[[Answered], None]] = []
        self.asking: list[Callable[[int, str, Json], None]] = []
        self.services: dict[str, Kept] = {}
        self.families: dict[str, bool] = {}
        self.definitions: list[str] = []
        self.tasks: list[str] = []
        self.busy: set[int] = set()
        self.tokens: list[tuple[str, Json]] = []
        self.protected: dict[str, None] = {}
        self.paused: dict[str, None] = {}
        self.draining: set[str] = set()
        self.removed: set[str] = set()
        self.has_provider = False
        self.is_tidy = False
        self._serial = 0
        chance = world.chance_of("desk")
        key = plane.keys["root"]

        def client(kind: type[Session]) -> AwsClient:
            session = kind(network, self.host, self.process, plane).disguised()
            return AwsClient(ENDPOINT, key, REGION, session, self.clock, chance)

        self._client = client(Session)
        self._rehearsing = client(Rehearsing)

    def number(self) -> int:
        """A number that nothing else at this desk has."""
        self._serial += 1
        return self._serial

    def begin(self, work: Callable[[], Awaitable[object]]) -> None:
        """Let something be done at the desk."""
        self.process.call_soon(lambda: self.process.create_task(_quiet(work())))

    # --- calls -----------------------------------------------------------------------------------

    async def call(self, step: int, operation: str, asked: Json, target: str = ECS) -> Json | None:
        """Call an operation; None where it was refused or where no answer came."""
        got: Json | None = (await self.ask(step, operation, asked, target)).got
        return got

    async def ask(self, step: int, operation: str, asked: Json, target: str = ECS) -> Answered:
        """Call an operation, and tell what came of it."""
        return await self._ask(self._client, step, operation, asked, target)

    async def rehearse(self, step: int, operation: str, asked: Json, target: str = ECS) -> Answered:
        """Ask what a write would do; laws hear of it under a name of its own."""
        return await self._ask(self._rehearsing, step, operation, asked, target)

    async def insist(self, operation: str, asked: Json, target: str = ECS) -> Json:
        """Call until there is an answer; what is refused is left."""
        for _ in range(TRIES_MAX):
            answered = await self.ask(0, operation, asked, target)
            if answered.code != UNKNOWN:
                return cast("Json", answered.got or {})
            await asyncio.sleep(1)
        raise AssertionError(f"{operation} gets no answer, though all is well")

    async def _ask(
        self, client: AwsClient, step: int, operation: str, asked: Json, target: str
    ) -> Answered:
        self.busy.add(step)
        service = "ecs" if target == ECS else "moorage"
        told = operation if client is self._client else f"{REHEARSED}{operation}"
        for listener in self.asking:
            listener(step, told, asked)
        got: Json | None = None
        code, status = "ok", 200
        try:
            answer = client.call(service, target, operation, cast("Any", asked), cast("Any", dict))
            got = cast("Json", await answer)
        except Unreachable:
            code, status = UNKNOWN, 0
        except Fault as fault:
            code, status = fault.code, fault.status
            if status >= SERVER_ERROR:  # nothing is said of what became of it
                code = UNKNOWN if status == UNAVAILABLE else code
        self.world.tell("desk", f"step {step}", told, code)
        answered = Answered(
            at=self.world.now,
            step=step,
            operation=told,
            code=code,
            status=status,
            asked=asked,
            got=got,
        )
        for watcher in self.watchers:
            watcher(answered)
        return answered

    # --- what is known ---------------------------------------------------------------------------

    async def define(
        self, step: int, image: str, picks: Picks, port: int = 0, memory: int = 0
    ) -> str | None:
        """Register a definition with one container; answers its family, None where it failed.

        `port` is the port of the host that it takes, 0 for whichever is free, if any at all;
        `memory` (MiB) what it asks for, 0 for little.
        """
        family = f"{image}-{self.number()}"
        container: Json = {
            "name": "main",
            "image": f"{image}:{1 + picks[0] % 9}",
            "cpu": 128 + 64 * (picks[1] % 3),
            "memory": memory or 128 + 64 * (picks[2] % 3),
            "essential": True,
            "stopTimeout": 3 + picks[3] % 8,
        }
        if picks[4] % 3 == 0 or image == "sick":
            container["healthCheck"] = {"command": ["CMD", "true"], "interval": 5, "retries": 1}
        if port:
            container["portMappings"] = [{"containerPort": 80, "hostPort": port}]
        elif picks[5] % 4 == 0:
            container["portMappings"] = [{"containerPort": 80}]
        asked = {"family": family, "containerDefinitions": [container]}
        got = await self.call(step, "RegisterTaskDefinition", asked)
        if got is None:
            return None
        self.families[family] = image not in BAD
        self.definitions.append(f"{family}:{got['taskDefinition']['revision']}")
        return family

    def alive(self, *, daemons: bool = False) -> list[Kept]:
        """The services, or the daemons, that nobody has deleted yet."""
        return [
            one
            for one in self.services.values()
            if not one.deleted and one.family and one.is_daemon == daemons
        ]

    def here(self) -> list[str]:
        """The ARNs of the hosts that nobody drains or has removed."""
        gone = {"", *self.draining, *self.removed}
        return [machine.instance for machine in self.machines if machine.instance not in gone]


async def _quiet(work: Awaitable[object]) -> None:
    """A step whose answer is nobody's."""
    await work


def chosen(things: Sequence[_T], pick: int) -> _T:
    """One of them."""
    return things[pick % len(things)]
