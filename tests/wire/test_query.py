from xml.etree import ElementTree as ET

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.fault import Internal, InvalidSignature, Serialization, UnrecognizedClient
from moorage.ground.record import Record
from moorage.wire.query import decode, form, render, render_fault
from moorage.wire.request import Request

STS = "https://sts.amazonaws.com/doc/2011-06-15/"
FORM = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
MODEL = botocore.session.get_session().get_service_model("sts")


class Tag(Record, rename="pascal"):
    key: str
    value: str


class AssumeRoleRequest(Record, rename="pascal"):
    role_arn: str | None = None
    role_session_name: str | None = None
    duration_seconds: int | None = None
    tags: list[Tag] | None = None
    transitive_tag_keys: list[str] | None = None
    numbers: dict[str, int] | None = None
    enabled: bool | None = None


class Identity(Record, rename="pascal"):
    user_id: str | None = None
    account: str | None = None
    arn: str | None = None


class Credentials(Record, rename="pascal"):
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: float


class AssumeRoleResponse(Record, rename="pascal"):
    credentials: Credentials | None = None
    packed_policy_size: int | None = None
    flags: dict[str, bool] | None = None
    names: list[str] | None = None
    blob: bytes | None = None


def _posted(body: bytes, query: str = "") -> Request:
    return Request(method="POST", path="/", query=query, headers=FORM, body=body)


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (_posted(b""), {}),
        (_posted(b"Action=A&Version=2011-06-15"), {"Action": "A", "Version": "2011-06-15"}),
        (_posted(b"A=a+b&B=%C3%A9"), {"A": "a b", "B": "é"}),
        (_posted(b"A=1", "B=2"), {"A": "1", "B": "2"}),
        (
            Request(method="GET", path="/", query="Action=A&X-Amz-Signature=s&X-Amz-Expires=60"),
            {"Action": "A"},
        ),
        (Request(method="POST", path="/", body=b"A=1"), {}),
    ],
)
def test_the_fields_of_a_request(request_, fields):
    assert form(request_) == fields


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (_posted(b"A=1&A=2"), "The parameter A may appear only once."),
        (_posted(b"A=1", "A=1"), "The parameter A may appear only once."),
        (_posted(b"A=%ff"), "A parameter of the request is not UTF-8."),
        (
            _posted("&".join(f"A{n}=1" for n in range(1001)).encode()),
            "The request has more than 1000 parameters.",
        ),
    ],
)
def test_fields_that_are_refused(request_, sentence):
    with pytest.raises(Serialization) as refusal:
        form(request_)
    assert refusal.value.message == sentence


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({}, AssumeRoleRequest()),
        ({"Action": "AssumeRole", "Unknown.member.1": "x"}, AssumeRoleRequest()),
        (
            {"RoleArn": "arn", "DurationSeconds": "900", "Enabled": "true"},
            AssumeRoleRequest(role_arn="arn", duration_seconds=900, enabled=True),
        ),
        (
            {"Tags.member.1.Key": "a", "Tags.member.1.Value": "1",
             "Tags.member.2.Key": "b", "Tags.member.2.Value": "2"},
            AssumeRoleRequest(tags=[Tag(key="a", value="1"), Tag(key="b", value="2")]),
        ),
        (
            {f"TransitiveTagKeys.member.{n}": str(n) for n in range(12, 0, -1)},
            AssumeRoleRequest(transitive_tag_keys=[str(n) for n in range(1, 13)]),
        ),
        ({"TransitiveTagKeys": ""}, AssumeRoleRequest(transitive_tag_keys=[])),
        (
            {"Numbers.entry.1.key": "a", "Numbers.entry.1.value": "7"},
            AssumeRoleRequest(numbers={"a": 7}),
        ),
    ],
)  # fmt: skip
def test_forms_that_are_taken(fields, value):
    assert decode(fields, AssumeRoleRequest) == value


@pytest.mark.parametrize(
    "fields",
    [
        {"DurationSeconds": "soon"},
        {"DurationSeconds.member.1": "1"},
        {"Tags": "a"},
        {"Tags.member.0.Key": "a"},
        {"Tags.member.1": "a"},
        {"Tags.member.1.Key": "a"},
        {"Tags.Key": "a"},
        {"RoleArn": "a", "RoleArn.member.1": "b"},
        {"RoleArn.member.1": "b", "RoleArn": "a"},
        {"A" + ".a" * 20: "deep"},
        {"Enabled": "perhaps"},
    ],
)
def test_forms_that_are_refused(fields):
    with pytest.raises(Serialization) as refusal:
        decode(fields, AssumeRoleRequest)
    assert refusal.value.message


