"""The round that trusts nobody: what the engine lists, against what is known and what is there.

Every PATROL_PERIOD_SECONDS, at the price of one list call and a glance at /proc:

- an end that no event told of is found (a stream of events may fall silent without ending);
- a container that the engine lists as running and whose process is gone is found out as a ghost;
- an engine that answers pings, but does not list its containers, is judged lost.

A full look, with an inspection of each container, comes every minute (`engine/looks.py`).
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from moorage.agent.engine.events import ContainerExited
from moorage.agent.engine.ghosts import Ghosts, Run, Sight
from moorage.agent.engine.labels import LABEL_CONTAINER, LABEL_HOST, LABEL_TASK_ARN
from moorage.agent.engine.transitions import LIVE
from moorage.agent.observed import exit_of
from moorage.agent.observer import Observer
from moorage.agent.process_table import Witness
from moorage.agent.records.container import ContainerRecord, Exit
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.port import Container, ContainerRuntime, EngineUnavailable
from moorage.agent.runtime.pulse import Pulse, Row
from moorage.agent.vigil import Vigil
from moorage.ground.clock import Clock
from moorage.ground.record import Record

PATROL_PERIOD_SECONDS = 10.0
LISTS_FAILED_MAX = 2
INSPECTIONS_MAX = 32  # in one round; the rest comes in the next
MUTE = "the container engine answers pings, and does not list its containers"
_ENDED = frozenset(("exited", "dead"))
log = logging.getLogger("moorage.agent")


class Watched(ContainerRuntime, Pulse, Protocol):
    """The engine, as the round asks it."""


class Beat(Record):
    """Whom the round asks and whom it tells."""

    runtime: Watched
    vigil: Vigil
    observer: Observer
    witness: Witness
    tasks: Callable[[], tuple[TaskRecord, ...]]
    feed: Callable[[ContainerExited], None]
    clock: Clock


class Patrol:
    """Goes the round over the containers of one host."""

    def __init__(
        self, beat: Beat, host: str, period_seconds: float = PATROL_PERIOD_SECONDS
    ) -> None:
        """Look after the containers that carry the label of `host`."""
        self._beat = beat
        self._host = host
        self._period_seconds = period_seconds
        self._ghosts = Ghosts()
        self._runs: dict[str, Container] = {}
        self._untold: set[str] = set()
        self._lists_failed = 0
        self._blind_said = False

    async def step(self) -> None:
        """Go one round, and wait for the next."""
        if not self._beat.vigil.lost:
            await self.go()
        await asyncio.sleep(self._period_seconds)

    async def go(self) -> None:
        """One round."""
        try:
            rows = await self._beat.runtime.roster({LABEL_HOST: self._host})
        except EngineUnavailable as failure:
            await self._doubt(failure)
            return
        self._lists_failed = 0
        await self._find_ends({row.id: row for row in rows})
        await self._find_ghosts([row for row in rows if row.status == "running"])

    async def _doubt(self, failure: EngineUnavailable) -> None:
        vigil = self._beat.vigil
        if failure.exhausted or vigil.lost:
            return
        self._lists_failed += 1
        if not await vigil.answers():
            vigil.doubt(failure.reason)
        elif self._lists_failed >= LISTS_FAILED_MAX:
            self._lists_failed = 0
            vigil.doubt(MUTE)

    async def _find_ends(self, rows: dict[str, Row]) -> None:
        silent = [each for each in self._untold if not self._beat.observer.heard(each)]
        self._untold.clear()
        if silent:
            self._beat.observer.renew()
        vanished = False
        for task, record in self._live():
            container = record.runtime_id or ""
            row = rows.get(container)
            vanished = vanished or row is None
            if row is None or row.status not in _ENDED:
                continue
            found = await self._inspect(container)
            end = None if found is None else exit_of(found)
            if end is not None and end.started_at not in record.past_starts:
                self._untold.add(container)
                self._tell(task.arn, record.name, container, end)
        if vanished:
            self._beat.vigil.mistrust_events()

    def _live(self) -> Iterator[tuple[TaskRecord, ContainerRecord]]:
        for task in self._beat.tasks():
            for record in task.containers:
                if record.status in LIVE and record.runtime_id is not None:
                    yield task, record

    async def _find_ghosts(self, rows: list[Row]) -> None:
        names = {row.id: row for row in rows}
        self._runs = {each: run for each, run in self._runs.items() if each in names}
        self._beat.witness.forget(frozenset(names))
        inspections = INSPECTIONS_MAX
        sights: dict[Run, Sight] = {}
        for row in rows:
            run, sight = self._runs.get(row.id), Sight.UNCLEAR
            if run is not None:
                sight = self._beat.witness.see(run.pid, row.id)
            if inspections > 0 and (run is None or sight is Sight.GONE):
                inspections -= 1
                run, sight = await self._see_again(row.id)
            if run is not None:
                sights[row.id, run.started_at] = sight
        for container, started_at in self._ghosts.look(sights):
            row = names[container]
            log.error(
                "container %s is a ghost: the engine says that it runs, its process is gone",
                row.name,
            )
            end = Exit(
                exit_code=None,
                finished_at=self._beat.clock.now(),
                started_at=started_at,
                cause="ghost",
            )
            task_arn, name = row.labels.get(LABEL_TASK_ARN, ""), row.labels.get(LABEL_CONTAINER, "")
            self._tell(task_arn, name, container, end)
        self._say_blind(sights)

    async def _see_again(self, container: str) -> tuple[Container | None, Sight]:
        """The run as the engine tells it now, and what there is of it."""
        found = await self._inspect(container)
        if found is None or found.status != "running":
            self._runs.pop(container, None)
            return None, Sight.UNCLEAR
        self._runs[container] = found
        return found, self._beat.witness.see(found.pid, container)

    async def _inspect(self, container: str) -> Container | None:
        try:
            return await self._beat.runtime.inspect(container)
        except EngineUnavailable:
            return None

    def _tell(self, task_arn: str, name: str, container: str, end: Exit) -> None:
        self._beat.feed(
            ContainerExited(task_arn=task_arn, container=name, runtime_id=container, exit=end)
        )

    def _say_blind(self, sights: dict[Run, Sight]) -> None:
        if self._ghosts.sees or self._blind_said or Sight.GONE not in sights.values():
            return
        self._blind_said = True
        log.warning(
            "the engine's processes cannot be seen from here (another machine, or another PID "
            "namespace): its word alone is taken for what runs"
        )
