"""A simulated container engine: the agent's own virtual one, slower, watched, and with a registry.

What a container does is said by its image's name, so that a schedule can be read: `web` runs for
ever, `job` ends well, `crash` ends badly after a while, `dud` ends at once, `sick` fails its health
check, `slow` takes its time to stop, `deaf` does not stop when asked.
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256

from moorage.agent.engine.labels import LABEL_TASK_ARN
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, Script
from moorage.agent.runtime.port import (
    CannotPull,
    ContainerSpec,
    Created,
    EngineFacts,
    Health,
    ImageFacts,
    Progress,
    PullRequest,
    RuntimeEvent,
    VolumeSpec,
)
from moorage.agent.runtime.reference import parse_reference
from moorage.ground.chance import SeededChance
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Instant, seconds
from moorage.sim.sight import Deed

PULL_SECONDS = (0.1, 3.0)
CREATE_SECONDS = (0.01, 0.1)
START_SECONDS = (0.02, 0.3)
IMAGES = ("web", "job", "crash", "dud", "sick", "slow", "deaf")
DEEDS: dict[str, Deed] = {
    "create": "created",
    "start": "started",
    "die": "ended",
    "kill": "terminated",
    "destroy": "removed",
}
Checks = tuple[tuple[Duration, Health], ...]
HEALTHY: Checks = ((seconds(2), "healthy"),)
SICK: Checks = ((seconds(2), "healthy"), (seconds(20), "unhealthy"))
NONE: Checks = ()
Watcher = Callable[[Deed, RuntimeEvent], None]


def script_of(spec: ContainerSpec) -> Script:
    """What a container does, by the name of its image."""
    reference = parse_reference(str(spec.body.get("Image", "")))
    name = reference.path.rpartition("/")[2] if reference else ""
    has_check = bool(spec.body.get("Healthcheck"))
    health = HEALTHY if has_check else NONE
    scripts = {
        "job": Script(runs=seconds(15)),
        "crash": Script(runs=seconds(4), exit_code=1),
        "dud": Script(runs=seconds(0.2), exit_code=127),
        "sick": Script(health=SICK if has_check else NONE),
        "slow": Script(winds_up=seconds(6), health=health),
        "deaf": Script(deaf=True, health=health),
    }
    return scripts.get(name) or Script(health=health)


def facts_of(repository: str, tag: str) -> ImageFacts:
    """The one image that a repository and a tag mean."""
    digest = sha256(f"{repository}:{tag}".encode()).hexdigest()
    return ImageFacts(
        id=f"sha256:{digest}",
        references=(f"{repository}:{tag}",),
        digests=(f"{repository}@sha256:{digest}",),
        size_bytes=1 << 20,
    )


class Shelf(dict[str, ImageFacts]):
    """The registries of the simulated world: every tag of the images that there are."""

    TAGS = tuple(str(number) for number in range(1, 10))

    def get(self, reference: str, default: object = None) -> ImageFacts | None:  # type: ignore[override]
        """What a reference means, by tag or by digest."""
        del default
        parsed = parse_reference(reference)
        name = parsed.path.rpartition("/")[2] if parsed else ""
        if parsed is None or name not in IMAGES:
            return None
        if not parsed.digest:
            return facts_of(parsed.repository, parsed.tag or "latest")
        for tag in self.TAGS:
            facts = facts_of(parsed.repository, tag)
            if facts.id == parsed.digest:
                return ImageFacts(id=facts.id, digests=facts.digests, size_bytes=facts.size_bytes)
        return None


class WatchedEngine(MemoryEngine):
    """A virtual engine that tells what happens on it."""

    def __init__(self, name: str, told: Watcher) -> None:
        """Begin empty."""
        super().__init__(
            script_of,
            EngineFacts(
                engine_id=f"ENGINE:{name}",
                version="29.0.0",
                api_version="1.44",
                cpus=4,
                memory_bytes=8 << 30,
                log_drivers=("json-file", "local"),
                volume_drivers=("local",),
            ),
        )
        self._told = told
        self.full = False
        self.pulls_fail = False

    def _remember(self, event: RuntimeEvent) -> None:
        super()._remember(event)
        deed = DEEDS.get(event.action)
        if deed is not None and LABEL_TASK_ARN in event.labels:
            self._told(deed, event)

    def lose_power(self, now: Instant) -> None:
        """The machine is off: every process on it has ended, and nobody was told."""
        for found in list(self.containers.values()):
            if found.status == "running":
                self.exit(found.id, 137, now)
        self.history.clear()


class SimulatedRuntime(MemoryRuntime):
    """The port on it, for one process of the agent: every call takes its time."""

    def __init__(self, engine: WatchedEngine, clock: Clock, chance: SeededChance) -> None:
        """Serve `engine`."""
        super().__init__(engine, clock)
        self.registry = Shelf()
        self._watched = engine
        self._draw = chance

    @property
    def hanging(self) -> frozenset[str]:
        """The calls that hang."""
        return frozenset(self._hanging)

    async def create(self, spec: ContainerSpec | VolumeSpec) -> Created:
        """Make it, after a moment."""
        await asyncio.sleep(self._draw.uniform(*CREATE_SECONDS))
        return await super().create(spec)

    async def start(self, container: str) -> None:
        """Start it, after a moment."""
        await asyncio.sleep(self._draw.uniform(*START_SECONDS))
        await super().start(container)

    async def stop(self, container: str, grace: Duration) -> None:
        """Stop it."""
        await asyncio.sleep(self._draw.uniform(*CREATE_SECONDS))
        await super().stop(container, grace)

    async def pull(self, request: PullRequest, progress: Progress | None = None) -> ImageFacts:
        """Fetch it, slowly, unless the disk is full or the registry is away."""
        await asyncio.sleep(self._draw.uniform(*PULL_SECONDS))
        if self._watched.full:
            raise CannotPull("write /var/lib/docker/tmp: no space left on device")
        if self._watched.pulls_fail:
            raise CannotPull("error response from daemon: registry is away")
        return await super().pull(request, progress)
