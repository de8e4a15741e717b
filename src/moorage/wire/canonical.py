"""The arithmetic of Signature Version 4, on which signing and verifying both stand.

Source: "Create a signed AWS API request", IAM User Guide. One difference is meant: the path is
taken as it was received, without removing dot segments or doubled slashes, because Moorage serves
no path that has any; a request whose path was bent on its way is then simply not the one signed.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from moorage.ground.instant import Instant, as_datetime, from_datetime
from moorage.ground.record import Record

if TYPE_CHECKING:
    from _hashlib import HASH

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
SIGNING_KEYS_MAX = 4096
QUERIES_MAX = 256
HMAC_BLOCK_BYTES = 64
_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))

_BASIC_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_HTTP_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|[+-]0000)",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPACES = re.compile(r"[ \t]+")

Pairs = list[tuple[str, str]]


class Credentials(Record):
    """An access key with its secret; printed without the secret."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        """The access key id alone, so that no log ever shows the secret."""
        return f"Credentials(access_key_id={self.access_key_id!r})"

    __str__ = __repr__


class Claim(Record):
    """What a request says about its own signature, before anything of it is believed.

    `date` is in ISO 8601 basic format, `signed_headers` as the request listed them, `query` the
    canonical query string that the signature covers. `expires_seconds` is only in a query string.
    """

    access_key_id: str
    day: str
    region: str
    service: str
    date: str
    date_header: str | None
    signed_headers: str
    signature: str
    query: str
    expires_seconds: int | None = None

    @property
    def scope(self) -> str:
        """The credential's scope, as headers and query strings write it."""
        return f"{self.day}/{self.region}/{self.service}/{TERMINATOR}"


def basic_date(instant: Instant) -> str:
    """An instant in ISO 8601 basic format, to the second: `20261123T031137Z`."""
    return as_datetime(instant).strftime("%Y%m%dT%H%M%SZ")


def parse_basic_date(text: str) -> Instant | None:
    """The instant that a text in ISO 8601 basic format names, or None."""
    if _BASIC_DATE.fullmatch(text) is None:
        return None
    try:
        date = datetime(
            int(text[0:4]), int(text[4:6]), int(text[6:8]),
            int(text[9:11]), int(text[11:13]), int(text[13:15]),
            tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    return from_datetime(date)


def basic_from_http_date(text: str) -> str | None:
    """A `Date` header (RFC 9110 in UTC, or basic ISO 8601 already) in basic format, or None."""
    if _BASIC_DATE.fullmatch(text) is not None:
        return text
    match = _HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    month = _MONTHS.index(match[2]) + 1
    return f"{match[3]}{month:02}{int(match[1]):02}T{match[4]}{match[5]}{match[6]}Z"


def parse_query(raw: str) -> Pairs:
    """The decoded pairs of a raw query string, in their order; text is octets as Latin-1.

    A plus is a space, as every SDK's form encoding means it. An empty part between ampersands is
    kept, as an empty name: dropping it would make two different requests one.
    """
    if not raw:
        return []
    return [
        (_unquote(name), _unquote(value))
        for name, _, value in (part.partition("=") for part in raw.split("&"))
    ]


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Decoded pairs in canonical form: encoded by RFC 3986, sorted by name and then value."""
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((_quote(name), _quote(value)) for name, value in pairs)
    )


@lru_cache(maxsize=QUERIES_MAX)
def canonical_form(raw: str) -> str:
    """The canonical form of a raw query string; who signs much signs mostly the same."""
    return canonical_query(parse_query(raw))


def canonical_path(raw: str) -> str:
    """The path of the canonical request: what was received, encoded once more."""
    if raw in {"/", ""}:
        return "/"
    return quote_from_bytes(raw.encode("latin-1"), safe="/-_.~")


def canonical_value(value: str) -> str:
    """A header's value without outer spaces, and with inner runs of them made one."""
    if "  " in value or "\t" in value:
        value = _SPACES.sub(" ", value)
    return value.strip(" \t")


def payload_hash(body: bytes) -> str:
    """The lower-case hex SHA-256 of a body."""
    return sha256(body).hexdigest()


def signature(
    target: tuple[str, str],
    headers: Mapping[str, str],
    claim: Claim,
    payload: str,
    secret: str,
) -> str:
    """The 64 hex digits that a request with this method and path (`target`) must be signed with.

    `headers` holds every header that the claim lists, `payload` is the body's hash. The secret
    need not be that of the claim's access key: that is for the caller to have looked up.
    """
    lines = "".join(
        [f"{name}:{canonical_value(headers[name])}\n" for name in claim.signed_headers.split(";")]
    )
    request = (
        f"{target[0]}\n{canonical_path(target[1])}\n{claim.query}\n"
        f"{lines}\n{claim.signed_headers}\n{payload}"
    )
    to_sign = (
        f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{sha256(request.encode('latin-1')).hexdigest()}"
    )
    inner, outer = _begun(secret, claim.day, claim.region, claim.service)
    inside, outside = inner.copy(), outer.copy()
    inside.update(to_sign.encode("latin-1"))
    outside.update(inside.digest())
    return outside.hexdigest()


@lru_cache(maxsize=SIGNING_KEYS_MAX)
def _begun(secret: str, day: str, region: str, service: str) -> tuple["HASH", "HASH"]:
    """The two hashes of an HMAC (RFC 2104) that have taken in the signing key.

    OpenSSL's one-shot HMAC lets go of the interpreter for each call, which costs a busy server
    more than the hashing; these two are copied, and hash short texts in place.
    """
    key = signing_key(secret, day, region, service).ljust(HMAC_BLOCK_BYTES, b"\0")
    return sha256(key.translate(_INNER_PAD)), sha256(key.translate(_OUTER_PAD))


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key that a secret gives for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, TERMINATOR):
        key = digest(key, part.encode(), "sha256")
    return key


def _quote(text: str) -> str:
    return quote_from_bytes(text.encode("latin-1"), safe="-_.~")


def _unquote(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("latin-1")
