"""/healthz: whether this server can do its work, for people and for whatever restarts it."""

import asyncio

from moorage import __name__ as program
from moorage.ground.fault import Fault
from moorage.kernel.site import Site
from moorage.sql.engine import Database
from moorage.wire.json11 import encode
from moorage.wire.request import Response

READ_SECONDS = 5.0


async def health(database: Database, site: Site) -> Response:
    """200 where the database answers, else 503 with the reason."""
    try:
        await asyncio.wait_for(asyncio.wrap_future(database.read(lambda tx: tx.now)), READ_SECONDS)
    except (Fault, TimeoutError) as error:
        return _told(503, {"status": "unavailable", "reason": str(error) or "no answer in time"})
    return _told(200, {"status": "ok", "program": program, "names": list(site.names)})


def _told(status: int, members: dict[str, object]) -> Response:
    return Response(
        status=status, headers=(("content-type", "application/json"),), body=encode(members)
    )
