"""The server's certificate: where it comes from, and what is kept of it in `keys/`.

Two sources: Moorage's own authority, here, whose certificates renew themselves, and files of the
operator's (`given_files.py`). Each answers what is to be served now; `custodian.py` asks again.

    keys/ca.pem          whom clients are to trust (not there where every system does already)
    keys/server.pem      the certificate that our authority signed, and its chain
    keys/server-key.pem  its private key (0600)
"""

import contextlib
import logging
import ssl
from pathlib import Path
from typing import Protocol

import msgspec

from moorage.ecs.operations.authority import tell_hosts
from moorage.gateway.address import certified_names
from moorage.gateway.folder import write_durably
from moorage.gateway.settings import Settings
from moorage.gateway.tls import server_context
from moorage.ground.certificate import certificates_in
from moorage.ground.clock import Clock
from moorage.ground.instant import Instant, earlier, hours, iso
from moorage.iam import trust as trusting
from moorage.iam.records.trust import Trust
from moorage.iam.rules.certificate import Facts, Issued, belong, facts, is_due, is_for, is_signed_by
from moorage.iam.rules.trust import bundle, chain
from moorage.iam.store import trusts
from moorage.kernel.site import Vault
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

BUNDLE_FILE = Path("keys") / "ca.pem"
CHAIN_FILE = Path("keys") / "server.pem"
KEY_FILE = Path("keys") / "server-key.pem"
AUTHORITY_WARNED_BEFORE = hours(365 * 24)
_log = logging.getLogger("moorage.tls")


class CertificateRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The certificate that was given cannot be used; the message says why and what to do."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What new handshakes are answered with."""

    context: ssl.SSLContext
    chain: str
    found: Facts


class Source(Protocol):
    """Where the certificate comes from."""

    def load(self, before: Served | None) -> Served:
        """What is to be served now: `before` itself where nothing has changed.

        Raises CertificateRefused, OSError and StoreFailed.
        """
        ...


class OwnAuthority:
    """Our authority signs; a certificate is made anew where the one that is kept does not do."""

    def __init__(self, settings: Settings, database: Database, vault: Vault, clock: Clock) -> None:
        """Take the settings that give the names."""
        self._data = Path(settings.data)
        self._names = certified_names(settings)
        self._database = database
        self._vault = vault
        self._clock = clock

    def load(self, before: Served | None) -> Served:
        """Make what is missing or due; answers what is served from now on."""
        kept, now = self._kept(), self._clock.now()

        def work(tx: Transaction) -> tuple[Trust, Issued | None]:
            known = trusts.get(tx).version
            trust = trusting.sign_ourselves(tx, self._vault)
            if trust.version != known:
                tell_hosts(tx)
            if kept is not None and self._does(kept, trust, now):
                return trust, None
            return trust, trusting.certify(tx, self._vault, trust, self._names, now)

        trust, made = self._database.write(work).result()
        keep_bundle(self._data, trust)
        _warn_of_age(trust, now)
        if made is None and before is not None:
            return before
        if made is not None:
            write_durably(self._data / KEY_FILE, made.key.encode(), mode=0o600)
            write_durably(self._data / CHAIN_FILE, made.certificate.encode(), mode=0o644)
        shown = made or kept
        assert shown is not None, "what was not kept was made"
        return Served(
            context=server_context(self._data / CHAIN_FILE, self._data / KEY_FILE),
            chain=shown.certificate,
            found=facts(certificates_in(shown.certificate)[0]),
        )

    def _kept(self) -> Issued | None:
        with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
            return Issued(
                certificate=(self._data / CHAIN_FILE).read_text("ascii"),
                key=(self._data / KEY_FILE).read_text("ascii"),
            )
        return None

    def _does(self, kept: Issued, trust: Trust, now: Instant) -> bool:
        """Whether what lies in the folder can be served; a crash may have left half of it."""
        signing = trust.signing
        assert signing is not None, "our authority signs"
        try:
            first, *rest = certificates_in(kept.certificate)
            found = facts(first)
            return (
                belong(first, kept.key)
                and is_signed_by(first, signing.certificate)
                and tuple(rest) == chain(trust)
                and is_for(found, self._names)
                and not is_due(found, now)
            )
        except ValueError:
            return False


def keep_bundle(data: Path, trust: Trust) -> None:
    """Write down whom clients are to trust, for those of this machine; nobody in particular: no file."""
    path = data / BUNDLE_FILE
    text = "".join(bundle(trust)).encode()
    if not text:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_bytes() != text:
        write_durably(path, text, mode=0o644)
        path.chmod(0o644)


def _warn_of_age(trust: Trust, now: Instant) -> None:
    signing = trust.signing
    assert signing is not None, "our authority signs"
    ends = facts(signing.certificate).not_after
    if now >= earlier(ends, AUTHORITY_WARNED_BEFORE):
        _log.warning(
            "the authority of this server ends on %s: begin a new one with moorage authority rotate",
            iso(ends),
        )
