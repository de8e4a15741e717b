"""What stands between the agent and its engine: lanes, deadlines, and a way out of calls that hang.

Each kind of call has a lane: so many at once, so long each. A lane that is full of calls that hang
keeps no other kind from its turn. Once the engine is judged lost, all calls that are out are given
up at once and new ones are refused without being made, until it answers again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from moorage.agent.runtime.deadlines import (
    CALL_SECONDS,
    CREATE_SECONDS,
    INSPECT_SECONDS,
    LOOK_SECONDS,
    PULL_SECONDS_MAX,
    REMOVE_SECONDS,
    ROSTER_SECONDS,
    START_SECONDS,
    STOP_SLACK_SECONDS,
    USAGE_SECONDS,
)
from moorage.agent.runtime.port import EngineUnavailable
from moorage.ground.record import Record

_T = TypeVar("_T")


class Lane(Record):
    """A kind of call: at most so many at once, each at most so long."""

    at_once: int
    seconds: float


# Their sum stays below the connections that one client opens.
LANES: Mapping[str, Lane] = {
    "describe": Lane(at_once=2, seconds=CALL_SECONDS),
    "roster": Lane(at_once=2, seconds=ROSTER_SECONDS),
    "look": Lane(at_once=2, seconds=LOOK_SECONDS),
    "inspect": Lane(at_once=32, seconds=INSPECT_SECONDS),
    "create": Lane(at_once=8, seconds=CREATE_SECONDS),
    "start": Lane(at_once=32, seconds=START_SECONDS),
    "stop": Lane(at_once=96, seconds=STOP_SLACK_SECONDS),  # beside the container's own timeout
    "remove": Lane(at_once=8, seconds=REMOVE_SECONDS),
    "usage": Lane(at_once=4, seconds=USAGE_SECONDS),
    "image": Lane(at_once=8, seconds=CALL_SECONDS),
    "pull": Lane(at_once=8, seconds=PULL_SECONDS_MAX),
}


class Breaker:
    """The state of the way to one engine: open while `reason` says why nothing is asked of it."""

    def __init__(self, lanes: Mapping[str, Lane] = LANES) -> None:
        """Begin closed: calls are made."""
        self.reason: str | None = None
        self.abandoned = 0
        self._lanes = lanes
        self._turns = {name: asyncio.Semaphore(lane.at_once) for name, lane in lanes.items()}
        self._out: set[asyncio.Task[Any]] = set()

    @property
    def out(self) -> int:
        """How many calls are out or wait for their turn."""
        return len(self._out)

    def open(self, reason: str) -> None:
        """Give up what is out, and make no more calls until `close`."""
        if self.reason is not None:
            return
        self.reason = reason
        self.abandoned += len(self._out)
        for call in self._out:
            call.cancel()

    def close(self) -> None:
        """Calls are made again."""
        self.reason = None

    def enrol(self, task: asyncio.Task[Any]) -> None:
        """Have `task`, which reads a stream, cancelled too when the engine is judged lost."""
        self._out.add(task)
        task.add_done_callback(self._done)

    async def call(
        self, lane: str, work: Callable[[], Awaitable[_T]], more_seconds: float = 0.0
    ) -> _T:
        """What `work` answers, in its turn and within its deadline.

        Raises EngineUnavailable where it took too long, was given up, or was not made at all.
        """
        if self.reason is not None:
            raise EngineUnavailable(f"not asked, since {self.reason}")
        task = asyncio.ensure_future(self._in_turn(lane, work, more_seconds))
        self.enrol(task)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled():
            raise EngineUnavailable(f"given up, since {self.reason}")
        return task.result()

    async def _in_turn(
        self, lane: str, work: Callable[[], Awaitable[_T]], more_seconds: float
    ) -> _T:
        bound_seconds = self._lanes[lane].seconds + more_seconds
        async with self._turns[lane]:
            try:
                async with asyncio.timeout(bound_seconds):
                    return await work()
            except TimeoutError as error:
                self.abandoned += 1
                raise EngineUnavailable(
                    f"the engine did not answer ({lane}) within {bound_seconds:g} s",
                    timed_out=True,
                ) from error

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._out.discard(task)
        if not task.cancelled():
            task.exception()  # read, in case that nobody waits for it any more
