"""awsJson 1.1 (and 1.0, which differs in its content type): bodies to structs, and back.

As AWS reads JSON: null is absent, unknown members are ignored. What it may not be: a member of
another type than the model's, a name twice in one object, an integer of more than 64 bits, text
that is no Unicode. All of these are a Serialization fault, and nothing else is ever raised.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec

from moorage.ground.fault import Fault, Serialization
from moorage.wire.request import Headers, Response

Version = Literal["1.0", "1.1"]
NAME_SHOWN_CHARACTERS_MAX = 64
INTEGER_MAX = 2**63 - 1
INTEGER_MIN = -(2**63)
_DECODERS_MAX = 1024
_INTEGER_DIGITS_MAX = 20

_S = TypeVar("_S", bound=msgspec.Struct)
_MISMATCH = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_PLACE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`")
_TOKENS = {
    "str": "STRING_VALUE",
    "int": "NUMBER_VALUE",
    "float": "NUMBER_VALUE",
    "bool": "BOOLEAN_VALUE",
    "null": "NULL_VALUE",
}
_KINDS = {"str": "a String", "int": "an Integer", "float": "a Double", "bool": "a Boolean"}
_COLLECTIONS = {
    "object": "Start of structure or map found where not expected",
    "array": "Start of list found where not expected",
}
_ENCODER = msgspec.json.Encoder()


def decode(body: bytes, shape: type[_S]) -> _S:
    """The struct of type `shape` that a body holds; an empty body is an empty object.

    Raises Serialization with a sentence that names the member, and no other exception.
    """
    text = body or b"{}"
    try:
        value: _S = _decoder(shape).decode(text)
        _SCANNER.decode(text.decode())
    except msgspec.ValidationError as error:
        raise Serialization(_mistyped(str(error))) from error
    except UnicodeError as error:
        raise Serialization("The body is not UTF-8.") from error
    except RecursionError as error:
        raise Serialization("The body is nested too deeply.") from error
    except ValueError as error:
        raise Serialization(f"The body is not valid JSON: {error}.") from error
    return value


def encode(value: object) -> bytes:
    """The JSON of a struct; members that hold their default are left out, as shapes declare."""
    return _ENCODER.encode(value)


def render(value: object, request_id: str, version: Version = "1.1") -> Response:
    """The 200 answer that carries a struct."""
    return Response(status=200, headers=_headers(request_id, version), body=encode(value))


def render_fault(fault: Fault, request_id: str, version: Version = "1.1") -> Response:
    """The answer to a refusal: `__type` is the bare code, then `message`, then its own members."""
    members = {name: value for name, value in fault.members.items() if value is not None}
    body = encode({"__type": fault.code, "message": fault.message, **members})
    return Response(status=fault.status, headers=_headers(request_id, version), body=body)


def _headers(request_id: str, version: Version) -> Headers:
    return (
        ("x-amzn-requestid", request_id),
        ("content-type", f"application/x-amz-json-{version}"),
    )


@lru_cache(maxsize=_DECODERS_MAX)
def _decoder(shape: type[_S]) -> msgspec.json.Decoder[_S]:
    return msgspec.json.Decoder(shape)


def _mistyped(problem: str) -> str:
    """AWS's sentence for a member of the wrong type, with the member's path added."""
    place = _PLACE.search(problem)
    path = place[1] if place is not None else ""
    missing = _MISSING.search(problem)
    if missing is not None:
        return f"Missing required member: {path}{'.' if path else ''}{missing[1]}."
    mismatch = _MISMATCH.search(problem)
    where = f": {path}." if path else ": the body."
    if mismatch is None:
        return f"{_PLACE.sub('', problem)}{where}"
    expected, found = mismatch[1].removesuffix(" | null"), mismatch[2]
    if expected in _KINDS:
        known = _COLLECTIONS.get(found)
        sentence = (
            known or f"{_TOKENS.get(found, found)} can not be converted to {_KINDS[expected]}"
        )
    elif expected == "array":
        sentence = "Expected list or null"
    else:
        sentence = "Expected structure, map or null"
    return sentence + where


def _refuse_repeats(pairs: Sequence[tuple[str, Any]]) -> None:
    """Refuse an object that names a member twice: which of the two counts would be a guess."""
    if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        shown = repeated.encode("ascii", "backslashreplace").decode()[:NAME_SHOWN_CHARACTERS_MAX]
        raise Serialization(f"Duplicate member: {shown}.")


def _bounded(digits: str) -> None:
    if len(digits) > _INTEGER_DIGITS_MAX or not INTEGER_MIN <= int(digits) <= INTEGER_MAX:
        raise Serialization("NUMBER_VALUE is out of the range of a 64-bit integer.")


# msgspec keeps the last of two equal names and takes integers of any length; this second reading
# builds nothing and only looks for those two.
_SCANNER = json.JSONDecoder(object_pairs_hook=_refuse_repeats, parse_int=_bounded)
