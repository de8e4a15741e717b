"""A certificate of the operator's: two files, or three, judged before they are served.

What could not be verified by clients anyway is refused here, in words, at the start; later, when
the files are read again, what was good before goes on being served.
"""

import logging
from pathlib import Path

from moorage.ecs.operations.authority import tell_hosts
from moorage.gateway.address import parted, public_names
from moorage.gateway.certificates import CertificateRefused, Served, keep_bundle
from moorage.gateway.settings import Settings
from moorage.gateway.tls import server_context
from moorage.ground.certificate import certificates_in
from moorage.ground.clock import Clock
from moorage.ground.instant import Instant, earlier, hours, iso
from moorage.iam import trust as trusting
from moorage.iam.records.trust import Trust
from moorage.iam.rules.certificate import Facts, anchor, belong, covers, facts
from moorage.iam.store import trusts
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

# A certificate that nobody renews by himself is spoken of when so little of its life is left.
WARNED_BEFORE = hours(14 * 24)
NAMES_SHOWN_MAX = 8
_log = logging.getLogger("moorage.tls")


class GivenFiles:
    """The operator's files, as they are, each time they are asked for."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        """Take the settings that name the files."""
        self._settings = settings
        self._names = public_names(settings)
        self._database = database
        self._clock = clock

    def load(self, before: Served | None) -> Served:
        """Read the files and judge them; raises CertificateRefused and StoreFailed."""
        settings = self._settings
        text, key = _text(settings.certificate), _text(settings.key)
        found = self._judged(text, key, self._clock.now())
        authorities = self._authorities(text)
        try:
            context = server_context(Path(settings.certificate), Path(settings.key))
        except OSError as error:
            raise CertificateRefused(f"{settings.certificate}: {error}") from error
        self._database.write(lambda tx: _kept(tx, authorities)).result()
        trust = self._database.read(trusts.get).result()
        keep_bundle(Path(settings.data), trust)
        if before is not None and before.chain == text:
            return before
        self._tell_amazons(found)
        return Served(context=context, chain=text, found=found)

    def _judged(self, text: str, key: str, now: Instant) -> Facts:
        settings, file = self._settings, self._settings.certificate
        try:
            first = certificates_in(text)[0]
            found = facts(first)
        except ValueError as error:
            raise CertificateRefused(f"{file} holds no certificate in PEM: {error}") from error
        try:
            matches = belong(first, key)
        except (ValueError, TypeError) as error:
            raise CertificateRefused(
                f"{settings.key} holds no private key in PEM that can be read without a password."
            ) from error
        if not matches:
            raise CertificateRefused(f"{settings.key} is not the key of the certificate in {file}.")
        if now >= found.not_after:
            raise CertificateRefused(
                f"The certificate in {file} expired at {iso(found.not_after)}: get a new one."
            )
        if now < found.not_before:
            raise CertificateRefused(
                f"The certificate in {file} is good from {iso(found.not_before)} on, and here it is "
                f"{iso(now)}: look at this machine's clock."
            )
        self._check_names(found)
        if now >= earlier(found.not_after, WARNED_BEFORE):
            _log.warning("the certificate in %s expires at %s", file, iso(found.not_after))
        return found

    def _check_names(self, found: Facts) -> None:
        missing = [name for name in self._names if not covers(found.names, parted(name)[0])]
        if missing:
            named = ", ".join(found.names[:NAMES_SHOWN_MAX]) or "nobody"
            raise CertificateRefused(
                f"The certificate in {self._settings.certificate} is not one for "
                f"{', '.join(missing)}: it names {named}. Give another certificate, or say under "
                "which of its names clients call this server with --public-name."
            )

    def _authorities(self, text: str) -> tuple[str, ...]:
        """Whom clients are to trust, the one that signed first; none where every system knows him."""
        file = self._settings.authority
        if not file:
            return ()
        try:
            known = certificates_in(_text(file))
        except ValueError as error:
            raise CertificateRefused(f"{file} holds no certificate in PEM: {error}") from error
        signer = anchor(text, known)
        if signer is None:
            raise CertificateRefused(
                f"No authority in {file} has signed the certificate in "
                f"{self._settings.certificate}, nor what follows it there: clients would refuse it."
            )
        return (signer, *(one for one in known if one != signer))

    def _tell_amazons(self, found: Facts) -> None:
        literal = [name for name in self._names if name not in found.names]
        if literal:
            _log.info(
                "Amazon's own agent asks for a certificate with the literal name %s on its "
                "websockets, which this one lacks; Moorage's agents and all other clients do not",
                ", ".join(literal),
            )


def _kept(tx: Transaction, authorities: tuple[str, ...]) -> Trust:
    known = trusts.get(tx).version
    trust = trusting.take(tx, "given" if authorities else "system", authorities)
    if trust.version != known:
        tell_hosts(tx)
    return trust


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CertificateRefused(f"{file} cannot be read: {error}") from error
