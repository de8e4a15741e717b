"""A container engine that exists only in memory: virtual containers that follow scripts.

Synchronous and without a clock: each call is told `now`, and what falls due between two calls is
done by `advance`, in order of time. `memory.py` puts the asynchronous port on it; a simulator may
drive it directly. It keeps to what the contract suite found true of Docker Engine.
"""

from collections.abc import Callable, Mapping
from typing import Any

from moorage.agent.runtime.port import (
    CannotRemove,
    CannotStart,
    Container,
    ContainerSpec,
    Created,
    EngineFacts,
    Health,
    HealthReport,
    ImageFacts,
    ImageMissing,
    LogChunk,
    NameTaken,
    NotThere,
    PortBinding,
    RuntimeEvent,
    VolumeSpec,
)
from moorage.agent.runtime.reference import spellings
from moorage.ground.instant import Duration, Instant, later
from moorage.ground.record import Record, evolve

EVENTS_MAX = 256  # as many as Docker Engine keeps
EPHEMERAL_PORT_FIRST = 32_768
SIGTERM, SIGKILL = 15, 9
EXIT_BY_SIGNAL = 128


class Script(Record):
    """What a virtual container does when it is started.

    It ends by itself after `runs` (None: never) with `exit_code`; on SIGTERM after `winds_up`
    with 143, unless it is `deaf` to it; if `undying`, SIGKILL does not end it either (a process
    that waits for a dead disk). `health` lists (time since start, verdict). `fault` is
    the engine's text if it cannot be started at all.
    """

    runs: Duration | None = None
    exit_code: int = 0
    out_of_memory: bool = False
    deaf: bool = False
    undying: bool = False
    winds_up: Duration = Duration(0)
    health: tuple[tuple[Duration, Health], ...] = ()
    output: tuple[tuple[str, bytes], ...] = ()
    fault: str = ""
    pid: int = 4242


class Happening(Record):
    """Something that is due: what, to which container, in which of its runs."""

    at: Instant
    order: int
    container: str
    run: int
    act: Callable[[str, Instant], None]


Scripts = Callable[[ContainerSpec], Script]


def plays(script: Script | None = None) -> Scripts:
    """Scripts that are the same for every container."""
    return lambda _spec: script or Script()


