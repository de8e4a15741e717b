"""Laws of signatures: all that botocore signs is accepted, nothing that was touched is."""

from urllib.parse import quote, unquote_plus

import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import assume, given
from hypothesis import strategies as st

from moorage.ground.fault import (
    Fault,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthentication,
    UnrecognizedClient,
)
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from moorage.wire.presign import presign
from moorage.wire.request import Request
from moorage.wire.sigv4 import UNSIGNED_HEADERS, sign
from tests.wire.signing import (
    CREDENTIALS,
    NOW,
    REGION,
    SERVICE,
    SIGNED,
    VERIFIED,
    check,
    signed_by_botocore,
)

REFUSALS = (MissingAuthentication, IncompleteSignature, InvalidSignature, UnrecognizedClient)
SEGMENTS = (
    st.text(min_size=1, max_size=8)
    .filter(lambda text: text not in {".", ".."})
    .map(lambda text: quote(text.encode("utf-8", "replace"), safe=":@!$&'()*+,;="))
)
PATHS = st.builds(
    lambda segments, slash: "/" + "/".join(segments) + ("/" if segments and slash else ""),
    st.lists(SEGMENTS, max_size=4),
    st.booleans(),
)
UNICODE = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
PARAMETERS = st.dictionaries(
    UNICODE.filter(lambda name: name and not name.lower().startswith("x-amz")), UNICODE, max_size=4
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
NAMES = st.sampled_from(
    ["content-type", "x-amz-target", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent",
     "x-amz-custom", "accept-language", "expect", "x-amzn-trace-id"]
)  # fmt: skip
ORIGINS = st.sampled_from(
    ["http://127.0.0.1:4750", "https://ecs.us-east-1.amazonaws.com", "http://[::1]:4750",
     "https://Registry.Example:4751"]
)  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"])


@given(METHODS, ORIGINS, PATHS, PARAMETERS, st.dictionaries(NAMES, VALUES), st.binary(max_size=64))
def test_what_botocore_signs_is_accepted(method, origin, path, parameters, headers, body):
    request = AWSRequest(method, origin + path, headers=headers, data=body, params=parameters)
    arrived, now = signed_by_botocore(request, in_query=False)
    lowered = tuple(
        (name, value.lower() if name == "host" else value) for name, value in arrived.headers
    )
    assert check(evolve(arrived, headers=lowered), now=now) == VERIFIED


@given(ORIGINS, PATHS, PARAMETERS, st.integers(min_value=1, max_value=604800))
def test_what_botocore_presigns_is_accepted(origin, path, parameters, expires):
    request = AWSRequest("GET", origin.lower() + path, params=parameters)
    arrived, now = signed_by_botocore(request, in_query=True, expires=expires)
    assert check(arrived, now=now) == VERIFIED


def test_botocore_may_sign_by_the_date_header():
    request = AWSRequest("POST", "http://h/", headers={"Date": "x"}, data=b"{}")
    arrived, now = signed_by_botocore(request, in_query=False)
    assert arrived.get("x-amz-date") is None
    assert check(arrived, now=now) == VERIFIED


SIGNATURES = st.sampled_from(["header", "query"])
REQUESTS = st.builds(
    lambda method, path, parameters, headers, body: Request(
        method=method,
        path=path,
        query="&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in parameters.items()),
        headers=(("host", "127.0.0.1:4750"), *sorted(headers.items())),
        body=body,
    ),
    METHODS,
    PATHS,
    PARAMETERS,
    st.dictionaries(NAMES, VALUES),
    st.binary(max_size=64),
)


def _signed(request: Request, how: str) -> Request:
    if how == "header":
        return sign(request, CREDENTIALS, SERVICE, REGION, NOW)
    return presign(request, CREDENTIALS, SERVICE, REGION, NOW, seconds(60))


@given(REQUESTS, SIGNATURES)
def test_what_we_sign_we_accept(request, how):
    assert check(_signed(request, how)) == VERIFIED


def _flipped(data: st.DataObject, text: str, alphabet: str) -> str:
    assume(text)
    place = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    letter = data.draw(st.sampled_from([one for one in alphabet if one != text[place]]))
    return text[:place] + letter + text[place + 1 :]


def _meaning(query: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in query.split("&")) if query else ()
    return sorted(
        (unquote_plus(name, "latin-1"), unquote_plus(value, "latin-1")) for name, _, value in pairs
    )


def _touch_method(data: st.DataObject, request: Request) -> Request:
    return evolve(request, method=data.draw(METHODS.filter(lambda one: one != request.method)))


def _touch_path(data: st.DataObject, request: Request) -> Request:
    return evolve(request, path=_flipped(data, request.path, "abcXYZ019%/.-_~"))


def _bend_path(data: st.DataObject, request: Request) -> Request:
    bent = data.draw(st.sampled_from(["/", "/.", "/..", "//", "/x/..", "%2F"]))
    return evolve(request, path=request.path + bent)


def _touch_query(data: st.DataObject, request: Request) -> Request:
    query = _flipped(data, request.query, "abcXYZ019%&=+-")
    assume(_meaning(query) != _meaning(request.query))
    return evolve(request, query=query)


def _add_parameter(data: st.DataObject, request: Request) -> Request:
    added = data.draw(st.sampled_from(["a=1", "", "Action=DeleteCluster", "X-Amz-Expires=604800"]))
    joined = f"{request.query}&{added}" if data.draw(st.booleans()) else f"{added}&{request.query}"
    return evolve(request, query=joined)


def _touch_body(data: st.DataObject, request: Request) -> Request:
    body = data.draw(st.binary(max_size=64).filter(lambda one: one != request.body))
    return evolve(request, body=body)


def _touch_header(data: st.DataObject, request: Request) -> Request:
    places = [
        place
        for place, (name, value) in enumerate(request.headers)
        if value.strip() and (name not in UNSIGNED_HEADERS or name == "authorization")
    ]
    place = data.draw(st.sampled_from(places))
    name, value = request.headers[place]
    changed = (name, _flipped(data, value, "abcXYZ019;=/"))
    return evolve(
        request, headers=(*request.headers[:place], changed, *request.headers[place + 1 :])
    )


def _drop_header(data: st.DataObject, request: Request) -> Request:
    signed = [
        pair
        for pair in request.headers
        if pair[0] not in UNSIGNED_HEADERS or pair[0] == "authorization"
    ]
    dropped = data.draw(st.sampled_from(signed))
    return evolve(request, headers=tuple(pair for pair in request.headers if pair != dropped))


def _add_header(data: st.DataObject, request: Request) -> Request:
    name = data.draw(st.sampled_from(["x-amz-other", "x-amz-date", "x-amz-target", "host"]))
    return evolve(request, headers=(*request.headers, (name, data.draw(VALUES))))


TOUCHES = [
    _touch_method, _touch_path, _bend_path, _touch_query, _add_parameter, _touch_body,
    _touch_header, _drop_header, _add_header,
]  # fmt: skip


@pytest.mark.parametrize("touch", TOUCHES)
@given(REQUESTS, SIGNATURES, st.data())
def test_what_was_touched_is_refused(touch, request, how, data):
    touched = touch(data, _signed(request, how))
    with pytest.raises(REFUSALS):
        check(touched)


@given(
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["authorization", "x-amz-date", "date", "host", "x-amz-content-sha256"]
            ),
            st.text(st.characters(max_codepoint=255), max_size=60),
        ),
        max_size=4,
    ),
)
def test_nonsense_is_refused_and_nothing_else_happens(path, query, headers):
    request = Request(method="GET", path=path, query=query, headers=tuple(headers))
    with pytest.raises(REFUSALS):
        check(request)


