"""Bad requests made from botocore's models: members that are missing, mistyped or out of range.

Nothing here knows Moorage. `refused` are requests that AWS cannot accept whatever their meaning:
a required member is not there, or has another type than the model's. `doubtful` are well-formed
requests with strange values; some of them AWS would take.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

DEPTH_MAX = 5
STRINGS = {"string", "timestamp", "blob"}
WRONG: dict[str, tuple[object, ...]] = {
    "string": (7, True, ["x"], {"x": "y"}),
    "integer": ("seven", ["1"], {"x": 1}, 1.5),
    "long": ("seven", [1], {"x": 1}),
    "double": ("seven", [1.0], {"x": 1}),
    "boolean": ("yes", 1, [True]),
    "list": ("x", 7, {"x": "y"}),
    "map": ("x", 7, ["x"]),
    "structure": ("x", 7, ["x"]),
    "timestamp": (["x"], {"x": 1}),
}
STRANGE: dict[str, tuple[object, ...]] = {
    "string": ("", "x" * 300, "x" * 40_000, "\x00", "\U0001f6a2", "../..", "a b", "arn:aws:ecs"),
    "integer": (-1, 0, 2**31, -(2**31) - 1, 2**63, 10**30),
    "long": (-1, 2**63, 10**30),
    "double": (-1.0, 1e308),
    "list": ([],),
    "map": ({}, {"": ""}, {"k" * 300: "v"}),
}


# What the model does not require and ECS does: without it nothing further down would be looked at.
FURNITURE: dict[str, dict[str, object]] = {
    "ContainerDefinition": {"name": "main", "image": "somewhere/image:1", "memory": 64},
}


@dataclass(frozen=True)
class Bad:
    """One bad request: of which operation, which member is wrong and how, and all members."""

    operation: str
    what: str
    members: dict[str, Any]

    def among(self, real: dict[str, Any], shape: Shape) -> dict[str, Any]:
        """The members with the names of things that exist, but for the one that is wrong."""
        wrong = re.split(r"[^A-Za-z]", self.what, maxsplit=1)[0]
        there = {name: value for name, value in real.items() if name in shape.members}
        return {**self.members, **{k: v for k, v in there.items() if k != wrong}}


def service_model(name: str) -> ServiceModel:
    """Amazon's model of a service, as botocore carries it."""
    return botocore.session.get_session().get_service_model(name)


def sample(shape: Shape, depth: int = 0) -> Any:
    """A value of the shape's type with all that is required, and nothing else."""
    kind = shape.type_name
    if kind == "structure":
        required = {n: sample(shape.members[n], depth + 1) for n in shape.required_members}
        return {**required, **FURNITURE.get(shape.name, {})}
    if kind == "list":
        return [sample(shape.member, depth + 1)]
    if kind == "map":
        return {"key": sample(shape.value, depth + 1)}
    plain = {"integer": 1, "long": 1, "double": 1.0, "boolean": False, "timestamp": 1.0}
    return plain.get(kind, (getattr(shape, "enum", None) and shape.enum[0]) or "sample")


def refused(operation: OperationModel) -> Iterator[Bad]:
    """Requests without a required member, and with a member of a wrong type, at each depth."""
    shape = operation.input_shape
    if shape is None:
        return
    for what, members in _without(shape, 0):
        yield Bad(operation.name, what, members)
    for what, members in _inside(shape, WRONG, 0):
        yield Bad(operation.name, what, members)


def doubtful(operation: OperationModel) -> Iterator[Bad]:
    """Requests whose members have the right type and a strange value, at each depth."""
    shape = operation.input_shape
    if shape is None:
        return
    for what, members in _inside(shape, STRANGE, 0):
        yield Bad(operation.name, what, members)


def _without(shape: Shape, depth: int) -> Iterator[tuple[str, Any]]:
    """A structure with one required member left out, here or further down."""
    if depth > DEPTH_MAX:
        return
    if shape.type_name == "list":
        for what, value in _without(shape.member, depth + 1):
            yield f"[].{what}", [value]
        return
    if shape.type_name != "structure":
        return
    whole = sample(shape)
    for name in shape.required_members:
        yield f"{name} missing", {k: v for k, v in whole.items() if k != name}
    for name, member in shape.members.items():
        for what, value in _without(member, depth + 1):
            yield f"{name}.{what}", {**whole, name: value}


def _inside(
    shape: Shape, table: dict[str, tuple[object, ...]], depth: int
) -> Iterator[tuple[str, Any]]:
    """A structure with one member's value out of `table`, here or further down."""
    if depth > DEPTH_MAX or shape.type_name != "structure":
        return
    whole = sample(shape)
    for name, member in shape.members.items():
        for what, value in _values(member, table, depth + 1):
            yield f"{name}{what}", {**whole, name: value}


def _values(
    shape: Shape, table: dict[str, tuple[object, ...]], depth: int
) -> Iterator[tuple[str, Any]]:
    for value in table.get(shape.type_name, ()):
        yield f" = {str(value)[:20]!r}", value
    if getattr(shape, "enum", None) and table is STRANGE:
        yield " = 'NOSUCH'", "NOSUCH"
    inner: Iterator[tuple[str, Any]] = iter(())
    if shape.type_name == "structure":
        inner = ((f".{what}", value) for what, value in _inside(shape, table, depth))
    elif shape.type_name == "list":
        inner = ((f"[]{what}", [value]) for what, value in _values(shape.member, table, depth + 1))
    elif shape.type_name == "map":
        found = _values(shape.value, table, depth + 1)
        inner = ((f"{{}}{what}", {"key": value}) for what, value in found)
    if depth <= DEPTH_MAX:
        yield from inner
