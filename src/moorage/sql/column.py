"""The type of a column, from the annotation of the record's member or property."""

from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import sqlalchemy as core

from moorage.sql.ledger import TEXT

TYPES: dict[type, core.types.TypeEngine[Any]] = {
    str: TEXT,
    int: core.BigInteger(),
    bool: core.BigInteger(),
}


def column_type(record: type, name: str) -> core.types.TypeEngine[Any]:
    """Text or 64-bit integer, as the member `name` of `record` is annotated; asserts on others."""
    member = getattr(record, name, None)
    if isinstance(member, property):
        assert member.fget is not None
        annotation = get_type_hints(member.fget)["return"]
    else:
        annotations = get_type_hints(record)
        assert name in annotations, f"{record.__name__} has no member {name!r}"
        annotation = annotations[name]
    kinds = _kinds(annotation) - {NoneType}
    found = {id(TYPES[kind]): TYPES[kind] for kind in kinds if kind in TYPES}
    assert kinds <= TYPES.keys(), f"{record.__name__}.{name} fits no column: {annotation}"
    assert len(found) == 1, f"{record.__name__}.{name} fits no one column: {annotation}"
    return next(iter(found.values()))


def _kinds(annotation: Any) -> set[type]:
    while hasattr(annotation, "__supertype__"):
        annotation = annotation.__supertype__
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return set().union(*(_kinds(part) for part in get_args(annotation)))
    if origin is Literal:
        return {type(value) for value in get_args(annotation)}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {type(member.value) for member in annotation}
    return {annotation}
