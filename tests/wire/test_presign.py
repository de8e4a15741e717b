import pytest

from moorage.ground.fault import IncompleteSignature, InvalidSignature, UnrecognizedClient
from moorage.ground.instant import hours, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.wire.presign import presign
from moorage.wire.request import Request
from moorage.wire.sigv4 import MISMATCH
from tests.wire.signing import CREDENTIALS, NOW, REGION, SERVICE, VERIFIED, check

IDENTITY = Request(
    method="GET",
    path="/",
    query="Action=GetCallerIdentity&Version=2011-06-15",
    headers=(("host", "127.0.0.1:4750"),),
)
SIGNED = presign(IDENTITY, CREDENTIALS, SERVICE, REGION, NOW, minutes(1))


def test_what_was_presigned_is_verified():
    assert check(SIGNED) == VERIFIED


def test_a_body_is_part_of_the_signature():
    signed = presign(
        evolve(IDENTITY, method="POST", body=b"a"), CREDENTIALS, SERVICE, REGION, NOW, minutes(1)
    )
    assert check(signed) == VERIFIED
    with pytest.raises(InvalidSignature):
        check(evolve(signed, body=b"b"))


@pytest.mark.parametrize("offset", [-300, 0, 60])
def test_it_lives_as_long_as_it_says(offset):
    assert check(SIGNED, now=later(NOW, seconds(offset))) == VERIFIED


def test_seven_days_are_the_longest():
    signed = presign(IDENTITY, CREDENTIALS, SERVICE, REGION, NOW, hours(7 * 24))
    assert check(signed, now=later(NOW, hours(7 * 24))) == VERIFIED
    with pytest.raises(AssertionError):
        presign(IDENTITY, CREDENTIALS, SERVICE, REGION, NOW, seconds(7 * 24 * 3600 + 1))


def test_without_an_expiry_it_lives_five_minutes():
    unsigned = presign(IDENTITY, CREDENTIALS, SERVICE, REGION, NOW, minutes(1))
    bare = evolve(unsigned, query=unsigned.query.replace("X-Amz-Expires=60&", ""))
    with pytest.raises(InvalidSignature, match="does not match"):
        check(bare, now=later(NOW, minutes(5)))
    with pytest.raises(InvalidSignature, match="Signature expired"):
        check(bare, now=later(NOW, minutes(6)))


def test_its_end_is_told_with_both_times():
    with pytest.raises(InvalidSignature) as refusal:
        check(SIGNED, now=later(NOW, seconds(61)))
    assert refusal.value.message == (
        "Signature expired: 20261123T031137Z is now earlier than 20261123T031138Z "
        "(20261123T031238Z - 60 sec.)"
    )


def _changed(old: str, new: str) -> Request:
    assert old in SIGNED.query
    return evolve(SIGNED, query=SIGNED.query.replace(old, new))


REFUSALS = {
    "no algorithm": (
        _changed("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
        IncompleteSignature,
        (
            "AWS query-string parameters must include 'X-Amz-Algorithm'. "
            "Re-examine the query-string parameters."
        ),
    ),
    "only a credential": (
        evolve(IDENTITY, query="X-Amz-Credential=a"),
        IncompleteSignature,
        (
            "AWS query-string parameters must include 'X-Amz-Algorithm'. "
            "AWS query-string parameters must include 'X-Amz-Signature'. "
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
            "AWS query-string parameters must include 'X-Amz-Date'. "
            "Re-examine the query-string parameters."
        ),
    ),
    "another algorithm": (
        _changed("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        IncompleteSignature,
        "Unsupported AWS 'algorithm' in the query string.",
    ),
    "a parameter twice": (
        _changed("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=DeleteUser"),
        IncompleteSignature,
        "The query parameter 'Action' may appear only once.",
    ),
    "a signature twice, in another case": (
        _changed("X-Amz-Signature", "x-amz-signature=0&X-Amz-Signature"),
        IncompleteSignature,
        "The query parameter 'x-amz-signature' may appear only once.",
    ),
    "a signature twice, encoded": (
        _changed("X-Amz-Signature", "X%2DAmz%2DSignature=0&X-Amz-Signature"),
        IncompleteSignature,
        "The query parameter 'x-amz-signature' may appear only once.",
    ),
    "more than seven days": (
        _changed("X-Amz-Expires=60", "X-Amz-Expires=604801"),
        IncompleteSignature,
        "X-Amz-Expires must be a whole number of seconds, at least 1 and at most 604800",
    ),
    "no life at all": (
        _changed("X-Amz-Expires=60", "X-Amz-Expires=0"),
        IncompleteSignature,
        "X-Amz-Expires must be a whole number of seconds",
    ),
    "less than no life": (
        _changed("X-Amz-Expires=60", "X-Amz-Expires=-1"),
        IncompleteSignature,
        "X-Amz-Expires must be a whole number of seconds",
    ),
    "a longer life than was signed": (
        _changed("X-Amz-Expires=60", "X-Amz-Expires=600"),
        InvalidSignature,
        MISMATCH,
    ),
    "a session token": (
        _changed("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Security-Token=a"),
        UnrecognizedClient,
        "The security token included in the request is invalid.",
    ),
    "an amz header beside it": (
        evolve(SIGNED, headers=(*SIGNED.headers, ("x-amz-target", "a.B"))),
        InvalidSignature,
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "a header of credentials beside it": (
        evolve(SIGNED, headers=(*SIGNED.headers, ("authorization", "Bearer x"))),
        IncompleteSignature,
        "Only one auth mechanism allowed",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_and_how(name):
    request, fault, sentence = REFUSALS[name]
    with pytest.raises(fault) as refusal:
        check(request)
    assert refusal.value.message.startswith(sentence)