@given(st.dictionaries(st.text("AaTagskeymbr.1290RoleArn", max_size=20), st.text(max_size=5)))
def test_forms_give_a_struct_or_the_fault(fields):
    try:
        assert isinstance(decode(fields, AssumeRoleRequest), AssumeRoleRequest)
    except Serialization as fault:
        assert fault.message  # noqa: PT017 - either outcome is right


def test_what_botocore_sends_is_understood():
    parameters = {
        "RoleArn": "arn:aws:iam::123456789012:role/a",
        "RoleSessionName": "a b",
        "DurationSeconds": 900,
        "Tags": [{"Key": "k", "Value": "v=&"}, {"Key": "é", "Value": ""}],
        "TransitiveTagKeys": [],
    }
    serializer = create_serializer("query")
    sent = serializer.serialize_to_request(parameters, MODEL.operation_model("AssumeRole"))
    assert decode({k: str(v) for k, v in sent["body"].items()}, AssumeRoleRequest) == (
        AssumeRoleRequest(
            role_arn=parameters["RoleArn"],
            role_session_name="a b",
            duration_seconds=900,
            tags=[Tag(key="k", value="v=&"), Tag(key="é", value="")],
            transitive_tag_keys=[],
        )
    )


def _parsed(answer, operation):
    shape = MODEL.operation_model(operation).output_shape
    response = {
        "status_code": answer.status, "headers": dict(answer.headers), "body": answer.body,
    }  # fmt: skip
    return create_parser("query").parse(response, shape)


def test_an_answer_as_botocore_reads_it():
    identity = Identity(user_id="AIDA", account="123456789012", arn="arn:aws:iam::1:user/<a&b>")
    answer = render(identity, "GetCallerIdentity", STS, "r-1")
    assert answer.body == (
        b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        b"<GetCallerIdentityResult><UserId>AIDA</UserId><Account>123456789012</Account>"
        b"<Arn>arn:aws:iam::1:user/&lt;a&amp;b&gt;</Arn></GetCallerIdentityResult>"
        b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
        b"</GetCallerIdentityResponse>"
    )
    parsed = _parsed(answer, "GetCallerIdentity")
    metadata = parsed.pop("ResponseMetadata")
    assert parsed == {
        "UserId": "AIDA", "Account": "123456789012", "Arn": "arn:aws:iam::1:user/<a&b>",
    }  # fmt: skip
    assert metadata["RequestId"] == "r-1"


def test_timestamps_numbers_lists_and_maps_in_xml():
    answer = render(
        AssumeRoleResponse(
            credentials=Credentials(
                access_key_id="a", secret_access_key="b", session_token="c", expiration=1.8e9
            ),
            packed_policy_size=6,
            flags={"x": True, "y": False},
            names=["p", "q"],
            blob=b"hi",
        ),
        "AssumeRole",
        STS,
        "r-1",
    )
    parsed = _parsed(answer, "AssumeRole")
    assert parsed["Credentials"]["Expiration"].timestamp() == 1.8e9
    assert parsed["PackedPolicySize"] == 6
    assert b"<Expiration>2027-01-15T08:00:00.000Z</Expiration>" in answer.body
    assert (
        b"<Flags><entry><key>x</key><value>true</value></entry>"
        b"<entry><key>y</key><value>false</value></entry></Flags>"
        b"<Names><member>p</member><member>q</member></Names><Blob>aGk=</Blob>"
    ) in answer.body


@pytest.mark.parametrize(
    ("fault", "status", "code", "blame"),
    [
        (UnrecognizedClient("Who?"), 403, "InvalidClientTokenId", "Sender"),
        (InvalidSignature("No."), 403, "SignatureDoesNotMatch", "Sender"),
        (Internal("Ours."), 500, "InternalFailure", "Receiver"),
    ],
)
def test_a_refusal_as_botocore_reads_it(fault, status, code, blame):
    answer = render_fault(fault, STS, "r-1")
    assert answer.status == status
    parsed = _parsed(answer, "GetCallerIdentity")
    assert parsed["Error"] == {"Type": blame, "Code": code, "Message": fault.message}
    assert parsed["ResponseMetadata"]["RequestId"] == "r-1"


@given(st.text())
def test_any_message_is_well_formed_xml(message):
    answer = render_fault(InvalidSignature(message), STS, "r-1")
    root = ET.fromstring(answer.body)
    assert root.find(f"{{{STS}}}Error/{{{STS}}}Code").text == "SignatureDoesNotMatch"
