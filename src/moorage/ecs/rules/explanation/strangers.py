"""Members of a document that AWS's model does not have: misspelled ones, mostly, which AWS ignores."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

STRANGERS_MAX = 50


def strangers(document: object, shape: type[msgspec.Struct]) -> list[str]:
    """The paths of such members, at most STRANGERS_MAX: `containerDefinitions[0].memry`."""
    found: list[str] = []
    for path in _walk(document, _type_of(shape), ""):
        if len(found) == STRANGERS_MAX:
            break
        found.append(path)
    return found


@cache
def _type_of(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


def _walk(value: object, kind: inspect.Type, path: str) -> Iterator[str]:
    for one in _alternatives(kind):
        if isinstance(one, inspect.StructType) and isinstance(value, dict):
            yield from _members(value, one, path)
        elif isinstance(one, inspect.ListType) and isinstance(value, list):
            for place, element in enumerate(value):
                yield from _walk(element, one.item_type, f"{path}[{place}]")


def _members(value: dict[str, Any], kind: inspect.StructType, path: str) -> Iterator[str]:
    known = {field.encode_name: field.type for field in kind.fields}
    for name, inner in value.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in known:
            yield where
        else:
            yield from _walk(inner, known[name], where)


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return tuple(kind.types) if isinstance(kind, inspect.UnionType) else (kind,)
