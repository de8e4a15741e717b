import pytest

from moorage.ground.fault import (
    IncompleteSignature,
    InvalidSignature,
    MissingAuthentication,
    UnrecognizedClient,
)
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import evolve
from moorage.wire.canonical import Credentials, parse_basic_date
from moorage.wire.request import Request
from moorage.wire.sigv4 import _NO_SECRET, INVALID_TOKEN, MISMATCH, sign, verify
from tests.wire.signing import (
    CREDENTIALS,
    KEY,
    NOW,
    PLAIN,
    REGION,
    SECRET,
    SERVICE,
    SIGNED,
    VERIFIED,
    check,
    with_header,
)

AUTHORIZATION = SIGNED.get("authorization")
SUITE_NOW = parse_basic_date("20150830T123600Z")


@pytest.mark.parametrize(
    ("method", "query", "headers", "signature"),
    [
        ("GET", "", (), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", (), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "Param2=value2&Param1=value1",
            (),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST",
            "",
            (("my-header1", "value1"),),
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
    ],
)
def test_the_published_test_suite(method, query, headers, signature):
    """Vectors of AWS's Signature Version 4 test suite."""
    request = Request(
        method=method,
        path="/",
        query=query,
        headers=(("host", "example.amazonaws.com"), *headers),
    )
    signed = sign(request, CREDENTIALS, "service", "us-east-1", SUITE_NOW)
    assert signed.get("authorization").endswith(f"Signature={signature}")


def test_what_was_signed_is_verified():
    assert check(SIGNED) == VERIFIED


def test_signing_again_replaces_the_old_signature():
    again = sign(SIGNED, CREDENTIALS, SERVICE, REGION, later(NOW, seconds(60)))
    assert len(again.getall("authorization")) == 1
    assert check(again, now=later(NOW, seconds(60))) == VERIFIED


@pytest.mark.parametrize(
    "authorization",
    [
        AUTHORIZATION.replace(", ", ","),
        AUTHORIZATION.replace(", ", " , "),
        " ".join([AUTHORIZATION.split()[0], ", ".join(reversed(AUTHORIZATION[17:].split(", ")))]),
    ],
    ids=["no spaces", "more spaces", "another order"],
)
def test_the_parts_of_the_header_may_be_spaced_and_ordered_freely(authorization):
    assert check(with_header(SIGNED, "authorization", authorization)) == VERIFIED


def test_the_agents_websocket_handshake():
    """Amazon's agent signs host and date alone; its query is encoded as a form."""
    handshake = Request(
        method="GET",
        path="/acs/ws",
        query="agentVersion=1.105.1&clusterArn=lab&dockerVersion=DockerVersion%3A+20.10.24%2Bdfsg1",
        headers=(("host", "127.0.0.1:28731"),),
    )
    signed = sign(handshake, CREDENTIALS, SERVICE, REGION, NOW)
    assert "SignedHeaders=host;x-amz-date," in signed.get("authorization")
    upgrade = (
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw=="),
    )
    assert check(evolve(signed, headers=(*signed.headers, *upgrade))) == VERIFIED


def test_a_repeated_header_is_signed_as_one():
    twice = evolve(PLAIN, headers=(*PLAIN.headers, ("my-header", "a"), ("my-header", " b  c ")))
    once = evolve(PLAIN, headers=(*PLAIN.headers, ("my-header", "a,b c")))
    signed = sign(once, CREDENTIALS, SERVICE, REGION, NOW)
    proof = (
        ("x-amz-date", signed.get("x-amz-date")),
        ("authorization", signed.get("authorization")),
    )
    assert check(evolve(twice, headers=(*twice.headers, *proof))) == VERIFIED


def test_a_date_header_serves_where_there_is_no_amz_date():
    signed = with_header(SIGNED, "x-amz-date", None)
    signed = with_header(signed, "date", "Mon, 23 Nov 2026 03:11:37 GMT")
    authorization = signed.get("authorization").replace(";x-amz-date", "")
    unsigned = with_header(signed, "authorization", authorization)
    with pytest.raises(InvalidSignature, match="'date' must be a 'SignedHeader'"):
        check(unsigned)


@pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
def test_five_minutes_of_skew_are_forgiven(offset):
    assert check(SIGNED, now=later(NOW, seconds(offset))) == VERIFIED


@pytest.mark.parametrize(
    ("offset", "sentence"),
    [
        (
            300_000_001,
            (
                "Signature expired: 20261123T031137Z is now earlier than 20261123T031137Z "
                "(20261123T031637Z - 5 min.)"
            ),
        ),
        (
            361_000_000,
            (
                "Signature expired: 20261123T031137Z is now earlier than 20261123T031238Z "
                "(20261123T031738Z - 5 min.)"
            ),
        ),
        (
            -301_000_000,
            (
                "Signature not yet current: 20261123T031137Z is still later than 20261123T031136Z "
                "(20261123T030636Z + 5 min.)"
            ),
        ),
    ],
)
def test_more_skew_is_refused_with_both_times(offset, sentence):
    with pytest.raises(InvalidSignature) as refusal:
        check(SIGNED, now=Instant(NOW + offset))
    assert refusal.value.message == sentence


def _scoped(**changes: str) -> Request:
    scope = {"day": "20261123", "region": REGION, "service": SERVICE, "term": "aws4_request"}
    scope |= changes
    old = f"20261123/{REGION}/{SERVICE}/aws4_request"
    return with_header(
        SIGNED, "authorization", AUTHORIZATION.replace(old, "/".join(scope.values()))
    )


def _reheaded(old: str, new: str) -> Request:
    return with_header(SIGNED, "authorization", AUTHORIZATION.replace(old, new))


REFUSALS = {
    "nothing": (PLAIN, MissingAuthentication, "Missing Authentication Token"),
    "another scheme": (
        with_header(PLAIN, "authorization", "Basic QVdTOnRva2Vu"),
        IncompleteSignature,
        ("Authorization header requires 'Credential' parameter. Authorization header requires "
        "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."),
    ),
    "another algorithm": (
        _reheaded("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        IncompleteSignature,
        "Unsupported AWS 'algorithm'",
    ),
    "no equal-sign": (
        _reheaded("Credential=", "Credential"),
        IncompleteSignature,
        "Invalid key=value pair (missing equal-sign)",
    ),
    "a part twice": (
        _reheaded("SignedHeaders=", "Signature=0, SignedHeaders="),
        IncompleteSignature,
        "Invalid key=value pair (repeated key)",
    ),
    "no signature": (
        _reheaded(AUTHORIZATION[AUTHORIZATION.index(", Signature") :], ""),
        IncompleteSignature,
        "Authorization header requires 'Signature' parameter.",
    ),
    "no date": (
        with_header(SIGNED, "x-amz-date", None),
        IncompleteSignature,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    ),
    "no date that is one": (
        with_header(SIGNED, "x-amz-date", "2026-11-23T03:11:37Z"),
        IncompleteSignature,
        "Date must be in ISO-8601 'basic format'. Got '2026-11-23T03:11:37Z'.",
    ),
    "a Date that is none": (
        with_header(with_header(SIGNED, "x-amz-date", None), "date", "today"),
        IncompleteSignature,
        "The 'Date' header is not a date in UTC",
    ),
    "four parts of scope": (
        _reheaded(f"/{SERVICE}/aws4_request", "/aws4_request"),
        IncompleteSignature,
        "Credential must have exactly 5 slash-delimited elements",
    ),
    "another terminator": (
        _scoped(term="aws5_request"),
        IncompleteSignature,
        "Credential should be scoped with a valid terminator: 'aws4_request'.",
    ),
    "another day": (
        _scoped(day="20261122"),
        InvalidSignature,
        ("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        "HTTP: '20261122' != '20261123', from '20261123T031137Z'."),
    ),
    "a foreign region": (
        _scoped(region="mars-north-1"),
        InvalidSignature,
        "Credential should be scoped to a valid region.",
    ),
    "another service": (
        _scoped(service="s3"),
        InvalidSignature,
        "Credential should be scoped to correct service: 'ecs'.",
    ),
    "host unsigned": (
        _reheaded("host;", ""),
        InvalidSignature,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "date unsigned": (
        _reheaded(";x-amz-date", ""),
        InvalidSignature,
        "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "target unsigned": (
        _reheaded(";x-amz-target", ""),
        InvalidSignature,
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "an amz header slipped in": (
        with_header(SIGNED, "x-amz-copy-source", "x"),
        InvalidSignature,
        "'x-amz-copy-source' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "a signed header absent": (
        with_header(SIGNED, "content-type", None),
        InvalidSignature,
        MISMATCH,
    ),
    "a header listed twice": (
        _reheaded("host;", "host;host;"),
        InvalidSignature,
        MISMATCH,
    ),
    "two targets": (
        evolve(SIGNED, headers=(*SIGNED.headers, ("x-amz-target", "Other.Operation"))),
        IncompleteSignature,
        "The header 'x-amz-target' may appear only once in a request.",
    ),
    "two authorizations": (
        evolve(SIGNED, headers=(*SIGNED.headers, ("authorization", AUTHORIZATION))),
        IncompleteSignature,
        "The header 'authorization' may appear only once in a request.",
    ),
    "header and query": (
        evolve(SIGNED, query="X-Amz-Signature=00"),
        IncompleteSignature,
        "Only one auth mechanism allowed",
    ),
    "header and query in another case": (
        evolve(SIGNED, query="x-amz-credential=a"),
        IncompleteSignature,
        "Only one auth mechanism allowed",
    ),
    "a query parameter twice": (
        sign(evolve(PLAIN, query="a=1&a=2"), CREDENTIALS, SERVICE, REGION, NOW),
        IncompleteSignature,
        "The query parameter 'a' may appear only once.",
    ),
    "an unsigned payload": (
        sign(
            with_header(PLAIN, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            CREDENTIALS, SERVICE, REGION, NOW,
        ),
        InvalidSignature,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    "a streaming payload": (
        sign(
            with_header(PLAIN, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            CREDENTIALS, SERVICE, REGION, NOW,
        ),
        InvalidSignature,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    "another secret": (
        sign(
            PLAIN, Credentials(access_key_id=KEY, secret_access_key="x"), SERVICE, REGION, NOW
        ),
        InvalidSignature,
        MISMATCH,
    ),
    "an unknown key": (
        _reheaded(KEY, "AKIDNOBODY"),
        UnrecognizedClient,
        INVALID_TOKEN,
    ),
    "an unknown key with the secret that stands in": (
        sign(
            PLAIN,
            Credentials(access_key_id="AKIDNOBODY", secret_access_key=_NO_SECRET),
            SERVICE, REGION, NOW,
        ),
        UnrecognizedClient,
        INVALID_TOKEN,
    ),
    "a session token": (
        sign(
            with_header(PLAIN, "x-amz-security-token", "FwoG"), CREDENTIALS, SERVICE, REGION, NOW
        ),
        UnrecognizedClient,
        INVALID_TOKEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_and_how(name):
    request, fault, sentence = REFUSALS[name]
    with pytest.raises(fault) as refusal:
        check(request)
    assert refusal.value.message.startswith(sentence)
    assert SECRET not in refusal.value.message
    assert AUTHORIZATION[-64:] not in refusal.value.message


def test_the_bodys_own_hash_may_be_declared():
    good = with_header(
        PLAIN,
        "x-amz-content-sha256",
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    )
    assert check(sign(good, CREDENTIALS, SERVICE, REGION, NOW)) == VERIFIED


@pytest.mark.parametrize("key", ["", "a b", "AK\x00", "é" * 5, "A" * 129, "../../etc"])
def test_what_can_be_no_access_key_is_never_looked_up(key):
    def lookup(_: str) -> str:
        raise AssertionError("the store was asked")

    request = with_header(SIGNED, "authorization", AUTHORIZATION.replace(KEY, key))
    with pytest.raises((UnrecognizedClient, IncompleteSignature)):
        verify(request, lookup, NOW, SERVICE, {REGION})


def test_a_key_with_an_empty_secret_opens_nothing():
    request = sign(
        PLAIN, Credentials(access_key_id=KEY, secret_access_key=""), SERVICE, REGION, NOW
    )
    with pytest.raises(UnrecognizedClient):
        check(request, lookup={KEY: ""}.get)