@given(
    st.dictionaries(
        st.sampled_from(
            ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
             "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token"]
        ),
        st.one_of(
            st.text(st.characters(max_codepoint=255), max_size=20),
            st.sampled_from(
                ["AWS4-HMAC-SHA256", "AKIDEXAMPLE/20261123/us-east-1/ecs/aws4_request",
                 "20261123T031137Z", "60", "host"]
            ),
        ),
    )
)  # fmt: skip
def test_nonsense_in_the_query_is_refused_and_nothing_else_happens(parameters):
    query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
    with pytest.raises(REFUSALS):
        check(Request(method="GET", path="/", query=query, headers=(("host", "h"),)))


@given(st.integers(min_value=0, max_value=255), st.data())
def test_every_octet_of_the_authorization_counts(octet, data):
    authorization = SIGNED.get("authorization")
    place = data.draw(st.integers(min_value=0, max_value=len(authorization) - 1))
    letter = chr(octet)
    assume(letter != authorization[place])
    assume(not (authorization[place] == " " and letter.isspace()))
    changed = authorization[:place] + letter + authorization[place + 1 :]
    headers = tuple(
        (name, changed if name == "authorization" else value) for name, value in SIGNED.headers
    )
    with pytest.raises(Fault):
        check(evolve(SIGNED, headers=headers))
