"""awsQuery, which STS and IAM speak: a form in, XML out.

Source: "AWS Query protocol", Smithy. Lists are `Name.member.N`, maps `Name.entry.N.key` and
`.value`, and members of structures `Name.Member`. No shape of STS or IAM has a floating-point
number, so a float in an answer is a timestamp, written in ISO 8601.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar
from xml.sax.saxutils import escape

import msgspec
from msgspec import inspect

from moorage.ground.fault import Fault, Serialization
from moorage.ground.instant import from_epoch, iso
from moorage.wire.canonical import parse_query
from moorage.wire.presign import PARAMETERS
from moorage.wire.request import Headers, Request, Response

FIELDS_MAX = 1000
DEPTH_MAX = 16
NAME_SHOWN_CHARACTERS_MAX = 64
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
SERVER_ERROR_STATUS = 500

_S = TypeVar("_S", bound=msgspec.Struct)
_SHAPES_MAX = 1024
_ORDINAL = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
# What XML 1.0 cannot hold, not even escaped (section 2.2, "Characters").
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Codes and statuses that the Query services give to refusals common to all services
# ("Common Errors", STS API Reference).
CODES: dict[str, tuple[str, int]] = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "SerializationException": ("MalformedInput", 400),
    "ServerException": ("InternalFailure", 500),
    "ServiceUnavailableException": ("ServiceUnavailable", 503),
    "ThrottlingException": ("Throttling", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
}

_Tree = dict[str, "str | _Tree"]


def form(request: Request) -> dict[str, str]:
    """The fields of a query string and a form body, without the signature's own.

    Text is decoded as UTF-8. Raises Serialization for a field that is given twice, too many
    fields, or text that is none.
    """
    pairs = [pair for pair in parse_query(request.query) if pair[0].lower() not in PARAMETERS]
    if (request.get("content-type") or "").lower().startswith(FORM_CONTENT_TYPE):
        pairs += parse_query(request.body.decode("latin-1"))
    if len(pairs) > FIELDS_MAX:
        raise Serialization(f"The request has more than {FIELDS_MAX} parameters.")
    fields: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        try:
            name = raw_name.encode("latin-1").decode()
            value = raw_value.encode("latin-1").decode()
        except UnicodeDecodeError as error:
            raise Serialization("A parameter of the request is not UTF-8.") from error
        if name in fields:
            raise Serialization(f"The parameter {_shown(name)} may appear only once.")
        fields[name] = value
    return fields


def decode(fields: Mapping[str, str], shape: type[_S]) -> _S:
    """The struct of type `shape` that a form holds; fields the shape does not know are ignored.

    Raises Serialization, and no other exception.
    """
    kind = _inspected(shape)
    try:
        return msgspec.convert(_value(_tree(fields), kind), shape, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise Serialization(f"The request is malformed: {error}.") from error


def render(value: object, operation: str, namespace: str, request_id: str) -> Response:
    """The 200 answer that carries a struct as the result of `operation`.

    `namespace` is the service's own, such as `https://sts.amazonaws.com/doc/2011-06-15/`.
    """
    body = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{_members(value)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{escape(request_id)}</RequestId>"
        f"</ResponseMetadata></{operation}Response>"
    )
    return Response(status=200, headers=_headers(request_id), body=body.encode())


def render_fault(fault: Fault, namespace: str, request_id: str) -> Response:
    """The answer to a refusal; who is to blame follows from the status."""
    code, status = CODES.get(fault.code, (fault.code, fault.status))
    blame = "Sender" if status < SERVER_ERROR_STATUS else "Receiver"
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{blame}</Type><Code>{_text(code)}</Code>'
        f"<Message>{_text(fault.message)}</Message></Error>"
        f"<RequestId>{escape(request_id)}</RequestId></ErrorResponse>"
    )
    return Response(status=status, headers=_headers(request_id), body=body.encode())


def _headers(request_id: str) -> Headers:
    return (("x-amzn-requestid", request_id), ("content-type", "text/xml"))


@lru_cache(maxsize=_SHAPES_MAX)
def _inspected(shape: type) -> inspect.Type:
    return inspect.type_info(shape)


def _tree(fields: Mapping[str, str]) -> _Tree:
    """Dotted names as nested tables."""
    tree: _Tree = {}
    for name, value in fields.items():
        *path, leaf = name.split(".")
        if len(path) >= DEPTH_MAX:
            raise Serialization(f"The parameter {_shown(name)} is nested too deeply.")
        node = tree
        for part in path:
            below = node.setdefault(part, {})
            if isinstance(below, str):
                raise Serialization(
                    f"The parameter {_shown(name)} is both a value and a structure."
                )
            node = below
        if leaf in node:
            raise Serialization(f"The parameter {_shown(name)} is both a value and a structure.")
        node[leaf] = value
    return tree


def _value(node: "str | _Tree", kind: inspect.Type) -> object:
    """A node in the form that `msgspec.convert` takes for a type: lists and maps unfolded."""
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return [_value(one, kind.item_type) for one in _numbered(node, "member")]
    if isinstance(kind, inspect.DictType):
        return {
            _value(entry["key"], kind.key_type): _value(entry["value"], kind.value_type)
            for entry in _numbered(node, "entry")
            if isinstance(entry, dict) and "key" in entry and "value" in entry
        }
    if isinstance(kind, inspect.StructType) and isinstance(node, dict):
        kinds = {field.encode_name: field.type for field in kind.fields}
        return {name: _value(one, kinds[name]) for name, one in node.items() if name in kinds}
    return node


def _numbered(node: "str | _Tree", word: str) -> "list[str | _Tree]":
    """The things of a list or map in the order of their numbers; an empty text is an empty list."""
    if node == "":
        return []
    numbered = node.get(word) if isinstance(node, dict) else None
    if not isinstance(numbered, dict) or not all(map(_ORDINAL.fullmatch, numbered)):
        raise Serialization(f"A list is written with .{word}.N, N counting from 1.")
    return [numbered[number] for number in sorted(numbered, key=int)]


def _members(value: object) -> str:
    """The XML inside an element that holds `value`."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        given = ((field.encode_name, getattr(value, field.name)) for field in fields)
        return "".join(
            f"<{name}>{_members(one)}</{name}>" for name, one in given if one is not None
        )
    if isinstance(value, list | tuple):
        return "".join(f"<member>{_members(one)}</member>" for one in value)
    if isinstance(value, dict):
        return "".join(
            f"<entry><key>{_text(str(key))}</key><value>{_members(one)}</value></entry>"
            for key, one in value.items()
        )
    return _text(_scalar(value))


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return iso(from_epoch(value))
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value)


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:NAME_SHOWN_CHARACTERS_MAX]
