"""A host without a server: the real engine, loop, performer and observer over a virtual runtime."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from moorage.acs.messages import AgentMessage
from moorage.acs.task_messages import Container, Task
from moorage.agent.checkpoint import Checkpoint
from moorage.agent.engine import instructions as to
from moorage.agent.engine.events import AgentStarted, PayloadReceived
from moorage.agent.engine.machine import Engine
from moorage.agent.loop import AgentLoop
from moorage.agent.performer import Performer, Tools
from moorage.agent.post_mortems import PostMortems
from moorage.agent.process_table import Witness
from moorage.agent.pulling import Puller
from moorage.agent.records.host import Host
from moorage.agent.records.report import TaskReport
from moorage.agent.reports import Reporter
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, Scripts, plays
from moorage.agent.runtime.port import ImageFacts
from moorage.agent.shell import forever
from moorage.agent.slots import Slots
from moorage.agent.watching import EngineWatch, Timing
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.shapes.moorage.post_mortem import SubmitPostMortemRequest

INSTANCE = "arn:aws:ecs:us-east-1:000000000001:container-instance/default/" + "c" * 32
CLUSTER = "arn:aws:ecs:us-east-1:000000000001:cluster/default"
DIGEST = "sha256:" + "d" * 64
IMAGE = f"moor:4750/web@{DIGEST}"
WAIT_SECONDS = 15


def task(number: int = 1, desired: str = "RUNNING", **container: Any) -> Task:
    arn = f"arn:aws:ecs:us-east-1:000000000001:task/default/{number:012x}{0:020x}"
    members = {"name": "web", "image": IMAGE, "essential": True, "stop_timeout": 1, **container}
    return Task(
        arn=arn,
        desired_status=desired,
        family="web",
        version="1",
        task_cluster_arn=CLUSTER,
        containers=(Container(**members),),
    )


def payload(order: Task) -> PayloadReceived:
    """An order as the server sends it."""
    return PayloadReceived(
        message_id=f"m-{order.arn}-{order.desired_status}",
        cluster_arn=CLUSTER,
        container_instance_arn=INSTANCE,
        tasks=(order,),
    )


def stocked(scripts: Scripts | None = None) -> MemoryEngine:
    engine = MemoryEngine(scripts or plays())
    engine.add_image(ImageFacts(id="sha256:" + "1" * 64, digests=(IMAGE,)))
    return engine


class Rig:
    """One process of the agent; make another on the same folder and engine to restart it.

    `engine` is a virtual one, or the adapter of a real one. How the host is said to be stands in
    `statuses`.
    """

    def __init__(
        self,
        folder: Path,
        engine: MemoryEngine | DockerRuntime,
        timing: Timing | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.clock = SystemClock()
        self.runtime: Any = engine
        if isinstance(engine, MemoryEngine):
            self.runtime = MemoryRuntime(engine, self.clock)
        self.watch = EngineWatch(self.runtime, self._feed, self.clock, timing, witness)
        guarded = self.watch.runtime
        self.statuses: list[to.PublishInstanceStatus] = []
        self.reports: list[TaskReport] = []
        self.said: list[AgentMessage] = []
        self.vigil = self.watch.vigil
        self.puller = Puller(guarded, self.clock, None, ("000000000001", "us-east-1"))
        tools = Tools(
            runtime=guarded,
            images=guarded,
            puller=self.puller,
            slots=Slots(folder / "run", "MEMORY", 4, self.clock, SystemChance()),
            vigil=self.vigil,
            clock=self.clock,
        )
        self.performer = Performer(tools, "h1")
        self.reporter = Reporter(self._submit, SystemChance())
        checkpoint = Checkpoint(folder / "checkpoint", INSTANCE)
        loaded = checkpoint.load()
        host = Host(
            name="h1",
            cluster="default",
            container_instance_arn=INSTANCE,
            cpu=4096,
            memory_mebibytes=8192,
        )
        beside = dict.fromkeys(self.performer.handlers, self.performer.perform)
        beside[to.SubmitTaskStateChange] = self.reporter.report
        self.post_mortems_told: list[SubmitPostMortemRequest] = []
        self.post_mortems = PostMortems(
            folder / "post-mortems", guarded, "default", self._submit_post_mortem
        )
        beside[to.GatherPostMortem] = self.post_mortems.gather
        at_once = dict.fromkeys(
            (
                to.PublishHealth,
                to.StreamLogs,
                to.AllowLogs,
                to.CancelLogs,
            ),
            lambda _: None,
        )
        at_once[to.PublishInstanceStatus] = self.statuses.append
        at_once[to.SendMessage] = lambda wanted: self.said.append(wanted.message)
        self.loop = AgentLoop(
            Engine(host, loaded.tasks, loaded.memory), checkpoint, self.clock, at_once, beside
        )
        self.observer, self.patrol = self.watch.over("h1", self.loop.engine.tasks)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        since = self.clock.now()
        self.loop.feed(AgentStarted())
        tasks = [
            asyncio.ensure_future(work)
            for work in (
                forever(self.loop.step),
                forever(self.vigil.step),
                forever(self.patrol.step),
                self.observer.run(since),
                forever(self.post_mortems.step),
            )
        ]
        try:
            yield self
        finally:
            for each in tasks:
                each.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self.loop.aclose()
            await self.runtime.aclose()
            for end in ended:
                if isinstance(end, Exception):
                    raise end

    def give(self, *tasks: Task) -> None:
        """One payload a task, as the server sends them."""
        for each in tasks:
            self.loop.feed(payload(each))

    def told(self, number: int = 1) -> list[str]:
        """The statuses that were reported of a task."""
        return [report.status for report in self.reports if report.task == task(number).arn]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():  # noqa: ASYNC110 - what is waited for may be anywhere
                await asyncio.sleep(0.005)

    async def _submit(self, report: TaskReport) -> None:
        self.reports.append(report)

    async def _submit_post_mortem(self, request: SubmitPostMortemRequest) -> None:
        self.post_mortems_told.append(request)

    def _feed(self, event: Any) -> None:
        self.loop.feed(event)
