"""What every ContainerRuntime must do; run by tests/agent/runtime on Docker and in memory.

A bench opens the runtime under test. Containers are of one image with a shell; the commands are
those of COMMANDS, so that an adapter without processes can play them by a script.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import pytest

from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.port import (
    CannotPull,
    CannotRead,
    CannotRemove,
    CannotStart,
    ContainerSpec,
    ImageMissing,
    LogRequest,
    NameTaken,
    NotThere,
    PullRequest,
    RuntimeEvent,
    VolumeSpec,
)
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.instant import Instant, seconds

IMAGE = "moorage-test/busybox:1"
EVENT_SECONDS = 15
SLEEPS = ("sleep", "600")
HEEDS = ("sh", "-c", "trap 'exit 143' TERM; while true; do sleep 0.05; done")
EXITS_3 = ("sh", "-c", "exit 3")
SPEAKS = ("sh", "-c", "echo out; echo err >&2; sleep 0.2; echo more")
UNKNOWN_COMMAND = ("no-such-program",)
HEALTHY = {"Test": ["CMD", "true"], "Interval": 1_000_000_000, "Retries": 1}

Runtime = DockerRuntime | MemoryRuntime


class Bench(Protocol):
    """Opens the runtime under test, with the image there and nothing else."""

    def open(self) -> AbstractAsyncContextManager[Runtime]: ...


class Desk:
    """One test's containers: a label of their own tells them from all others."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.tag = SystemChance().hex(12)
        self.labels = {"moorage.test": self.tag}

    def spec(
        self, name: str = "one", command: tuple[str, ...] = SLEEPS, **body: object
    ) -> ContainerSpec:
        return ContainerSpec(
            name=f"contract-{self.tag}-{name}",
            labels=self.labels,
            body={"Image": IMAGE, "Cmd": list(command), **body},
        )

    async def run(self, name: str = "one", command: tuple[str, ...] = SLEEPS, **body: object):
        made = await self.runtime.create(self.spec(name, command, **body))
        await self.runtime.start(made.id)
        return made.id

    async def ended(self, container: str):
        """The container, once it has ended."""
        async with asyncio.timeout(EVENT_SECONDS):
            found = await self.runtime.inspect(container)
            while found is not None and found.status != "exited":
                await asyncio.sleep(0.02)
                found = await self.runtime.inspect(container)
        assert found is not None
        return found

    async def until(
        self, events: AsyncIterator[RuntimeEvent], action: str, count: int = 1
    ) -> list[RuntimeEvent]:
        """The events up to the `count`th of `action`."""
        seen: list[RuntimeEvent] = []
        async with asyncio.timeout(EVENT_SECONDS):
            async for event in events:
                seen.append(event)
                if [each.action for each in seen].count(action) == count:
                    return seen
        raise AssertionError(f"{action} never came: {seen}")


def scenario(test: Callable[["ContainerRuntimeContract", Desk], Coroutine[Any, Any, None]]):
    """Run an asynchronous test on a runtime of its own."""

    def run(self: "ContainerRuntimeContract", bench: Bench) -> None:
        async def whole() -> None:
            async with bench.open() as runtime:
                desk = Desk(runtime)
                try:
                    await test(self, desk)
                finally:
                    for left in await runtime.containers(desk.labels):
                        await runtime.remove("container", left.id)

        asyncio.run(whole())

    run.__doc__ = test.__doc__
    run.__name__ = test.__name__
    return run


