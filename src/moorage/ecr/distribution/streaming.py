"""The body of an upload's request into its stage: the next piece is read while one is written."""

import asyncio
from dataclasses import dataclass

from moorage.blob.store import Stage, UploadId
from moorage.ecr.distribution.errors import Oversized, Refused
from moorage.ecr.distribution.visit import Registry, Visit
from moorage.ecr.rules.ranges import held_range

# ECR: "Layer size: 52,000 MiB".
BLOB_BYTES_MAX = 52_000 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What a request says of its body: the bytes of the upload it is, and what was read already."""

    algorithm: str = "sha256"
    first: bytes = b""
    span: range | None = None


async def receive(visit: Visit, upload_id: UploadId, chunk: Chunk) -> int:
    """Append the request's body to an upload; answers how many bytes the upload has now.

    A cut connection raises ClientCut when all that has arrived is appended. Raises Refused for a
    chunk out of its order or longer than it says, and Oversized; the store's refusals besides.
    """
    registry = visit.registry
    stage = await registry.run(registry.blobs.stage, upload_id, chunk.algorithm)
    try:
        if chunk.span is not None and chunk.span.start != stage.offset:
            raise Refused(
                "RANGE_INVALID",
                f"the upload goes on at byte {stage.offset}",
                headers={
                    "location": visit.location("blobs", "uploads", upload_id),
                    "range": held_range(stage.offset),
                },
            )
        end = BLOB_BYTES_MAX if chunk.span is None else min(BLOB_BYTES_MAX, chunk.span.stop)
        await _pour(visit, stage, chunk.first, end)
        if chunk.span is not None and stage.offset != chunk.span.stop:
            raise Refused("SIZE_INVALID", "the body is shorter than its Content-Range")
        return stage.offset
    finally:
        await registry.run(stage.close)


async def _pour(visit: Visit, stage: Stage, first: bytes, end: int) -> None:
    pipe = _Pipe(visit.registry, stage)
    offset = stage.offset
    try:
        piece = first or await visit.exchange.read()
        while piece:
            offset += len(piece)
            if offset > BLOB_BYTES_MAX:
                raise Oversized("SIZE_INVALID", f"a blob has at most {BLOB_BYTES_MAX} bytes")
            if offset > end:
                raise Refused("SIZE_INVALID", "the body is longer than its Content-Range")
            await pipe.push(piece)
            piece = await visit.exchange.read()
    finally:
        await pipe.settle()


class _Pipe:
    """At most one piece on its way into the stage."""

    def __init__(self, registry: Registry, stage: Stage) -> None:
        self._registry = registry
        self._stage = stage
        self._going: asyncio.Task[None] | None = None

    async def push(self, piece: bytes) -> None:
        """Begin to append a piece as soon as the one before it is in."""
        await self.settle()
        self._going = asyncio.create_task(self._registry.run(self._stage.append, piece))

    async def settle(self) -> None:
        """Wait until nothing is on its way; raises what the last append raised."""
        going = self._going
        if going is not None:
            # Not awaited itself: a cancelled request must not cut its thread off from the stage.
            await asyncio.wait({going})
            self._going = None
            going.result()
