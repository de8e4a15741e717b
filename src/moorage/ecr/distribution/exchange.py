"""What the data plane needs of the room that listens: one HTTP exchange, and a way to decide.

Two ports. The gateway implements both over its connections and its database; tests have peers of
them in memory.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from moorage.blob.store import OpenBlob
from moorage.ground.principal import Principal
from moorage.kernel.call import Call

_T = TypeVar("_T")


class ClientCut(Exception):  # noqa: N818 - the past tense of a client
    """The client went away before its body, or our answer, was complete."""


class Exchange(Protocol):
    """One request, whose body is read piece by piece, and its one answer."""

    @property
    def method(self) -> str:
        """The HTTP method, in upper case."""
        ...

    @property
    def path(self) -> str:
        """The path with its percent-encoding undone; always begins with /v2."""
        ...

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; of one given twice, the last."""
        ...

    def header(self, name: str) -> str | None:
        """The value of a header by its lower-case name, or None."""
        ...

    async def read(self) -> bytes:
        """The next piece of the body, b"" at its end; raises ClientCut."""
        ...

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send the whole answer; `content-length` is set from `body` unless given (HEAD)."""
        ...

    async def send_blob(
        self, status: int, headers: Mapping[str, str], blob: OpenBlob, span: range
    ) -> None:
        """Send the bytes `span` of a blob as the answer's body, by the kernel if it can.

        Raises ClientCut where the client goes away, and where the blob cannot be read to its end:
        the answer has begun then, and can only be broken off.
        """
        ...

    @property
    def started(self) -> bool:
        """Whether an answer has begun."""
        ...


class Desk(Protocol):
    """Where the data plane has its questions decided: transactions, and who is asking."""

    async def read(self, caller: "Caller", work: Callable[[Call], _T]) -> _T:
        """Run a work that writes nothing; raises the faults that it raises."""
        ...

    async def write(self, caller: "Caller", work: Callable[[Call], _T]) -> _T:
        """Run a work that writes; its answer is durable when it is given."""
        ...


class Caller(Protocol):
    """Whose registry is meant: an account and a region, on behalf of a principal."""

    @property
    def principal(self) -> Principal:
        """Who asks."""
        ...

    @property
    def account(self) -> str:
        """The account whose repositories are meant."""
        ...

    @property
    def region(self) -> str:
        """The region whose repositories are meant."""
        ...
