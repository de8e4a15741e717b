"""Signature Version 4: who signed this request, and was it this very request.

`sign` and `verify` stand on the same arithmetic (`canonical.py`). The rules of refusal: exactly
one source of credentials; no credential, date or `x-amz-` header twice, no query parameter twice;
host, date and every `x-amz-` header signed; the body's own hash, whatever the request claims of
it; a date within five minutes. Each refusal has AWS's code and, where AWS's is known, its
sentence ("Troubleshoot Signature Version 4 signing", IAM User Guide). None repeats a credential.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Collection
from hashlib import sha256
from hmac import compare_digest

from moorage.ground.fault import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthentication,
    UnrecognizedClient,
)
from moorage.ground.instant import Instant, earlier, later, minutes, seconds
from moorage.ground.record import Record, evolve
from moorage.wire import presign
from moorage.wire.canonical import (
    ALGORITHM,
    Claim,
    Credentials,
    basic_date,
    basic_from_http_date,
    canonical_form,
    canonical_query,
    canonical_value,
    parse_basic_date,
    parse_query,
    payload_hash,
    signature,
)
from moorage.wire.request import Headers, Request

SKEW_MAX = minutes(5)
DATE_SHOWN_CHARACTERS_MAX = 64
INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a sentence
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
# How the refusals of a wrong clock begin; SDKs correct their own by them.
SKEW_REFUSALS = ("Signature expired: ", "Signature not yet current: ")
# Hop-by-hop headers and those that proxies and HTTP libraries set or change on the way.
UNSIGNED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    }
)

_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
# Stands in for the secret of a key that is unknown, so that the answer takes as long to make.
_NO_SECRET = "moorage/no-such-access-key/0123456789abcd"  # noqa: S105 - opens nothing
_HEADER_PARAMETERS = ("Credential", "Signature", "SignedHeaders")


class Verified(Record):
    """The access key whose secret signed the request, and the scope that it was signed for."""

    access_key_id: str
    region: str
    service: str


def verify(
    request: Request,
    lookup: Callable[[str], str | None],
    now: Instant,
    service: str,
    regions: Collection[str],
) -> Verified:
    """The key that signed `request` for `service` in one of `regions`.

    `lookup` gives the secret of an access key id, or None where there is no such key. Raises
    MissingAuthentication, IncompleteSignature, InvalidSignature or UnrecognizedClient; for an
    unknown key only after as much work as for a known one.
    """
    headers = _by_name(request.headers)
    claim = _claim(request, headers)
    _check_scope(claim, service, regions)
    _check_time(claim, now)
    _check_coverage(claim, headers)
    payload = payload_hash(request.body)
    if headers.get("x-amz-content-sha256", payload) != payload:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise InvalidSignature(message)
    known = _ACCESS_KEY_ID.fullmatch(claim.access_key_id) is not None
    secret = lookup(claim.access_key_id) if known else None
    target = (request.method, request.path)
    expected = signature(target, headers, claim, payload, secret or _NO_SECRET)
    matches = compare_digest(expected.encode(), claim.signature.encode())
    if not secret:
        raise UnrecognizedClient(INVALID_TOKEN)
    if not matches:
        raise InvalidSignature(MISMATCH)
    return Verified(access_key_id=claim.access_key_id, region=claim.region, service=claim.service)


def sign(
    request: Request, credentials: Credentials, service: str, region: str, now: Instant
) -> Request:
    """The request with `x-amz-date` and `authorization` added (or replaced).

    Every header is signed but those of UNSIGNED_HEADERS; `host` must be among them.
    """
    date = basic_date(now)
    kept = [pair for pair in request.headers if pair[0] not in {"authorization", "x-amz-date"}]
    signed = _by_name((*kept, ("x-amz-date", date)))
    assert "host" in signed, "a request is signed with the host it goes to"
    claim = Claim(
        access_key_id=credentials.access_key_id,
        day=date[:8],
        region=region,
        service=service,
        date=date,
        date_header="x-amz-date",
        signed_headers=";".join(sorted(signed.keys() - UNSIGNED_HEADERS)),
        signature="",
        query=canonical_form(request.query),
    )
    proof = signature(
        (request.method, request.path),
        signed,
        claim,
        payload_hash(request.body),
        credentials.secret_access_key,
    )
    authorization = (
        f"{ALGORITHM} Credential={claim.access_key_id}/{claim.scope}, "
        f"SignedHeaders={claim.signed_headers}, Signature={proof}"
    )
    headers = (*kept, ("x-amz-date", date), ("authorization", authorization))
    return evolve(request, headers=headers)


def _by_name(pairs: Headers) -> dict[str, str]:
    """The headers by name; repeated ones joined by commas, unless a signature hangs on them."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name not in headers:
            headers[name] = value
        elif name in {"authorization", "host", "date"} or name.startswith("x-amz-"):
            raise IncompleteSignature(f"The header '{name}' may appear only once in a request.")
        else:
            headers[name] = f"{canonical_value(headers[name])},{canonical_value(value)}"
    return headers


