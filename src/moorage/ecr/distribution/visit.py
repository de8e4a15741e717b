"""What every handler of the data plane is handed: the registry's parts, and one visit to them."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from moorage.blob.store import BlobStore
from moorage.ecr.distribution.errors import API_VERSION, Refused
from moorage.ecr.distribution.exchange import Caller, Desk, Exchange
from moorage.ecr.distribution.locks import Locks
from moorage.ground.clock import Clock
from moorage.ground.digest import Digest, parse_digest
from moorage.kernel.call import Call
from moorage.kernel.site import Site

# Each thread writes or hashes for one upload; more only wait for the same disk and cores.
THREADS_MAX = 16

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Registry:
    """The parts that all handlers share."""

    def __init__(self, desk: Desk, blobs: BlobStore, clock: Clock, site: Site) -> None:
        """Take the ports."""
        self.desk = desk
        self.blobs = blobs
        self.clock = clock
        self.site = site
        self.digests = Locks()
        self.uploads = Locks()
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="registry")

    async def run(self, function: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Run a call of the blob store in a thread; it has ended when this has, even if cancelled.

        So whoever holds a lock or a stage never lets go of it while a thread still uses it.
        """
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: function(*arguments, **named)
        )
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError:
            await asyncio.wait({future})
            future.exception()
            raise
        return future.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a known caller for something in one repository.

    `prefix` is the repository's path as the request wrote it: Locations repeat the form.
    """

    registry: Registry
    exchange: Exchange
    caller: Caller
    prefix: str
    name: str
    parts: Mapping[str, str]

    async def answer(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Send the whole answer."""
        await self.exchange.answer(status, {**API_VERSION, **(headers or {})}, body)

    async def read(self, work: Callable[[Call], _T]) -> _T:
        """Have a question decided that writes nothing."""
        return await self.registry.desk.read(self.caller, work)

    async def write(self, work: Callable[[Call], _T]) -> _T:
        """Have something decided and kept."""
        return await self.registry.desk.write(self.caller, work)

    def location(self, *path: str) -> str:
        """The path of something in this repository."""
        return "/".join((self.prefix, *path))

    def digest(self, text: str | None) -> Digest:
        """The digest that a part of the request is; raises Refused."""
        digest = parse_digest(text or "")
        if digest is None:
            raise Refused("DIGEST_INVALID", "the digest is not sound: sha256 or sha512, ':', hex")
        return digest
