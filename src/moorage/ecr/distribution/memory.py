"""The data plane's ports in memory: an exchange that is given its whole request, and a plain desk.

Peers of what the gateway implements, for tests and the simulator.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from moorage.blob.store import OpenBlob, StoreFailed
from moorage.ecr.distribution.exchange import Caller, ClientCut
from moorage.kernel.call import Call
from moorage.kernel.site import Site, Vault
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

_T = TypeVar("_T")


@dataclass(slots=True)
class MemoryExchange:
    """One request, and the answer as it was given; implements exchange.Exchange.

    `pieces` are the body; a request that is `cut` ends without its last piece having come.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    cut: bool = False
    status: int = 0
    answered: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    _read: int = 0

    @property
    def started(self) -> bool:
        """Whether an answer has begun."""
        return self.status != 0

    def header(self, name: str) -> str | None:
        """The value of a header by its lower-case name, or None."""
        return self.headers.get(name)

    async def read(self) -> bytes:
        """The next piece of the body, b"" at its end; raises ClientCut."""
        await asyncio.sleep(0)
        if self._read < len(self.pieces):
            self._read += 1
            return self.pieces[self._read - 1]
        if self.cut:
            raise ClientCut
        return b""

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Take the whole answer."""
        assert not self.started, "a request is answered once"
        self.status, self.body = status, body
        self.answered = {"content-length": str(len(body)), **headers}

    async def send_blob(
        self, status: int, headers: Mapping[str, str], blob: OpenBlob, span: range
    ) -> None:
        """Take the bytes `span` of a blob as the answer's body."""
        await self.answer(status, {**headers, "content-length": str(len(span))})
        try:
            self.body = blob.read_at(span.start, len(span))
        except StoreFailed as error:
            raise ClientCut from error


class MemoryDesk:
    """Runs the data plane's questions on a database; implements exchange.Desk."""

    def __init__(self, database: Database, site: Site, vault: Vault) -> None:
        """Stand on a database."""
        self._database = database
        self._site = site
        self._vault = vault

    async def read(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Run a work that writes nothing."""
        return await asyncio.wrap_future(
            self._database.read(lambda tx: work(self._call(tx, caller)))
        )

    async def write(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Run a work that writes; its answer is durable when it is given."""
        return await asyncio.wrap_future(
            self._database.write(lambda tx: work(self._call(tx, caller)))
        )

    def _call(self, tx: Transaction, caller: Caller) -> Call:
        return Call(
            tx=tx,
            principal=caller.principal,
            account=caller.account,
            region=caller.region,
            site=self._site,
            vault=self._vault,
        )
