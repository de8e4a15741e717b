"""A random but legal user: a few people at one desk, who sign, call, wait and call again.

They know only what answers told them. Each step is a call of the real client, in a task of its own,
so that calls overlap as people's do; what came of it is told to the laws.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from moorage.ground.fault import Fault
from moorage.sim.http import Session
from moorage.sim.loop import Process
from moorage.sim.machine import Machine
from moorage.sim.network import Host, Network
from moorage.sim.plane import ENDPOINT, REGION, ControlPlane
from moorage.sim.schedule import Step
from moorage.sim.sight import Answered
from moorage.sim.world import SkewedClock, World
from moorage.wire.client import AwsClient, Unreachable

ECS = "AmazonEC2ContainerServiceV20141113"
OWN = "Moorage_V1"
UNKNOWN = "unknown"
SERVICES_MAX = 6
DESIRED_MAX = 5
DESIRED_SUM_MAX = 16
TASKS_MAX = 8
GOOD = ("web", "web", "web", "slow", "deaf")
BAD = ("crash", "dud", "sick")
PERCENTS = ((100, 200), (50, 100), (50, 200), (0, 100), (66, 150), (100, 150))
FREEZE_SECONDS_MAX = 90
TRIES_MAX = 100
_T = TypeVar("_T")
Picks = tuple[int, ...]
Json = dict[str, Any]


class Kept(msgspec.Struct):
    """A service as the users believe it to be."""

    name: str
    desired: int
    family: str
    good: bool
    deleted: bool = False


class Users:
    """The desk."""

    def __init__(
        self, world: World, network: Network, plane: ControlPlane, machines: list[Machine]
    ) -> None:
        """Know nothing yet."""
        self.world = world
        self.plane = plane
        self.machines = machines
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
        self.tokens: list[tuple[str, Json]] = []
        self.draining: set[str] = set()
        self.removed: set[str] = set()
        self.is_tidy = False
        self._serial = 0
        session = Session(network, self.host, self.process, plane).disguised()
        chance = world.chance_of("desk")
        key = plane.keys["root"]
        self._client = AwsClient(ENDPOINT, key, REGION, session, self.clock, chance)
        self._acts: Mapping[str, Callable[[int, Picks], Awaitable[object]]] = {
            "create": self._create,
            "scale": self._scale,
            "deploy": self._deploy,
            "delete": self._delete,
            "run": self._run,
            "repeat": self._repeat,
            "stop": self._stop,
            "drain": self._drain,
            "activate": self._activate,
            "remove": self._remove,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "deregister": self._deregister,
            "look": self._look,
        }

    def take(self, step: Step) -> None:
        """Let one step begin."""
        act = self._acts[step.act]
        self.process.call_soon(
            lambda: self.process.create_task(_quiet(act(step.number, step.picks)))
        )

    def begin(self, work: Callable[[], Awaitable[object]]) -> None:
        """Let something be done at the desk."""
        self.process.call_soon(lambda: self.process.create_task(_quiet(work())))

    async def call(self, step: int, operation: str, asked: Json, target: str = ECS) -> Json | None:
        """Call an operation; None where it was refused or where no answer came."""
        got: Json | None = (await self.ask(step, operation, asked, target)).got
        return got

    async def ask(self, step: int, operation: str, asked: Json, target: str = ECS) -> Answered:
        """Call an operation, and tell what came of it."""
        service = "ecs" if target == ECS else "moorage"
        for listener in self.asking:
            listener(step, operation, asked)
        got: Json | None = None
        code, status = "ok", 200
        try:
            got = cast(
                "Json",
                await self._client.call(
                    service, target, operation, cast("Any", asked), cast("Any", dict)
                ),
            )
        except Unreachable:
            code, status = UNKNOWN, 0
        except Fault as fault:
            code, status = fault.code, fault.status
            if status >= 500:  # noqa: PLR2004 - nothing is said of what became of it
                code = UNKNOWN if status == 503 else code  # noqa: PLR2004
        self.world.tell("desk", f"step {step}", operation, code)
        answered = Answered(
            at=self.world.now,
            step=step,
            operation=operation,
            code=code,
            status=status,
            asked=asked,
            got=got,
        )
        for watcher in self.watchers:
            watcher(answered)
        return answered

    # --- steps -----------------------------------------------------------------------------------

    async def define(self, step: int, image: str, picks: Picks) -> str | None:
        """Register a definition with one container; answers `family`."""
        self._serial += 1
        family = f"{image}-{self._serial}"
        container: Json = {
            "name": "main",
            "image": f"{image}:{1 + picks[0] % 9}",
            "cpu": 128 + 64 * (picks[1] % 3),
            "memory": 128 + 64 * (picks[2] % 3),
            "essential": True,
            "stopTimeout": 3 + picks[3] % 8,
        }
        if picks[4] % 3 == 0 or image == "sick":
            container["healthCheck"] = {"command": ["CMD", "true"], "interval": 5, "retries": 1}
        if picks[5] % 4 == 0:
            container["portMappings"] = [{"containerPort": 80}]
        asked = {"family": family, "containerDefinitions": [container]}
        got = await self.call(step, "RegisterTaskDefinition", asked)
        if got is None:
            return None
        self.families[family] = image not in BAD
        self.definitions.append(f"{family}:{got['taskDefinition']['revision']}")
        return family

    async def _create(self, step: int, picks: Picks) -> None:
        room = DESIRED_SUM_MAX - sum(s.desired for s in self.services.values() if not s.deleted)
        alive = [s for s in self.services.values() if not s.deleted]
        if room < 1 or len(alive) >= SERVICES_MAX:
            return
        image = _chosen(GOOD, picks[1])
        desired = 1 + picks[2] % min(DESIRED_MAX, room)
        self._serial += 1
        name = f"s{self._serial}"
        kept = self.services[name] = Kept(name=name, desired=desired, family="", good=True)
        family = await self.define(step, image, picks)
        if family is None:
            del self.services[name]
            return
        kept.family = family
        least, most = PERCENTS[picks[0] % len(PERCENTS)]
        configuration: Json = {"minimumHealthyPercent": least, "maximumPercent": most}
        if picks[3] % 2:
            configuration["deploymentCircuitBreaker"] = {"enable": True, "rollback": True}
        asked: Json = {
            "serviceName": name,
            "taskDefinition": family,
            "desiredCount": desired,
            "deploymentConfiguration": configuration,
            "clientToken": f"create-{name}",
        }
        if picks[4] % 3 == 0:
            asked["placementStrategy"] = [{"type": "spread", "field": "instanceId"}]
        if picks[4] % 3 == 1:
            asked["placementStrategy"] = [{"type": "binpack", "field": "memory"}]
        self.tokens.append(("CreateService", asked))
        await self.call(step, "CreateService", asked)

    def _alive(self) -> list[Kept]:
        return [s for s in self.services.values() if not s.deleted and s.family]

    async def _scale(self, step: int, picks: Picks) -> None:
        alive = self._alive()
        if not alive:
            return
        service = _chosen(alive, picks[0])
        room = DESIRED_SUM_MAX - sum(s.desired for s in alive) + service.desired
        service.desired = picks[1] % (1 + min(DESIRED_MAX, max(room, 0)))
        asked = {"service": service.name, "desiredCount": service.desired}
        await self.call(step, "UpdateService", asked)

    async def _deploy(self, step: int, picks: Picks) -> None:
        alive = self._alive()
        if not alive:
            return
        service = _chosen(alive, picks[0])
        bad = picks[1] % 5 == 0
        image = _chosen(BAD if bad else GOOD, picks[2])
        family = await self.define(step, image, picks)
        if family is None:
            return
        service.family, service.good = family, not bad
        await self.call(step, "UpdateService", {"service": service.name, "taskDefinition": family})

    async def _delete(self, step: int, picks: Picks) -> None:
        alive = self._alive()
        if len(alive) < 2:  # noqa: PLR2004 - something is to be left
            return
        service = _chosen(alive, picks[0])
        service.deleted = True
        await self.call(step, "DeleteService", {"service": service.name, "force": True})

    async def _run(self, step: int, picks: Picks) -> None:
        if len(self.tasks) > 40 * TASKS_MAX:
            return
        image = "job" if picks[0] % 3 else "web"
        family = await self.define(step, image, picks)
        if family is None:
            return
        self._serial += 1
        token = f"run-{self._serial}"
        asked = {
            "taskDefinition": family,
            "count": 1 + picks[1] % 3,
            "clientToken": token,
            "startedBy": token,
        }
        self.tokens.append(("RunTask", asked))
        got = await self.call(step, "RunTask", asked)
        if got is not None:
            self.tasks += [task["taskArn"] for task in got["tasks"]]

    async def _repeat(self, step: int, picks: Picks) -> None:
        if not self.tokens:
            return
        operation, asked = _chosen(self.tokens, picks[0])
        if picks[1] % 4 == 0:
            asked = {**asked, "count" if operation == "RunTask" else "desiredCount": 7}
        await self.call(step, operation, asked)

    async def _stop(self, step: int, picks: Picks) -> None:
        arns = list(self.tasks)
        if picks[0] % 2:
            got = await self.call(step, "ListTasks", {"desiredStatus": "RUNNING"})
            arns = got["taskArns"] if got else []
        if arns:
            asked = {"task": _chosen(arns, picks[1]), "reason": "a person wanted it"}
            await self.call(step, "StopTask", asked)

    async def _state(self, step: int, arn: str, status: str) -> None:
        asked = {"containerInstances": [arn], "status": status}
        await self.call(step, "UpdateContainerInstancesState", asked)

    def _here(self) -> list[str]:
        gone = {"", *self.draining, *self.removed}
        return [machine.instance for machine in self.machines if machine.instance not in gone]

    async def _remove(self, step: int, picks: Picks) -> None:
        here = self._here()
        if len(here) > 3:  # noqa: PLR2004 - three hosts at least are to be left
            arn = _chosen(here, picks[0])
            self.removed.add(arn)
            asked = {"containerInstance": arn, "force": True}
            await self.call(step, "DeregisterContainerInstance", asked)

    async def _drain(self, step: int, picks: Picks) -> None:
        here = self._here()
        if len(here) > 2:  # noqa: PLR2004 - two hosts at least take tasks
            arn = _chosen(here, picks[0])
            self.draining.add(arn)
            await self._state(step, arn, "DRAINING")

    async def _activate(self, step: int, picks: Picks) -> None:
        if self.draining:
            arn = _chosen(sorted(self.draining), picks[0])
            self.draining.discard(arn)
            await self._state(step, arn, "ACTIVE")

    async def _freeze(self, step: int, picks: Picks) -> None:
        asked: Json = {"reason": "a look", "durationSeconds": 5 + picks[0] % FREEZE_SECONDS_MAX}
        alive = self._alive()
        if alive and picks[1] % 2:
            asked["service"] = _chosen(alive, picks[2]).name
        await self.call(step, "FreezeScheduling", asked, OWN)

    async def _thaw(self, step: int, _picks: Picks) -> None:
        await self.call(step, "ThawScheduling", {}, OWN)

    async def _deregister(self, step: int, picks: Picks) -> None:
        if self.definitions:
            asked = {"taskDefinition": _chosen(self.definitions, picks[0])}
            await self.call(step, "DeregisterTaskDefinition", asked)

    async def _look(self, step: int, picks: Picks) -> None:
        alive = self._alive()
        if alive and picks[0] % 2:
            await self.call(step, "DescribeServices", {"services": [s.name for s in alive]})
        elif self.tasks:
            await self.call(step, "DescribeTasks", {"tasks": self.tasks[-10:]})
        else:
            await self.call(step, "ListContainerInstances", {})

    # --- the end ---------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """After the last fault: thaw, take hosts back, and replace what can never run."""
        await self._insist("ThawScheduling", {}, OWN)
        for machine in self.machines:
            asked: Json = {"containerInstances": [machine.instance], "status": "ACTIVE"}
            if machine.instance:
                await self._insist("UpdateContainerInstancesState", asked)
        listed = await self._insist("ListServices", {"maxResults": 100})
        for arn in listed["serviceArns"]:
            told = (await self._insist("DescribeServices", {"services": [arn]}))["services"][0]
            family = told["taskDefinition"].rpartition("/")[2].partition(":")[0]
            if told["status"] == "ACTIVE" and not self.families.get(family, False):
                mended = None
                while mended is None:
                    mended = await self.define(0, "web", (0, 0, 0, 0, 1, 1))
                asked = {"service": arn, "taskDefinition": mended}
                await self._insist("UpdateService", asked)
        self.is_tidy = True

    async def _insist(self, operation: str, asked: Json, target: str = ECS) -> Json:
        """Call until there is an answer; what is refused is left."""
        for _ in range(TRIES_MAX):
            answered = await self.ask(0, operation, asked, target)
            if answered.code != UNKNOWN:
                return cast("Json", answered.got or {})
            await asyncio.sleep(1)
        raise AssertionError(f"{operation} gets no answer, though all is well")


async def _quiet(work: Awaitable[object]) -> None:
    """A step whose answer is nobody's."""
    await work


def _chosen(things: Sequence[_T], pick: int) -> _T:
    return things[pick % len(things)]