class MemoryEngine:
    """The state of the virtual engine."""

    def __init__(self, scripts: Scripts, facts: EngineFacts | None = None) -> None:
        """Begin empty; `scripts` says what a container of a spec does."""
        self.scripts = scripts
        self.facts = facts or EngineFacts(
            engine_id="MEMORY", version="20.10.24", api_version="1.41", cpus=4, memory_bytes=8 << 30
        )
        self.containers: dict[str, Container] = {}
        self.specs: dict[str, ContainerSpec] = {}
        self.output: dict[str, list[LogChunk]] = {}
        self.volumes: dict[str, VolumeSpec] = {}
        self.images: dict[str, ImageFacts] = {}
        self.history: list[tuple[int, RuntimeEvent]] = []  # numbered, so that each is told once
        self.starts: list[str] = []  # names, in order: what tests count
        self.unreadable: set[str] = set()  # ids of containers that can be listed, not shown
        self._runs: dict[str, int] = {}
        self._due: list[Happening] = []
        self._serial = 0

    def add_image(self, facts: ImageFacts) -> None:
        """Put an image on the engine, or give more names to one that is there."""
        known = self.images.get(facts.id, facts)
        references = tuple(dict.fromkeys((*known.references, *facts.references)))
        for each in self.images.values():  # a tag means one image only
            kept = tuple(name for name in each.references if name not in facts.references)
            self.images[each.id] = evolve(each, references=kept)
        digests = tuple(dict.fromkeys((*known.digests, *facts.digests)))
        self.images[facts.id] = evolve(facts, references=references, digests=digests)

    def find_image(self, reference: str) -> ImageFacts | None:
        """The image that `reference` means."""
        for name in spellings(reference):
            for facts in self.images.values():
                if name == facts.id or name in facts.references or name in facts.digests:
                    return facts
        return None

    def find(self, container: str) -> Container | None:
        """The container of this id or name."""
        named = (each for each in self.containers.values() if each.name == container)
        return self.containers.get(container) or next(named, None)

    def create(self, spec: ContainerSpec, now: Instant) -> Created:
        """As the port's `create` of a container."""
        twin = self.find(spec.name)
        if twin is not None:
            if spec.labels.items() <= twin.labels.items():
                return Created(id=twin.id, twin=twin)
            raise NameTaken(f"the container name {spec.name} is already in use")
        reference = str(spec.body.get("Image", ""))
        image = self.find_image(reference)
        if image is None:
            raise ImageMissing(f"No such image: {reference}")
        self._serial += 1
        made = Container(
            id=f"{self._serial:064x}",
            name=spec.name,
            labels={**image.labels, **(spec.body.get("Labels") or {}), **spec.labels},
            status="created",
            image=reference,
            image_id=image.id,
            created_at=now,
            tty=bool(spec.body.get("Tty")),
            network_mode=str(self._host_config(spec).get("NetworkMode", "default")),
            log_driver=str((self._host_config(spec).get("LogConfig") or {}).get("Type", "")),
        )
        self.containers[made.id], self.specs[made.id] = made, spec
        self.output[made.id] = []
        self._tell("create", made, now)
        return Created(id=made.id)

    def create_volume(self, spec: VolumeSpec) -> Created:
        """As the port's `create` of a volume."""
        twin = self.volumes.setdefault(spec.name, spec)
        if not spec.labels.items() <= twin.labels.items():
            raise NameTaken(f"a volume named {spec.name} exists and is not ours")
        return Created(id=spec.name)

    def start(self, container: str, now: Instant) -> None:
        """As the port's `start`."""
        found = self._known(container)
        if found.status == "running":
            return
        spec = self.specs[found.id]
        script = self.scripts(spec)
        if script.fault:
            self.containers[found.id] = evolve(found, error=script.fault)
            raise CannotStart(script.fault)
        ports = self._publish(spec, found.id)
        run = self._runs[found.id] = self._runs.get(found.id, 0) + 1
        verdict: Health = "starting" if script.health else "none"
        started = evolve(
            found,
            status="running",
            started_at=now,
            finished_at=None,
            exit_code=None,
            oom_killed=False,
            error="",
            pid=script.pid,
            ports=ports,
            health=HealthReport(status=verdict),
        )
        self.containers[found.id] = started
        self.starts.append(found.name)
        for stream, content in script.output:
            chunk = LogChunk(stream="stderr" if stream == "stderr" else "stdout", content=content)
            self.output[found.id].append(evolve(chunk, at=now))
        self._tell("start", started, now)
        for after, health in script.health:
            self._plan(later(now, after), found.id, run, self._verdict(health))
        if script.runs is not None:
            self._plan(later(now, script.runs), found.id, run, self._ends(script))

    def terminate(self, container: str, grace: Duration, now: Instant) -> None:
        """Send SIGTERM, and plan the SIGKILL after `grace`; `advance` does the rest."""
        found = self._known(container)
        if found.status != "running":
            return
        script, run = self.scripts(self.specs[found.id]), self._runs[found.id]
        self._tell("kill", found, now, signal=SIGTERM)
        if script.undying:
            return
        if not script.deaf and script.winds_up <= grace:
            code = EXIT_BY_SIGNAL + SIGTERM
            self._plan(later(now, script.winds_up), found.id, run, self._exits(code))
        else:
            self._plan(later(now, grace), found.id, run, self.kill)

    def kill(self, container: str, now: Instant) -> None:
        """SIGKILL, at once."""
        found = self._known(container)
        if found.status == "running" and not self.is_undying(container):
            self._tell("kill", found, now, signal=SIGKILL)
            self.exit(found.id, EXIT_BY_SIGNAL + SIGKILL, now)

    def is_undying(self, container: str) -> bool:
        """Whether nothing ends this container's process."""
        found = self._known(container)
        return found.status == "running" and self.scripts(self.specs[found.id]).undying

    def exit(self, container: str, code: int, now: Instant, *, oom: bool = False) -> None:
        """The container's process ends."""
        found = self._known(container)
        if found.status != "running":
            return
        ended = evolve(
            found, status="exited", exit_code=code, finished_at=now, oom_killed=oom, pid=0, ports=()
        )
        self.containers[found.id] = ended
        if oom:
            self._tell("oom", ended, now)
        self._tell("die", ended, now, exit_code=code)

    def set_health(self, container: str, health: Health, now: Instant, output: str = "") -> None:
        """The container's health check comes to a verdict."""
        found = self._known(container)
        if found.status != "running":
            return
        changed = found.health.status != health
        report = HealthReport(status=health, checked_at=now, output=output)
        self.containers[found.id] = evolve(found, health=report)
        if changed:
            self._tell("health_status", found, now, health=health)

    def remove_container(self, container: str, now: Instant) -> None:
        """As the port's `remove` of a container."""
        found = self.find(container)
        if found is None:
            return
        self.kill(found.id, now)
        if self.is_undying(found.id):
            raise CannotRemove("could not kill: tried to kill container, but it runs on")
        gone = self.containers.pop(found.id)
        del self.specs[found.id], self.output[found.id]
        self._tell("destroy", gone, now)

    def remove_image(self, name: str) -> None:
        """As the port's `remove` of an image."""
        facts = self.find_image(name)
        if facts is None:
            return
        references = tuple(r for r in facts.references if name not in {r, facts.id})
        digests = tuple(d for d in facts.digests if name not in {d, facts.id})
        if references or (digests and name in facts.digests):
            self.images[facts.id] = evolve(facts, references=references, digests=digests)
            return
        if any(each.image_id == facts.id for each in self.containers.values()):
            raise CannotRemove(f"conflict: a container uses the image {name}")
        del self.images[facts.id]

    def remove_volume(self, name: str) -> None:
        """As the port's `remove` of a volume."""
        for spec in self.specs.values():
            binds = self._host_config(spec).get("Binds") or ()
            if any(str(bind).split(":", 1)[0] == name for bind in binds):
                raise CannotRemove(f"volume is in use: {name}")
        self.volumes.pop(name, None)

    def restart(self, now: Instant) -> None:
        """Forget all events, as an engine that was started again has; watchers get a gap."""
        self.history.clear()
        self._remember(RuntimeEvent(action="gap", at=now))

    def due(self) -> Instant | None:
        """When the next thing happens by itself."""
        return min((each.at for each in self._due), default=None)

    def advance(self, now: Instant) -> None:
        """Let everything happen that is due by `now`, in order of time."""
        while self._due:
            first = min(self._due, key=lambda each: (each.at, each.order))
            if first.at > now:
                return
            self._due.remove(first)
            if first.container in self.containers and self._runs[first.container] == first.run:
                first.act(first.container, first.at)

    def _verdict(self, health: Health) -> Callable[[str, Instant], None]:
        return lambda container, at: self.set_health(container, health, at)

    def _exits(self, code: int) -> Callable[[str, Instant], None]:
        return lambda container, at: self.exit(container, code, at)

    def _ends(self, script: Script) -> Callable[[str, Instant], None]:
        code, oom = script.exit_code, script.out_of_memory
        return lambda container, at: self.exit(container, code, at, oom=oom)

    def _plan(
        self, at: Instant, container: str, run: int, act: Callable[[str, Instant], None]
    ) -> None:
        self._serial += 1
        self._due.append(
            Happening(at=at, order=self._serial, container=container, run=run, act=act)
        )

    def _known(self, container: str) -> Container:
        found = self.find(container)
        if found is None:
            raise NotThere(f"No such container: {container}")
        return found

    def _publish(self, spec: ContainerSpec, own: str) -> tuple[PortBinding, ...]:
        """The bindings that a start gets; raises CannotStart where a host port is taken."""
        others = [c for c in self.containers.values() if c.status == "running" and c.id != own]
        taken = {(p.protocol, p.host_port) for c in others for p in c.ports}
        bindings: list[PortBinding] = []
        empty: tuple[Mapping[str, str]] = ({},)
        wanted: Mapping[str, Any] = self._host_config(spec).get("PortBindings") or {}
        for key, hosts in sorted(wanted.items()):
            port, _, protocol = key.partition("/")
            for host in hosts or empty:
                number = int(host.get("HostPort") or 0)
                if number and (protocol or "tcp", number) in taken:
                    raise CannotStart(f"port is already allocated: {number}", port_clash=True)
                while not number or (protocol or "tcp", number) in taken:
                    number = max(number + 1, EPHEMERAL_PORT_FIRST)
                taken.add((protocol or "tcp", number))
                bindings.append(
                    PortBinding(
                        container_port=int(port),
                        host_port=number,
                        protocol=protocol or "tcp",
                        host_address=host.get("HostIp") or "0.0.0.0",  # noqa: S104
                    )
                )
        return tuple(bindings)

    def _tell(self, action: Any, container: Container, at: Instant, **more: Any) -> None:
        self._remember(
            RuntimeEvent(
                action=action,
                at=at,
                id=container.id,
                name=container.name,
                labels=container.labels,
                **more,
            )
        )

    def _remember(self, event: RuntimeEvent) -> None:
        self._serial += 1
        self.history.append((self._serial, event))
        del self.history[:-EVENTS_MAX]

    @staticmethod
    def _host_config(spec: ContainerSpec) -> Mapping[str, Any]:
        found: Mapping[str, Any] = spec.body.get("HostConfig") or {}
        return found
