"""One simulated process: an event loop on virtual time, which can be held up and killed.

Every process has a loop of its own, and all loops share the world's one queue: the real shells run
on them as they are, one callback at a time, in an order that the seed alone decides. A process that
is stopped (SIGSTOP) takes up nothing until it goes on; one that is killed never runs again, but for
the unwinding of its tasks, which nobody outside can see.
"""

import asyncio
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import ref

import msgspec

from moorage.ground.instant import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    from moorage.sim.world import World

_T = TypeVar("_T")
UNWINDING_ROUNDS_MAX = 200
# Tasks that were begun, before those among them that are done are forgotten.
BEGUN_MIN = 256


class Handle(msgspec.Struct, eq=False):
    """A callback that waits for its turn or its time: what asyncio knows as a TimerHandle.

    There are a hundred thousand in a world; a struct is made faster than anything else.
    """

    home: "Process"
    act: Callable[..., object]
    with_what: Any
    scene: Context | None
    gone: bool = False
    at: int = 0

    def cancel(self) -> None:
        """Never run."""
        self.gone = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.gone

    def when(self) -> float:
        """The loop's time at which it is due."""
        return self.at / MICROSECONDS_PER_SECOND

    def __repr__(self) -> str:
        """What it will do."""
        return f"<Handle {self.act}>"


class NumberedTask(asyncio.Task[_T]):
    """A task whose place in a set depends on its number, not on where it lies in memory."""

    def __init__(self, work: Any, home: "Process", name: str | None, scene: Context | None) -> None:
        """Begin; asyncio puts it into a set before this returns."""
        home.world.tasks += 1
        self.number = home.world.tasks
        super().__init__(work, loop=home.loop, name=name or "", context=scene)

    def __hash__(self) -> int:
        """Its number."""
        return self.number

    def __eq__(self, other: object) -> bool:
        """The same task."""
        return self is other


class Process:
    """A process of the simulated world."""

    def __init__(self, world: "World", name: str) -> None:
        """Run nothing yet."""
        self.world = world
        self.name = name
        self.dead = False
        self.stopped = False
        self._held: deque[Handle] = deque()
        self._unwinding: deque[Handle] | None = None
        self._begun: list[ref[NumberedTask[Any]]] = []
        self._begun_max = BEGUN_MIN
        # asyncio asks of its loop no more than what is here.
        self.loop = cast("asyncio.AbstractEventLoop", self)

    # --- what the world does to it ---------------------------------------------------------------

    def hold(self, handle: Handle) -> None:
        """Keep a callback for when the process goes on."""
        self._held.append(handle)

    def stop_running(self) -> None:
        """SIGSTOP."""
        self.stopped = True

    def go_on(self) -> None:
        """SIGCONT: what came meanwhile is taken up in the order in which it came."""
        self.stopped = False
        while self._held:
            self.world.ready.append(self._held.popleft())

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more; its tasks are unwound out of everybody's sight."""
        if self.dead:
            return
        self.dead, self.stopped = True, False
        self._held.clear()
        unwinding = self._unwinding = deque[Handle]()
        _set_running_loop(self.loop)
        try:
            for _ in range(UNWINDING_ROUNDS_MAX):
                for task in self._tasks():
                    task.cancel()
                while unwinding:
                    handle = unwinding.popleft()
                    if not handle.gone:
                        (handle.scene or copy_context()).run(handle.act, *handle.with_what)
                if not self._tasks():
                    break
        finally:
            self.world.nobody_runs()
        assert not self._tasks(), f"{self.name}: a task does not let itself be unwound"

    def _tasks(self) -> list[NumberedTask[Any]]:
        """Those that are not done, in the order in which they were begun."""
        begun = ((each, each()) for each in self._begun)
        alive = [(each, task) for each, task in begun if task is not None and not task.done()]
        self._begun = [each for each, _ in alive]
        return [task for _, task in alive]

    # --- asyncio's side --------------------------------------------------------------------------

    def time(self) -> float:
        """The world's time in seconds; never 0, which asyncio takes for the past."""
        return self.world.now / MICROSECONDS_PER_SECOND + 1.0

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """While it is not dead."""
        return not self.dead

    def is_closed(self) -> bool:
        """Never to asyncio: what a dead process hands in is dropped."""
        return False

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """In this process's next turn."""
        handle = Handle(self, callback, args, context)
        if self.dead:
            if self._unwinding is not None:
                self._unwinding.append(handle)
        else:
            self.world.ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """The same: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """After `delay` seconds of virtual time."""
        handle = Handle(self, callback, args, context)
        if not self.dead:
            self.world.later(round(max(delay, 0.0) * MICROSECONDS_PER_SECOND), handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Handle:
        """At a time of this loop."""
        return self.call_later(when - self.time(), callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self.loop)

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> "asyncio.Task[_T]":
        """A task of this loop, known to it until it is done; one that fails unheard is told at once."""
        task: NumberedTask[_T] = NumberedTask(coro, self, name, context)
        if len(self._begun) >= self._begun_max:
            self._begun_max = max(2 * len(self._tasks()), BEGUN_MIN)
        self._begun.append(ref(task))
        return task

    def run_in_executor(
        self, executor: Any, func: Callable[..., _T], *args: Any
    ) -> "asyncio.Future[_T]":
        """In this very thread, in a turn of its own."""
        del executor
        future: asyncio.Future[_T] = self.create_future()

        def run() -> None:
            if future.done():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for it
                future.set_exception(error)

        self.call_soon(run)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nobody waited for this failure: the world notes it."""
        if not self.dead:
            self.world.failed(self.name, str(context.get("message")), context.get("exception"))
