"""The loop around the pure engine: events in, in order; instructions out, begun in order.

One task owns the engine. What may take time runs beside it and comes back as an event; what is
said to the server leaves only after the checkpoint it stands on is on the disk. Events that wait
are taken in together and saved in one go: ten orders that come at once cost one wait for the disk.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from moorage.acs.telemetry import RECORDS_UNWRITABLE
from moorage.agent.checkpoint import Checkpoint
from moorage.agent.engine.events import Event, Tick
from moorage.agent.engine.instructions import (
    Instruction,
    PublishInstanceStatus,
    SaveCheckpoint,
    SetTimer,
)
from moorage.agent.engine.machine import Engine
from moorage.ground.clock import Clock
from moorage.ground.instant import Instant, between, in_seconds

EVENTS_MAX = 100_000
EVENTS_AT_ONCE = 64
TICK_SECONDS_MAX = 10.0
SAVE_RETRY_SECONDS_FIRST = 0.5
SAVE_RETRY_SECONDS_MAX = 15.0
log = logging.getLogger("moorage.agent")

# Performed by the owner of the engine itself: must not wait.
AtOnce = Mapping[type[object], Callable[[Any], None]]
# Performed beside; the answer is fed back.
Beside = Mapping[type[object], Callable[[Any], Awaitable[Event | None]]]


class AgentLoop:
    """Owns the engine."""

    def __init__(
        self, engine: Engine, checkpoint: Checkpoint, clock: Clock, at_once: AtOnce, beside: Beside
    ) -> None:
        """Perform the instructions of the two tables; checkpoints and the timer are its own."""
        self.engine = engine
        self._checkpoint = checkpoint
        self._clock = clock
        self._at_once = at_once
        self._beside = beside
        self._events: asyncio.Queue[Event] = asyncio.Queue(EVENTS_MAX)
        self._performing: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, event: Event) -> None:
        """Let the engine take this in, after what was fed before."""
        self._events.put_nowait(event)

    async def step(self) -> None:
        """Take in what has come, and begin what follows from it; after a while without, a Tick.

        What an answer has done on the host is begun at once. What it has said waits, in order,
        until the records of all events are saved: so nothing is said that is not kept.
        """
        if self._timer is None:
            self._set_timer(None)
        event = await self._events.get()
        saving: SaveCheckpoint | None = None
        words: list[Instruction] = []
        for each in self._with_others(event):
            answer = self.engine.handle(each, self._clock.now())
            at = next((n for n, one in enumerate(answer) if isinstance(one, SaveCheckpoint)), -1)
            for act in answer[: max(at, 0)]:
                await self.begin(act)
            if at >= 0:
                saving = _together(saving, answer[at])
            words += answer[at + 1 :]
        for instruction in (*(() if saving is None else (saving,)), *words):
            await self.begin(instruction)

    async def begin(self, instruction: Instruction) -> None:
        """Begin an instruction; returns when what must be done before the next one is done."""
        if isinstance(instruction, SaveCheckpoint):
            await self._save(instruction)
        elif isinstance(instruction, SetTimer):
            self._set_timer(instruction.at)
        elif type(instruction) in self._at_once:
            self._at_once[type(instruction)](instruction)
        else:
            task = asyncio.ensure_future(self._perform(instruction))
            task.set_name(type(instruction).__name__)
            self._performing.add(task)
            task.add_done_callback(self._performing.discard)

    async def idle(self) -> bool:
        """Whether nothing is under way and nothing waits, after all that can run has run."""
        await asyncio.sleep(0)
        return not self._performing and self._events.empty()

    async def aclose(self) -> None:
        """Leave off what is under way; containers stay as they are. Everything is saved."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._performing):
            task.cancel()
        await asyncio.gather(*self._performing, return_exceptions=True)
        try:
            self._checkpoint.save(self.engine.tasks(), (), self.engine.memory(), durable=True)
        except OSError as error:
            log.error("cannot save in %s: %s", self._checkpoint.folder, error)  # noqa: TRY400

    def _with_others(self, event: Event) -> Iterator[Event]:
        """The event, and those that wait behind it."""
        yield event
        for _ in range(min(self._events.qsize(), EVENTS_AT_ONCE - 1)):
            yield self._events.get_nowait()

    async def _perform(self, instruction: Instruction) -> None:
        try:
            event = await self._beside[type(instruction)](instruction)
        except Exception:
            log.exception("%s failed", type(instruction).__name__)
            return
        if event is not None:
            self.feed(event)

    async def _save(self, wanted: SaveCheckpoint) -> None:
        """Save, ever later again while the disk refuses: nothing is promised that is not kept.

        Meanwhile what runs runs on, heartbeats are answered, and the server is told that this host
        takes nothing new on (RecordsUnwritable); what happens waits its turn.
        """
        wait_seconds, failure = SAVE_RETRY_SECONDS_FIRST, await self._try_to_save(wanted)
        if failure is None:
            return
        told = ""
        while failure is not None:
            if str(failure) != told:
                told = str(failure)
                log.error("cannot save in %s: %s; trying on", self._checkpoint.folder, told)
                self._say_unwritable(told)
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, SAVE_RETRY_SECONDS_MAX)
            failure = await self._try_to_save(wanted)
        log.info("records are saved again in %s", self._checkpoint.folder)
        self._publish(self.engine.status(self._clock.now()))

    async def _try_to_save(self, wanted: SaveCheckpoint) -> OSError | None:
        try:
            if wanted.durable:
                await asyncio.to_thread(self._write, wanted)
            else:
                self._write(wanted)
        except OSError as error:
            return error
        return None

    def _say_unwritable(self, why: str) -> None:
        reason = f"{RECORDS_UNWRITABLE}: {why}"
        now = self._clock.now()
        self._publish(PublishInstanceStatus(impaired=True, since=now, reason=reason))

    def _publish(self, status: PublishInstanceStatus) -> None:
        self._at_once[PublishInstanceStatus](status)

    def _write(self, wanted: SaveCheckpoint) -> None:
        self._checkpoint.save(wanted.tasks, wanted.forgotten, wanted.memory, durable=wanted.durable)

    def _set_timer(self, at: Instant | None) -> None:
        """Let a Tick come at `at`, and in any case within TICK_SECONDS_MAX: clocks may be set."""
        if self._timer is not None:
            self._timer.cancel()
        wait_seconds = TICK_SECONDS_MAX
        if at is not None:
            wait_seconds = min(wait_seconds, max(in_seconds(between(self._clock.now(), at)), 0.0))
        self._timer = asyncio.get_running_loop().call_later(wait_seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None  # the engine forgets its own at a Tick, and asks for the next one
        self.feed(Tick())


def _together(first: SaveCheckpoint | None, then: Instruction) -> SaveCheckpoint:
    """What is saved once both are: of each task the later record."""
    assert isinstance(then, SaveCheckpoint)
    if first is None:
        return then
    later = {task.arn for task in then.tasks}
    gone = {*then.forgotten}
    return SaveCheckpoint(
        tasks=(*(one for one in first.tasks if one.arn not in later | gone), *then.tasks),
        forgotten=(*(arn for arn in first.forgotten if arn not in later | gone), *then.forgotten),
        memory=first.memory if then.memory is None else then.memory,
        durable=first.durable or then.durable,
    )