class ContainerRuntimeContract:
    """Inherit, and give a fixture `bench`."""

    @scenario
    async def test_it_describes_its_machine(self, desk: Desk) -> None:
        facts = await desk.runtime.describe()
        assert facts.engine_id
        assert facts.cpus >= 1
        assert facts.memory_bytes > 1 << 28
        assert tuple(int(n) for n in facts.api_version.split(".")) >= (1, 41)

    @scenario
    async def test_create_is_idempotent_by_name(self, desk: Desk) -> None:
        first = await desk.runtime.create(desk.spec())
        second = await desk.runtime.create(desk.spec())
        assert first.twin is None
        assert second.id == first.id
        assert second.twin is not None
        assert second.twin.status == "created"
        assert second.twin.exit_code is None

    @scenario
    async def test_creates_at_once_make_one_container(self, desk: Desk) -> None:
        made = await asyncio.gather(*(desk.runtime.create(desk.spec()) for _ in range(4)))
        assert len({each.id for each in made}) == 1
        assert len(await desk.runtime.containers(desk.labels)) == 1

    @scenario
    async def test_a_name_of_others_is_refused(self, desk: Desk) -> None:
        spec = desk.spec()
        await desk.runtime.create(spec)
        stranger = ContainerSpec(name=spec.name, labels={"moorage.test": "another"}, body=spec.body)
        with pytest.raises(NameTaken):
            await desk.runtime.create(stranger)

    @scenario
    async def test_a_missing_image_is_told_by_name(self, desk: Desk) -> None:
        with pytest.raises(ImageMissing):
            await desk.runtime.create(desk.spec(Image="moorage-test/absent:1"))
        with pytest.raises(ImageMissing):
            await desk.runtime.create(desk.spec(Image="localhost:1/absent@sha256:" + "0" * 64))

    @scenario
    async def test_start_twice_is_start_once(self, desk: Desk) -> None:
        container = await desk.run()
        before = await desk.runtime.inspect(container)
        await desk.runtime.start(container)
        after = await desk.runtime.inspect(container)
        assert before is not None
        assert after is not None
        assert after.status == "running"
        assert after.started_at == before.started_at
        assert after.pid == before.pid

    @scenario
    async def test_what_cannot_be_executed_cannot_be_started(self, desk: Desk) -> None:
        made = await desk.runtime.create(desk.spec(command=UNKNOWN_COMMAND))
        with pytest.raises(CannotStart, match="no-such-program") as refusal:
            await desk.runtime.start(made.id)
        assert not refusal.value.port_clash
        found = await desk.runtime.inspect(made.id)
        assert found is not None
        assert found.status == "created"
        assert found.exit_code is None

    @scenario
    async def test_exit_codes_and_times_are_kept(self, desk: Desk) -> None:
        ended = await desk.ended(await desk.run(command=EXITS_3))
        assert ended.exit_code == 3
        assert ended.started_at is not None
        assert ended.finished_at is not None
        assert ended.started_at <= ended.finished_at
        assert not ended.oom_killed

    @scenario
    async def test_a_container_that_heeds_sigterm_stops_at_once(self, desk: Desk) -> None:
        container = await desk.run(command=HEEDS)
        await asyncio.sleep(0.3)
        async with asyncio.timeout(8):
            await desk.runtime.stop(container, seconds(20))
        assert (await desk.ended(container)).exit_code == 143
        await desk.runtime.stop(container, seconds(20))

    @scenario
    async def test_a_deaf_container_is_killed_after_its_grace(self, desk: Desk) -> None:
        since = SystemClock().now()
        container = await desk.run()
        await desk.runtime.stop(container, seconds(1))
        assert (await desk.ended(container)).exit_code == 137
        events = await desk.until(desk.runtime.watch(desk.labels, since), "die")
        assert [e.signal for e in events if e.action == "kill"] == [15, 9]

    @scenario
    async def test_what_is_not_there_is_told_or_passed_over(self, desk: Desk) -> None:
        assert await desk.runtime.inspect("no-such-container") is None
        assert await desk.runtime.usage("no-such-container") is None
        assert await desk.runtime.image("moorage-test/absent:1") is None
        for call in (
            desk.runtime.start("no-such-container"),
            desk.runtime.stop("no-such-container", seconds(1)),
        ):
            with pytest.raises(NotThere):
                await call
        with pytest.raises(NotThere):
            await anext(desk.runtime.logs(LogRequest(id="no-such-container")))
        await desk.runtime.remove("container", "no-such-container")
        await desk.runtime.remove("volume", "no-such-volume")
        await desk.runtime.remove("image", "moorage-test/absent:1")

    @scenario
    async def test_only_the_containers_of_a_label_are_listed(self, desk: Desk) -> None:
        await desk.runtime.create(desk.spec("created"))
        running = await desk.run("running")
        ended = await desk.run("ended", EXITS_3)
        await desk.ended(ended)
        found = {each.name: each for each in await desk.runtime.containers(desk.labels)}
        assert {n.rpartition("-")[2]: c.status for n, c in found.items()} == {
            "created": "created",
            "running": "running",
            "ended": "exited",
        }
        assert all(c.labels.items() >= desk.labels.items() for c in found.values())
        assert any(c.id == running and c.image == IMAGE and c.image_id for c in found.values())
        assert await desk.runtime.containers({"moorage.test": "nobody"}) == ()

    @scenario
    async def test_a_roster_shows_the_same_in_one_call(self, desk: Desk) -> None:
        await desk.runtime.ping()
        await desk.runtime.create(desk.spec("created"))
        await desk.run("running")
        found = await desk.runtime.containers(desk.labels)
        rows = await desk.runtime.roster(desk.labels)
        assert {(r.id, r.name, r.status) for r in rows} == {(c.id, c.name, c.status) for c in found}
        assert all(row.labels.items() >= desk.labels.items() for row in rows)

    @scenario
    async def test_events_tell_a_life_in_order(self, desk: Desk) -> None:
        since = SystemClock().now()
        container = await desk.run(command=EXITS_3)
        await desk.ended(container)
        await desk.runtime.remove("container", container)
        events = await desk.until(desk.runtime.watch(desk.labels, since), "destroy")
        assert [e.action for e in events] == ["create", "start", "die", "destroy"]
        assert {e.id for e in events} == {container}
        assert events[2].exit_code == 3
        assert all(e.labels.items() >= desk.labels.items() for e in events)
        assert [e.at for e in events] == sorted(e.at for e in events)

    @scenario
    async def test_a_watcher_hears_only_its_own(self, desk: Desk) -> None:
        other = Desk(desk.runtime)
        since = SystemClock().now()
        await other.ended(await other.run(command=EXITS_3))
        await desk.run(command=EXITS_3)
        events = await desk.until(desk.runtime.watch(desk.labels, since), "die")
        assert {e.labels["moorage.test"] for e in events} == {desk.tag}
        for left in await desk.runtime.containers(other.labels):
            await desk.runtime.remove("container", left.id)

    @scenario
    async def test_health_is_told_when_it_changes(self, desk: Desk) -> None:
        since = SystemClock().now()
        container = await desk.run(Healthcheck=HEALTHY)
        before = await desk.runtime.inspect(container)
        events = await desk.until(desk.runtime.watch(desk.labels, since), "health_status")
        after = await desk.runtime.inspect(container)
        assert before is not None
        assert before.health.status in {"starting", "healthy"}
        assert events[-1].health == "healthy"
        assert after is not None
        assert after.health.status == "healthy"

    @scenario
    async def test_ports_are_chosen_and_shown(self, desk: Desk) -> None:
        asked = {"80/tcp": [{"HostIp": "127.0.0.9", "HostPort": ""}]}
        container = await desk.run(ExposedPorts={"80/tcp": {}}, HostConfig={"PortBindings": asked})
        found = await desk.runtime.inspect(container)
        assert found is not None
        (binding,) = found.ports
        assert binding.container_port == 80
        assert binding.host_port > 1024
        assert (binding.protocol, binding.host_address) == ("tcp", "127.0.0.9")

    @scenario
    async def test_a_clash_of_ports_is_told_apart(self, desk: Desk) -> None:
        chosen = {"80/tcp": [{"HostIp": "127.0.0.9", "HostPort": ""}]}
        body = {"ExposedPorts": {"80/tcp": {}}}
        first = await desk.run(**body, HostConfig={"PortBindings": chosen})
        found = await desk.runtime.inspect(first)
        assert found is not None
        fixed = {"80/tcp": [{"HostIp": "127.0.0.9", "HostPort": str(found.ports[0].host_port)}]}
        with pytest.raises(CannotStart) as refusal:
            await desk.run("two", **body, HostConfig={"PortBindings": fixed})
        assert refusal.value.port_clash

    @scenario
    async def test_output_comes_in_order_with_its_stream(self, desk: Desk) -> None:
        container = await desk.run(command=SPEAKS)
        await desk.ended(container)
        chunks = [chunk async for chunk in desk.runtime.logs(LogRequest(id=container))]
        said = {s: [c.content for c in chunks if c.stream == s] for s in ("stdout", "stderr")}
        assert said == {"stdout": [b"out\n", b"more\n"], "stderr": [b"err\n"]}
        assert all(chunk.at is not None for chunk in chunks)
        tail = [c async for c in desk.runtime.logs(LogRequest(id=container, tail=1))]
        assert [c.content for c in tail] == [b"more\n"]
        later = LogRequest(id=container, since=Instant(SystemClock().now() + seconds(60)))
        assert [c async for c in desk.runtime.logs(later)] == []

    @scenario
    async def test_followed_output_ends_with_the_container(self, desk: Desk) -> None:
        container = await desk.run(command=SPEAKS)
        async with asyncio.timeout(EVENT_SECONDS):
            request = LogRequest(id=container, follow=True)
            chunks = [chunk async for chunk in desk.runtime.logs(request)]
        assert sorted(c.content for c in chunks) == [b"err\n", b"more\n", b"out\n"]

    @scenario
    async def test_output_that_is_kept_nowhere_cannot_be_read(self, desk: Desk) -> None:
        container = await desk.run(HostConfig={"LogConfig": {"Type": "none"}})
        with pytest.raises(CannotRead):
            await anext(desk.runtime.logs(LogRequest(id=container)))

    @scenario
    async def test_usage_is_read_of_what_runs(self, desk: Desk) -> None:
        container = await desk.run()
        usage = await desk.runtime.usage(container)
        assert usage is not None
        assert usage.memory_bytes > 0
        assert usage.network is not None
        await desk.runtime.stop(container, seconds(0))
        assert await desk.runtime.usage(container) is None

    @scenario
    async def test_volumes_are_made_once_and_kept_while_used(self, desk: Desk) -> None:
        spec = VolumeSpec(name=f"contract-{desk.tag}", labels=desk.labels)
        assert (await desk.runtime.create(spec)).id == spec.name
        assert (await desk.runtime.create(spec)).id == spec.name
        with pytest.raises(NameTaken):
            await desk.runtime.create(VolumeSpec(name=spec.name, labels={"moorage.test": "x"}))
        container = await desk.run(HostConfig={"Binds": [f"{spec.name}:/kept"]})
        with pytest.raises(CannotRemove):
            await desk.runtime.remove("volume", spec.name)
        await desk.runtime.remove("container", container)
        await desk.runtime.remove("volume", spec.name)
        await desk.runtime.remove("volume", spec.name)

    @scenario
    async def test_a_running_container_can_be_removed(self, desk: Desk) -> None:
        container = await desk.run()
        await desk.runtime.remove("container", container)
        assert await desk.runtime.inspect(container) is None

    @scenario
    async def test_an_image_is_found_by_name_and_id(self, desk: Desk) -> None:
        by_name = await desk.runtime.image(IMAGE)
        assert by_name is not None
        assert IMAGE in by_name.references
        assert await desk.runtime.image(by_name.id) == by_name
        assert by_name.id in {each.id for each in await desk.runtime.images()}

    @scenario
    async def test_a_pull_that_cannot_be_says_why(self, desk: Desk) -> None:
        with pytest.raises(CannotPull):
            await desk.runtime.pull(PullRequest(reference="127.0.0.1:1/absent:1"))
        with pytest.raises(CannotPull) as refusal:
            await desk.runtime.pull(PullRequest(reference="UPPER CASE"))
        assert not refusal.value.transient
