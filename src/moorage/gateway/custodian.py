"""Keeps what new handshakes are answered with good: renews, reads again, never without a certificate.

A connection that stands is not touched by any of it: only new ones meet the new certificate.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Sequence

from moorage.gateway.certificates import CertificateRefused, Served, Source
from moorage.ground.fault import Fault
from moorage.ground.instant import iso
from moorage.iam.store import trusts
from moorage.sql.transaction import Change

# A certificate of ours is renewed a month before its end; files are looked at by the hour.
LOOK_SECONDS = 3600.0
_log = logging.getLogger("moorage.tls")


class Custodian:
    """The certificate of this server, for as long as it runs."""

    def __init__(self, source: Source) -> None:
        """Get the first certificate; raises CertificateRefused, OSError and StoreFailed."""
        self._source = source
        self._served = source.load(None)
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def served(self) -> Served:
        """What is served now."""
        return self._served

    def context(self) -> ssl.SSLContext:
        """The context for a handshake that begins now."""
        return self._served.context

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in committed changes; called from any thread."""
        if self._loop is not None and any(change.kind == trusts.KIND for change in changes):
            with contextlib.suppress(RuntimeError):  # the loop has ended: the next start looks
                self._loop.call_soon_threadsafe(self.look_again)

    def look_again(self) -> None:
        """Look now, and not when an hour is over: a person said so, or a rotation went on."""
        self._bell.set()

    async def run(self) -> None:
        """Look by the hour, and when told."""
        self._loop = asyncio.get_running_loop()
        while True:
            # Not wait_for: in Python 3.11 it forgets a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()
            self._bell.clear()
            await self.look()

    async def look(self) -> None:
        """Ask the source; what it cannot give leaves what is served as it is, and is said."""
        try:
            served = await asyncio.to_thread(self._source.load, self._served)
        except (CertificateRefused, Fault, OSError) as refused:
            _log.error(
                "the certificate that ends at %s goes on being served: %s",
                iso(self._served.found.not_after),
                refused,
            )
            return
        if served is not self._served:
            self._served = served
            _log.info(
                "new handshakes meet a certificate that ends at %s, for %s",
                iso(served.found.not_after),
                ", ".join(served.found.names),
            )
