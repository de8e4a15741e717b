"""Whom the clients of this installation are to trust, and with what it signs: one record."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record

# own: Moorage's authority signs; given: certificates of the operator's, of an authority that he
# named; system: certificates of one that every system knows; none: no TLS.
Source = Literal["own", "given", "system", "none"]


class Authority(Record):
    """One authority of ours: its certificate (PEM), the hash of its key, and the key, sealed.

    `cross_certificate` is the same key, certified by the authority that went before: whoever still
    trusts only that one believes this one too.
    """

    certificate: str
    hash: str
    sealed_key: str
    cross_certificate: str = ""


class Trust(Record):
    """What is trusted now. `version` grows with every change of what clients are told.

    `signing` signs the server's certificate; `coming` will after the next step of a rotation;
    `leaving` (PEM) did before, and is trusted until `leaves_at`. `given` are the authorities that
    the operator named, the one first that signed. Ours are kept while others serve.
    """

    id: Literal["trust"] = "trust"
    source: Source = "none"
    version: int = 0
    signing: Authority | None = None
    coming: Authority | None = None
    leaving: str = ""
    leaves_at: Instant | None = None
    given: tuple[str, ...] = ()
