"""The authority of this installation in the database: made, rotated, and put to use.

Its keys are sealed like every other secret, so a rotation is one transaction, and nothing of it can
be half done. What lies in `keys/` beside it is derived and can be made anew.
"""

from collections.abc import Callable

from moorage.ground.certificate import key_hash
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.iam.records.trust import Authority, Source, Trust
from moorage.iam.rules import trust as rules
from moorage.iam.rules.certificate import (
    ENTROPY_BYTES,
    Issued,
    cross_certificate,
    new_authority,
    server_certificate,
)
from moorage.iam.store import trusts
from moorage.kernel.site import Vault
from moorage.sql.transaction import Transaction


def sign_ourselves(tx: Transaction, vault: Vault) -> Trust:
    """Our own authority signs the server's certificate, from the first start on."""
    before = trusts.get(tx)
    after = rules.begun(rules.settled(before, tx.now), lambda: _authority(tx, vault))
    return _kept(tx, before, after)


def take(tx: Transaction, source: Source, given: tuple[str, ...] = ()) -> Trust:
    """The server shows a certificate that was given to it, or none."""
    before = trusts.get(tx)
    return _kept(tx, before, rules.taken(before, source, given))


def rotate(tx: Transaction, vault: Vault) -> Trust | str:
    """Begin a rotation: a new authority beside the one that signs; or why not."""

    def coming(signing: Authority) -> Authority:
        made = _authority(tx, vault)
        old = Issued(certificate=signing.certificate, key=vault.reveal(signing.sealed_key))
        entropy = tx.chance.octets(ENTROPY_BYTES)
        cross = cross_certificate(old, made.certificate, entropy, tx.now)
        return evolve(made, cross_certificate=cross)

    return _stepped(tx, lambda trust: rules.rotated(trust, coming))


def finish(tx: Transaction) -> Trust | str:
    """The next step of a rotation; or why there is none."""
    return _stepped(tx, lambda trust: rules.finished(trust, tx.now))


def certify(
    tx: Transaction, vault: Vault, trust: Trust, names: tuple[str, ...], now: Instant
) -> Issued:
    """A server's certificate for those names, signed by our authority, with its chain.

    `now` is what the clock says: clients compare with theirs, and a transaction's never goes back.
    """
    signing = trust.signing
    assert signing is not None, "only who signs himself certifies"
    authority = Issued(certificate=signing.certificate, key=vault.reveal(signing.sealed_key))
    made = server_certificate(authority, names, tx.chance.octets(ENTROPY_BYTES), now)
    return evolve(made, certificate="".join((made.certificate, *rules.chain(trust))))


def _stepped(tx: Transaction, step: Callable[[Trust], Trust | str]) -> Trust | str:
    before = trusts.get(tx)
    after = step(before)
    return after if isinstance(after, str) else _kept(tx, before, after)


def _kept(tx: Transaction, before: Trust, after: Trust) -> Trust:
    return before if after == before else trusts.put(tx, after)


def _authority(tx: Transaction, vault: Vault) -> Authority:
    made = new_authority(tx.chance.octets(ENTROPY_BYTES), tx.now)
    return Authority(
        certificate=made.certificate,
        hash=key_hash(made.certificate),
        sealed_key=vault.seal(made.key),
    )
