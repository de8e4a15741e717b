import json

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.fault import Internal, Serialization, Validation
from moorage.ground.record import Record
from moorage.wire.json11 import decode, encode, render, render_fault


class Port(Record, rename="camel"):
    host_port: int | None = None
    protocol: str | None = None


class Service(Record, rename="camel"):
    service_name: str | None = None
    desired_count: int | None = None
    created_at: float | None = None
    enabled: bool | None = None
    ports: list[Port] | None = None
    labels: dict[str, str] | None = None
    next: "Service | None" = None
    blob: bytes | None = None


class Strict(Record):
    name: str


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", Service()),
        (b"{}", Service()),
        (b' {"serviceName" : "web"}\n', Service(service_name="web")),
        (b'{"serviceName":null,"ports":null}', Service()),
        (b'{"unknown":{"a":[1,2.5,null,true]},"desiredCount":3}', Service(desired_count=3)),
        (b'{"createdAt":1700000000}', Service(created_at=1.7e9)),
        (b'{"ports":[{"hostPort":80},{}]}', Service(ports=[Port(host_port=80), Port()])),
        (b'{"labels":{"a":"b"},"blob":"aGk="}', Service(labels={"a": "b"}, blob=b"hi")),
        (b'{"serviceName":"\\ud83d\\ude80"}', Service(service_name="\U0001f680")),
        (b'{"desiredCount":9223372036854775807}', Service(desired_count=2**63 - 1)),
    ],
)
def test_bodies_that_are_taken(body, value):
    assert decode(body, Service) == value


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"serviceName":1}', "NUMBER_VALUE can not be converted to a String: serviceName."),
        (b'{"serviceName":true}', "BOOLEAN_VALUE can not be converted to a String: serviceName."),
        (
            b'{"serviceName":{}}',
            "Start of structure or map found where not expected: serviceName.",
        ),
        (b'{"serviceName":[]}', "Start of list found where not expected: serviceName."),
        (
            b'{"desiredCount":"3"}',
            "STRING_VALUE can not be converted to an Integer: desiredCount.",
        ),
        (
            b'{"desiredCount":2.5}',
            "NUMBER_VALUE can not be converted to an Integer: desiredCount.",
        ),
        (b'{"createdAt":"now"}', "STRING_VALUE can not be converted to a Double: createdAt."),
        (b'{"enabled":1}', "NUMBER_VALUE can not be converted to a Boolean: enabled."),
        (b'{"ports":{}}', "Expected list or null: ports."),
        (b'{"ports":[1]}', "Expected structure, map or null: ports[0]."),
        (
            b'{"ports":[{},{"hostPort":"a"}]}',
            "STRING_VALUE can not be converted to an Integer: ports[1].hostPort.",
        ),
        (
            b'{"labels":{"a":null}}',
            "NULL_VALUE can not be converted to a String: labels[...].",
        ),
        (b'{"blob":"?"}', "Invalid base64 encoded string: blob."),
        (b"[]", "Expected structure, map or null: the body."),
        (b"null", "Expected structure, map or null: the body."),
        (b'{"serviceName":"a","serviceName":"b"}', "Duplicate member: serviceName."),
        (b'{"unknown":{"a":1,"b":2,"a":3}}', "Duplicate member: a."),
        (b'{"service\\u004eame":"a","serviceName":"b"}', "Duplicate member: serviceName."),
        (
            b'{"desiredCount":9223372036854775808}',
            "NUMBER_VALUE is out of the range of a 64-bit integer.",
        ),
        (
            b'{"unknown":' + b"9" * 5000 + b"}",
            "NUMBER_VALUE is out of the range of a 64-bit integer.",
        ),
        (b'{"createdAt":1e999}', "Number out of range: createdAt."),
        (
            b'{"createdAt":NaN}',
            "The body is not valid JSON: JSON is malformed: invalid character (byte 13).",
        ),
        (b'{"serviceName":"\\ud800"}', "The body is not valid JSON: Input data was truncated."),
        (b'{"serviceName":"\xff"}', "The body is not UTF-8."),
        (b'{"unknown":"\xff"}', "The body is not UTF-8."),
        (b"\xef\xbb\xbf{}", "The body is not valid JSON"),
        (b"{", "The body is not valid JSON: Input data was truncated."),
        (b" ", "The body is not valid JSON: Input data was truncated."),
        (b"{} {}", "The body is not valid JSON"),
        (b'{"next":' * 5000 + b"{}" + b"}" * 5000, "The body is nested too deeply."),
        (b'{"unknown":' + b"[" * 100000 + b"]" * 100000 + b"}", "The body is nested too deeply."),
    ],
)
def test_bodies_that_are_refused_and_the_sentence(body, sentence):
    with pytest.raises(Serialization) as refusal:
        decode(body, Service)
    assert refusal.value.message.startswith(sentence)


def test_a_missing_member_is_named():
    with pytest.raises(Serialization, match=r"Missing required member: name\."):
        decode(b"{}", Strict)


@given(st.binary(max_size=200))
def test_octets_give_a_struct_or_the_fault(body):
    try:
        assert isinstance(decode(body, Service), Service)
    except Serialization as fault:
        assert fault.message  # noqa: PT017 - either outcome is right


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["serviceName", "desiredCount", "ports", "next", "labels", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_json_of_any_form_gives_a_struct_or_the_fault(value):
    try:
        assert isinstance(decode(json.dumps(value).encode(), Service), Service)
    except Serialization as fault:
        assert fault.message  # noqa: PT017 - either outcome is right


SERVICES = st.builds(
    Service,
    service_name=st.none() | st.text(st.characters(exclude_categories=("Cs",))),
    desired_count=st.none() | st.integers(-(2**63), 2**63 - 1),
    created_at=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    ports=st.none() | st.lists(st.builds(Port, host_port=st.none() | st.integers(0, 65535))),
)


@given(SERVICES)
def test_what_is_encoded_is_decoded_again(value):
    assert decode(encode(value), Service) == value


def test_an_answer_carries_its_struct_and_its_request_id():
    answer = render(Service(service_name="web", desired_count=0), "r-1")
    assert answer.status == 200
    assert answer.body == b'{"serviceName":"web","desiredCount":0}'
    assert answer.get("content-type") == "application/x-amz-json-1.1"
    assert answer.get("x-amzn-requestid") == "r-1"
    assert render(Service(), "r-1", "1.0").get("content-type") == "application/x-amz-json-1.0"


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Validation("No."), 400, b'{"__type":"ValidationException","message":"No."}'),
        (Internal("Ours."), 500, b'{"__type":"ServerException","message":"Ours."}'),
        (
            Validation("No.", resourceIds=["a"], detail=None),
            400,
            b'{"__type":"ValidationException","message":"No.","resourceIds":["a"]}',
        ),
    ],
)
def test_a_refusal_as_botocore_reads_it(fault, status, body):
    answer = render_fault(fault, "r-1")
    assert (answer.status, answer.body) == (status, body)
    parsed = create_parser("json").parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, None
    )
    assert parsed["Error"] == {"Code": fault.code, "Message": fault.message}
    assert parsed["ResponseMetadata"]["RequestId"] == "r-1"
