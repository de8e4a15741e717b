"""A unit of work with the future that its caller waits on, and the bounded queue of them."""

from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from moorage.sql.transaction import StoreFailed, Transaction, Work

WAITING_MAX = 20_000

_T = TypeVar("_T")


class Job:
    """A work, whether it writes, and the future of its answer."""

    __slots__ = ("error", "future", "result", "work", "writes")

    def __init__(
        self, work: Work[Any], *, writes: bool, future: "Future[Any] | None" = None
    ) -> None:
        """Keep a work that waits for its turn; `future` is the caller's, where he has his own."""
        self.work = work
        self.writes = writes
        self.future: Future[Any] = Future() if future is None else future
        self.result: Any = None
        self.error: BaseException | None = None

    def begin(self) -> bool:
        """Whether the caller still waits; from here on the call cannot be cancelled."""
        return self.future.set_running_or_notify_cancel()

    def run(self, tx: Transaction) -> bool:
        """Run the work and keep how it ended; whether it ended well."""
        self.error = None
        try:
            self.result = self.work(tx)
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, who gets it
            self.error = error
            return False
        return True

    def answer(self) -> None:
        """Give the caller the result or the error."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def fail(self, error: BaseException) -> None:
        """Give the caller an error in place of whatever the work came to."""
        self.error = error
        self.answer()


class Queue:
    """Jobs in the order in which they came, at most WAITING_MAX; None ends it."""

    def __init__(self) -> None:
        """Begin empty and open."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = Lock()
        self._closed: StoreFailed | None = None

    def future(self) -> "Future[Any]":
        """What a caller waits on; `inline.py` has one for callers of one thread."""
        return Future()

    def submit(self, work: Work[_T], *, writes: bool) -> "Future[_T]":
        """Queue a work; its future fails at once where the queue is full or closed."""
        job = Job(work, writes=writes, future=self.future())
        with self._lock:
            refusal = self._refusal()
            if refusal is None:
                self._jobs.put(job)
                return job.future
        job.begin()
        job.fail(refusal)
        return job.future

    def take(self) -> Job | None:
        """The next job, waited for; None once the queue has ended."""
        job = self._jobs.get()
        if job is None:
            self._jobs.put(None)  # for the next thread that asks
        return job

    def take_waiting(self) -> Job | None:
        """The next job, or None where none waits now."""
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is None:
            self._jobs.put(None)
        return job

    @property
    def is_closed(self) -> bool:
        """Whether no more is taken."""
        return self._closed is not None

    def close(self) -> None:
        """Take no more; what is queued is still run."""
        with self._lock:
            if self._closed is None:
                self._closed = StoreFailed("The server is stopping.")
                self._jobs.put(None)

    def drain(self, error: StoreFailed) -> None:
        """Close with `error`, and fail with it all that is queued."""
        with self._lock:
            self._closed = error
            self._jobs.put(None)
        for job in iter(self.take_waiting, None):
            if job.begin():
                job.fail(StoreFailed(error.message))

    def _refusal(self) -> StoreFailed | None:
        if self._closed is not None:
            return StoreFailed(self._closed.message)  # one raised twice would grow its traceback
        if self._jobs.qsize() >= WAITING_MAX:
            return StoreFailed("Too many requests wait for the database. Try again.")
        return None


def fail_alike(done: "Future[Any]", other: "Future[Any]") -> None:
    """Let `other` end as `done` ended, where that was badly."""
    error = done.exception()
    if error is not None and not other.done():
        other.set_exception(error)
