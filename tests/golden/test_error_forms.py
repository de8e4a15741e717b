"""Errors byte for byte: status line, headers and body of each refusal, as files beside this test.

The codes and sentences are AWS's own (IAM User Guide, "Troubleshoot Signature Version 4 signing";
"Common Errors" of each API reference; reports of users of the SDKs), where AWS's are known.
A file is changed only because AWS answers otherwise, and the commit says where that is seen.
"""

from pathlib import Path

import pytest

from moorage.ground.fault import (
    AccessDenied,
    Fault,
    Internal,
    Throttling,
    TooLarge,
    Unavailable,
    UnknownOperation,
    Unsupported,
    Validation,
)
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import Record
from moorage.wire import json11, query
from moorage.wire.request import Request, Response
from moorage.wire.route import Table, route
from tests.wire.signing import NOW, PLAIN, SIGNED, check, with_header

FORMS = Path(__file__).parent / "error_forms"
REQUEST_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
AUTHORIZATION = SIGNED.get("authorization")


class Shape(Record):
    count: int | None = None


def _refused(request: Request, now: Instant = NOW) -> Fault:
    with pytest.raises(Fault) as refusal:
        check(request, now=now)
    return refusal.value


def _reheaded(old: str, new: str) -> Request:
    return with_header(SIGNED, "authorization", AUTHORIZATION.replace(old, new))


def _undecodable(body: bytes) -> Fault:
    with pytest.raises(Fault) as refusal:
        json11.decode(body, Shape)
    return refusal.value


def _unrouted(request: Request) -> Fault:
    with pytest.raises(UnknownOperation) as refusal:
        route(request, Table(prefixes={}, versions={}))
    return refusal.value


FAULTS = {
    "missing_token": lambda: _refused(PLAIN),
    "incomplete": lambda: _refused(with_header(PLAIN, "authorization", "AWS4-HMAC-SHA256 A=b")),
    "mismatch": lambda: _refused(with_header(SIGNED, "content-type", "text/plain")),
    "expired": lambda: _refused(SIGNED, later(NOW, seconds(360))),
    "not_yet_current": lambda: _refused(SIGNED, later(NOW, seconds(-360))),
    "foreign_region": lambda: _refused(_reheaded("us-east-1", "eu-west-9")),
    "other_service": lambda: _refused(_reheaded("/ecs/", "/s3/")),
    "other_day": lambda: _refused(_reheaded("/20261123/", "/20261122/")),
    "unknown_key": lambda: _refused(_reheaded("AKIDEXAMPLE", "AKIDNOBODY")),
    "host_unsigned": lambda: _refused(_reheaded("host;", "")),
    "unknown_operation": lambda: _unrouted(SIGNED),
    "mistyped": lambda: _undecodable(b'{"count":"3"}'),
    "malformed": lambda: _undecodable(b"{"),
    "duplicate": lambda: _undecodable(b'{"count":1,"count":2}'),
    "access_denied": lambda: AccessDenied(
        "User: arn:aws:iam::123456789012:root is not authorized to perform: ecs:ListClusters"
    ),
    "validation": lambda: Validation('Names "<&>" are é.', resourceIds=["a", "b"]),
    "throttling": lambda: Throttling("Rate exceeded"),
    "unsupported": lambda: Unsupported("Moorage has no UpdateCluster yet."),
    "too_large": lambda: TooLarge("The body is longer than 1048576 bytes."),
    "unavailable": lambda: Unavailable("The disk is full."),
    "internal": lambda: Internal("Service Unavailable. Please try again later."),
}


def _written(answer: Response) -> bytes:
    lines = [f"HTTP {answer.status}", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\n".join(lines).encode() + b"\n\n" + answer.body + b"\n"


@pytest.mark.parametrize("name", FAULTS)
def test_in_json(name):
    answer = json11.render_fault(FAULTS[name](), REQUEST_ID)
    assert _written(answer) == (FORMS / f"{name}.json.txt").read_bytes()


@pytest.mark.parametrize("name", FAULTS)
def test_in_xml(name):
    answer = query.render_fault(FAULTS[name](), STS, REQUEST_ID)
    assert _written(answer) == (FORMS / f"{name}.xml.txt").read_bytes()


def test_every_file_has_its_test():
    expected = {f"{name}.{form}.txt" for name in FAULTS for form in ("json", "xml")}
    assert {path.name for path in FORMS.iterdir()} == expected