def _claim(request: Request, headers: dict[str, str]) -> Claim:
    """The claim from the one place that holds credentials."""
    pairs = parse_query(request.query)
    presigned = presign.is_presigned(pairs)
    authorization = headers.get("authorization")
    if authorization is None:
        if presigned:
            return presign.claim(pairs)
        raise MissingAuthentication("Missing Authentication Token")
    if presigned:
        raise IncompleteSignature(presign.TWO_SOURCES)
    presign.refuse_repeats(pairs)
    return _header_claim(authorization, headers, canonical_query(pairs))


def _header_claim(authorization: str, headers: dict[str, str], query: str) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    if not algorithm.startswith("AWS4"):
        raise IncompleteSignature(_incomplete(authorization, _HEADER_PARAMETERS))
    if algorithm != ALGORITHM:
        raise IncompleteSignature("Unsupported AWS 'algorithm' in the Authorization header.")
    parameters: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in parameters:
            problem = "missing equal-sign" if not equals else "repeated key"
            raise IncompleteSignature(
                f"Invalid key=value pair ({problem}) in Authorization header (hashed with SHA-256 "
                f"and encoded with Base64): '{_hashed(authorization)}'."
            )
        parameters[name] = value
    missing = [name for name in _HEADER_PARAMETERS if not parameters.get(name)]
    if missing:
        raise IncompleteSignature(_incomplete(authorization, missing))
    date_header, date = _header_date(authorization, headers)
    access_key_id, day, region, service = presign.split_credential(parameters["Credential"])
    return Claim(
        access_key_id=access_key_id,
        day=day,
        region=region,
        service=service,
        date=date,
        date_header=date_header,
        signed_headers=parameters["SignedHeaders"],
        signature=parameters["Signature"],
        query=query,
    )


def _header_date(authorization: str, headers: dict[str, str]) -> tuple[str, str]:
    """The header that dates the request, and its date in basic format; X-Amz-Date goes first."""
    date = headers.get("x-amz-date")
    if date is not None:
        return "x-amz-date", date.strip()
    text = headers.get("date")
    if text is None:
        raise IncompleteSignature(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            f"(Hashed with SHA-256 and encoded with Base64) Authorization={_hashed(authorization)}"
        )
    date = basic_from_http_date(text.strip())
    if date is None:
        raise IncompleteSignature("The 'Date' header is not a date in UTC; send 'X-Amz-Date'.")
    return "date", date


def _check_scope(claim: Claim, service: str, regions: Collection[str]) -> None:
    if claim.region not in regions:
        raise InvalidSignature("Credential should be scoped to a valid region.")
    if claim.service != service:
        raise InvalidSignature(f"Credential should be scoped to correct service: '{service}'.")


def _check_time(claim: Claim, now: Instant) -> None:
    signed_at = parse_basic_date(claim.date)
    if signed_at is None:
        raise IncompleteSignature(
            "Date must be in ISO-8601 'basic format'. "
            f"Got '{claim.date[:DATE_SHOWN_CHARACTERS_MAX]}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        )
    if claim.day != claim.date[:8]:
        raise InvalidSignature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{claim.day[:DATE_SHOWN_CHARACTERS_MAX]}' != '{claim.date[:8]}', "
            f"from '{claim.date}'."
        )
    if signed_at > later(now, SKEW_MAX):
        raise InvalidSignature(
            f"Signature not yet current: {claim.date} is still later than "
            f"{basic_date(later(now, SKEW_MAX))} ({basic_date(now)} + 5 min.)"
        )
    lifetime = SKEW_MAX if claim.expires_seconds is None else seconds(claim.expires_seconds)
    if signed_at < earlier(now, lifetime):
        length = "5 min." if claim.expires_seconds is None else f"{claim.expires_seconds} sec."
        raise InvalidSignature(
            f"Signature expired: {claim.date} is now earlier than "
            f"{basic_date(earlier(now, lifetime))} ({basic_date(now)} - {length})"
        )


def _check_coverage(claim: Claim, headers: dict[str, str]) -> None:
    """Host, date and every `x-amz-` header are signed, and all that is signed is there, once."""
    signed = claim.signed_headers.split(";")
    if "host" not in signed:
        message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        raise InvalidSignature(message)
    for name in headers:
        if (name.startswith("x-amz-") or name == claim.date_header) and name not in signed:
            raise InvalidSignature(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    if len(set(signed)) != len(signed) or not headers.keys() >= set(signed):
        raise InvalidSignature(MISMATCH)
    if "x-amz-security-token" in headers:
        raise UnrecognizedClient(INVALID_TOKEN)


def _incomplete(authorization: str, missing: Collection[str]) -> str:
    sentences = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
    return (
        f"{sentences} (Hashed with SHA-256 and encoded with Base64) "
        f"Authorization={_hashed(authorization)}"
    )


def _hashed(authorization: str) -> str:
    return b64encode(sha256(authorization.encode("latin-1")).digest()).decode()
