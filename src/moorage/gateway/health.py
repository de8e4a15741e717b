"""What anybody may ask: /healthz, whether this server works; /moorage/ca.pem, whom to trust."""

import asyncio

from moorage import __name__ as program
from moorage.ground.fault import Fault
from moorage.iam.rules.trust import bundle
from moorage.iam.store import trusts
from moorage.kernel.site import Site
from moorage.sql.engine import Database
from moorage.wire.json11 import encode
from moorage.wire.request import Response

READ_SECONDS = 5.0
# What a client must know of a server before it relies on it: one that is older would not heed it.
ABILITIES = ("dry-run",)


async def health(database: Database, site: Site) -> Response:
    """200 where the database answers, else 503 with the reason."""
    try:
        await asyncio.wait_for(asyncio.wrap_future(database.read(lambda tx: tx.now)), READ_SECONDS)
    except (Fault, TimeoutError) as error:
        return _told(503, {"status": "unavailable", "reason": str(error) or "no answer in time"})
    members = {"program": program, "names": list(site.names), "abilities": list(ABILITIES)}
    return _told(200, {"status": "ok", **members})


async def authorities(database: Database) -> Response:
    """The certificates (PEM) that clients are to trust, the one that signs first; 404 where none are.

    Whoever asks cannot know yet whom he asks: the hash in a join token, or a person, says whether
    the first is the right one.
    """
    try:
        trust = await asyncio.wait_for(asyncio.wrap_future(database.read(trusts.get)), READ_SECONDS)
    except (Fault, TimeoutError) as error:
        return _told(503, {"status": "unavailable", "reason": str(error) or "no answer in time"})
    text = "".join(bundle(trust))
    if not text:
        why = _NOBODY[trust.source == "system"]
        return _told(404, {"status": "none", "reason": why})
    kind = ("content-type", "application/x-pem-file")
    return Response(status=200, headers=(kind,), body=text.encode("ascii"))


_NOBODY = {
    False: "This server speaks plain http.",
    True: "This server's certificate is one that every system trusts by itself.",
}


def _told(status: int, members: dict[str, object]) -> Response:
    return Response(
        status=status, headers=(("content-type", "application/json"),), body=encode(members)
    )
