"""Signatures in the query string: made for a caller to hand on, and read back by `sigv4.verify`.

Source: "Authenticating requests: using query parameters", AWS Signature Version 4. Other than
for S3, the body's hash is part of the signature (an empty body's, for a GET).
"""

import re

from moorage.ground.fault import IncompleteSignature, UnrecognizedClient
from moorage.ground.instant import Duration, Instant, hours, in_seconds
from moorage.ground.record import evolve
from moorage.wire.canonical import (
    ALGORITHM,
    TERMINATOR,
    Claim,
    Credentials,
    Pairs,
    basic_date,
    canonical_query,
    canonical_value,
    parse_query,
    payload_hash,
    signature,
)
from moorage.wire.request import Request

EXPIRES_MAX = hours(7 * 24)
TWO_SOURCES = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
    "Authorization header should be specified."
)
_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
)
_MARKS = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-signature"})
# What a query string says about its signature and nothing else.
PARAMETERS = frozenset(
    {*(name.lower() for name in _REQUIRED), "x-amz-expires", "x-amz-security-token"}
)
_EXPIRES = re.compile(r"[0-9]{1,6}", re.ASCII)
_CREDENTIAL_PARTS = 5
NAME_SHOWN_CHARACTERS_MAX = 64


def presign(
    request: Request,
    credentials: Credentials,
    service: str,
    region: str,
    now: Instant,
    lifetime: Duration,
) -> Request:
    """The request with its signature in the query string, good for `lifetime` from `now`.

    All headers of `request` are signed (`host` must be one) and must then be sent as they are.
    `lifetime` is whole seconds, at least one and at most EXPIRES_MAX.
    """
    assert 0 < lifetime <= EXPIRES_MAX, "a presigned request lives at most seven days"
    date = basic_date(now)
    headers = {name: canonical_value(value) for name, value in request.headers}
    assert "host" in headers, "a request is signed with the host it goes to"
    expires_seconds = int(in_seconds(lifetime))
    scope = f"{date[:8]}/{region}/{service}/{TERMINATOR}"
    pairs = [
        *parse_query(request.query),
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key_id}/{scope}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(expires_seconds)),
        ("X-Amz-SignedHeaders", ";".join(sorted(headers))),
    ]
    unsigned = claim([*pairs, ("X-Amz-Signature", "-")])
    proof = signature(
        (request.method, request.path),
        headers,
        unsigned,
        payload_hash(request.body),
        credentials.secret_access_key,
    )
    return evolve(request, query=f"{canonical_query(pairs)}&X-Amz-Signature={proof}")


def is_presigned(pairs: Pairs) -> bool:
    """Whether a query string claims to hold credentials, in whatever letter case."""
    return any(name.lower() in _MARKS for name, _ in pairs)


def refuse_repeats(pairs: Pairs) -> None:
    """Raise IncompleteSignature where a parameter is given twice.

    The signature does not fix the order of equal names, so which of two counts would be open to
    whoever carries the request; the signature's own parameters are compared without letter case.
    """
    names = [name.lower() if name.lower() in PARAMETERS else name for name, _ in pairs]
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise IncompleteSignature(f"The query parameter '{_shown(repeated)}' may appear only once.")


def claim(pairs: Pairs) -> Claim:
    """What a presigned query string says; raises IncompleteSignature or UnrecognizedClient."""
    refuse_repeats(pairs)
    given = dict(pairs)
    missing = [name for name in _REQUIRED if not given.get(name)]
    if missing:
        sentences = "".join(
            f"AWS query-string parameters must include '{name}'. " for name in missing
        )
        raise IncompleteSignature(f"{sentences}Re-examine the query-string parameters.")
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise IncompleteSignature("Unsupported AWS 'algorithm' in the query string.")
    if "X-Amz-Security-Token" in given:
        raise UnrecognizedClient("The security token included in the request is invalid.")
    access_key_id, day, region, service = split_credential(given["X-Amz-Credential"])
    return Claim(
        access_key_id=access_key_id,
        day=day,
        region=region,
        service=service,
        date=given["X-Amz-Date"],
        date_header=None,
        signed_headers=given["X-Amz-SignedHeaders"],
        signature=given["X-Amz-Signature"],
        query=canonical_query(pair for pair in pairs if pair[0] != "X-Amz-Signature"),
        expires_seconds=_expires_seconds(given.get("X-Amz-Expires")),
    )


def split_credential(credential: str) -> tuple[str, str, str, str]:
    """Access key id, day, region and service of a credential; raises IncompleteSignature."""
    parts = credential.split("/")
    if len(parts) != _CREDENTIAL_PARTS:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term."
        )
    if parts[4] != TERMINATOR:
        raise IncompleteSignature(
            f"Credential should be scoped with a valid terminator: '{TERMINATOR}'."
        )
    return parts[0], parts[1], parts[2], parts[3]


def _expires_seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if _EXPIRES.fullmatch(text) is None or not 0 < int(text) <= in_seconds(EXPIRES_MAX):
        raise IncompleteSignature(
            "X-Amz-Expires must be a whole number of seconds, at least 1 and at most "
            f"{int(in_seconds(EXPIRES_MAX))} (seven days)."
        )
    return int(text)


def _shown(name: str) -> str:
    return name.encode("ascii", "replace").decode()[:NAME_SHOWN_CHARACTERS_MAX]
