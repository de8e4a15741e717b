"""Throws away what has outlived its use: unfinished uploads, idle links, blobs, lost bytes.

What may go is decided by `operations/collect.py`, a bounded number at once; here the bytes go too.
Uploads lose their bytes first and their row second, blobs the reverse: at no moment does a row
name bytes that are gone, but an upload's, which then begins anew. What a crash leaves behind, bytes
that no row names, is found by a walk of the store once a day.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from moorage.blob.store import StageBusy, UploadId
from moorage.ecr.distribution.login import RegistryCaller
from moorage.ecr.distribution.visit import Registry
from moorage.ecr.operations import collect
from moorage.ground.chance import Chance
from moorage.ground.digest import Digest, parse_digest
from moorage.ground.instant import Duration, Moment, between, hours, minutes
from moorage.ground.principal import Principal

# A link that no manifest names: the push that made it has this long to name it.
LINK_GRACE = hours(24)
# A tombstone: whoever opened the blob before has read it by then.
TOMBSTONE_GRACE = hours(1)
# Bytes that no row names: whoever staged them has written the row by then.
LOST_AFTER = hours(24)
WALK_EVERY = hours(24)
WALK_FIRST = (minutes(5), minutes(65))
WALKED_AT_ONCE = 500
ROUNDS_MAX = 10

_T = TypeVar("_T")


class Sweeper:
    """The registry's collector; one runs in a server."""

    def __init__(self, registry: Registry, chance: Chance) -> None:
        """Walk the store for the first time some while after the start."""
        self._registry = registry
        self._burying = asyncio.Lock()
        self._holds = 0
        site = registry.site
        self._caller = RegistryCaller(
            principal=Principal(kind="operator", account=site.operator_account),
            account=site.operator_account,
            region=site.regions[0],
        )
        first = round(chance.uniform(*WALK_FIRST))
        self._walk_at = Moment(registry.clock.monotonic() + first)

    async def sweep(self, upload_expiry: Duration) -> None:
        """Do each step once, or a few times where there is much to do."""
        desk, caller = self._registry.desk, self._caller
        await self._drop_uploads(upload_expiry)
        for _ in range(ROUNDS_MAX):
            if not await desk.write(caller, lambda call: collect.take_idle_links(call, LINK_GRACE)):
                break
        for _ in range(ROUNDS_MAX):
            if not await desk.write(caller, collect.doom_unlinked):
                break
        for _ in range(ROUNDS_MAX):
            if self._holds or not await self._bury_doomed():
                break
        now = self._registry.clock.monotonic()
        if now >= self._walk_at:
            self._walk_at = Moment(now + WALK_EVERY)
            await self._walk_uploads(max(upload_expiry, LOST_AFTER))
            await self._walk_blobs()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Bury no blob meanwhile: whoever reads rows now finds the bytes that they name later."""
        async with self._burying:  # a burial under way is seen through first
            self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    async def _drop_uploads(self, expiry: Duration) -> None:
        registry = self._registry
        expired = await registry.desk.read(
            self._caller, lambda call: collect.expired_uploads(call, expiry)
        )
        for upload in expired:
            # One that is being written to just now is looked at again in a minute.
            with suppress(StageBusy):
                await registry.run(registry.blobs.discard, UploadId(upload.id))
                await registry.desk.write(self._caller, partial(collect.drop_upload, upload=upload))

    async def _bury_doomed(self) -> int:
        doomed = await self._registry.desk.read(
            self._caller, lambda call: collect.doomed_blobs(call, TOMBSTONE_GRACE)
        )
        for blob in doomed:
            await self._bury(blob.digest)
        return len(doomed)

    async def _bury(self, text: str) -> None:
        registry = self._registry
        digest = _parsed(text)
        async with self._burying, registry.digests.held(text):
            if self._holds:
                return
            if await registry.desk.write(self._caller, lambda call: collect.bury(call, text)):
                await registry.run(registry.blobs.delete, digest)

    async def _walk_blobs(self) -> None:
        registry = self._registry
        walk = registry.blobs.walk()
        while found := await registry.run(_some, walk):
            now = registry.clock.now()
            old = [str(f.digest) for f in found if between(f.modified, now) > LOST_AFTER]
            lost = await registry.desk.read(
                self._caller, partial(collect.unnamed_blobs, digests=old)
            )
            for digest in lost:
                await self._bury_lost(digest)

    async def _bury_lost(self, text: str) -> None:
        registry = self._registry
        digest = _parsed(text)
        async with self._burying, registry.digests.held(text):
            if self._holds:
                return
            unnamed = await registry.desk.read(
                self._caller, lambda call: collect.unnamed_blobs(call, [text])
            )
            facts = await registry.run(registry.blobs.stat, digest)
            if unnamed and facts and between(facts.modified, registry.clock.now()) > LOST_AFTER:
                await registry.run(registry.blobs.delete, digest)

    async def _walk_uploads(self, expiry: Duration) -> None:
        registry = self._registry
        walk = registry.blobs.uploads()
        while found := await registry.run(_some, walk):
            now = registry.clock.now()
            old = [f.upload_id for f in found if between(f.modified, now) > expiry]
            lost = await registry.desk.read(self._caller, partial(collect.unnamed_uploads, ids=old))
            for upload_id in lost:
                with suppress(StageBusy):
                    await registry.run(registry.blobs.discard, UploadId(upload_id))


def _some(walk: Iterator[_T]) -> list[_T]:
    return list(islice(walk, WALKED_AT_ONCE))


def _parsed(text: str) -> Digest:
    digest = parse_digest(text)
    assert digest is not None, "a row names a digest that was never parsed"
    return digest
