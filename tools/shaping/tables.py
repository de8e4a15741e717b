"""The text of the tables: operations, and constraints on the members of requests."""

from typing import Any

from shaping.homes import Package
from shaping.model import Model
from shaping.names import snake
from shaping.structs import module_docstring

_UNBOUNDED_BELOW = {"string", "list", "map", "blob"}


def operation_file(model: Model, package: Package, home_of: dict[str, str]) -> str:
    """The table of operations: name to request and response."""
    ends = {n: (model.request(n), model.response(n)) for n in model.operations}
    used = {end for pair in ends.values() for end in pair}
    text = module_docstring(f"The operations of {package.title}: request and response of each.")
    text += "import msgspec\n\n" + _imports(model, used, home_of)
    text += f'TARGET = "{model.metadata.get("targetPrefix", "")}"\n'
    text += f'API_VERSION = "{model.metadata["apiVersion"]}"\n\n'
    text += "OPERATIONS: dict[str, tuple[type[msgspec.Struct], type[msgspec.Struct]]] = {\n"
    text += "".join(f'    "{n}": ({a}, {b}),\n' for n, (a, b) in ends.items())
    return text + "}\n"


def constraint_file(model: Model, package: Package, home_of: dict[str, str]) -> str:
    """The table of constraints, for the structures that requests are made of."""
    requests = model.closure([model.request(name) for name in model.operations])
    bound = _bound_structures(model, requests)
    text = module_docstring(f"What {package.title} demands of the members of requests.")
    text += _imports(model, set(bound), home_of, "Constraint, Constraints, Rule")
    text += "CONSTRAINTS: Constraints = {\n"
    for name in bound:
        rows = "".join(f"        {row},\n" for row in _rows(model, name, bound))
        text += f"    {name}: (\n{rows}    ),\n"
    return text + "}\n"


def _imports(model: Model, names: set[str], home_of: dict[str, str], extra: str = "") -> str:
    files: dict[str, list[str]] = {}
    for name in sorted(names):
        files.setdefault(home_of[name], []).append(name)
    lines = [f"from moorage.shapes.constraint import {extra}"] if extra else []
    lines += [
        f"from moorage.shapes.{model.package}.{file} import {', '.join(found)}"
        for file, found in sorted(files.items())
    ]
    return "\n".join(lines) + "\n\n"


def _bound_structures(model: Model, requests: list[str]) -> list[str]:
    """The structures that demand something, themselves or in a part of theirs."""
    bound = {name for name in requests if _rows(model, name, [])}
    grown = True
    while grown:
        more = {n for n in requests if n not in bound and bound.intersection(model.parts(n))}
        bound |= more
        grown = bool(more)
    return sorted(bound)


def _rows(model: Model, name: str, bound: list[str]) -> list[str]:
    required = set(model.shapes[name].get("required", ()))
    rows = []
    for wire, inner in model.members(name).items():
        fields = _member(model, inner, bound)
        if wire in required:
            fields.insert(0, "required=True")
        if fields:
            fields = [f'member="{snake(wire)}"', f'wire="{wire}"', *fields]
            rows.append(f"Constraint({', '.join(fields)})")
    return rows


def _member(model: Model, name: str, bound: list[str]) -> list[str]:
    """The arguments of a Constraint for a member of this shape."""
    shape = model.shapes[name]
    fields = _limits(shape)
    for end, argument in (("member", "each"), ("value", "each"), ("key", "keys")):
        if end in shape:
            limits = _limits(model.shapes[shape[end]["shape"]])
            fields += [f"{argument}=Rule({', '.join(limits)})"] if limits else []
    inner = model.structure_in(name)
    assert inner is None or shape["type"] != "map", f"{name}: maps of structures are not walked"
    if inner in bound:
        fields.append("nested=True")
    if fields and shape.get("sensitive"):
        fields.append("sensitive=True")
    return fields


def _limits(shape: dict[str, Any]) -> list[str]:
    fields = [f"enum={tuple(shape['enum'])!r}"] if "enum" in shape else []
    low = shape.get("min")
    if low is not None and (low or shape["type"] not in _UNBOUNDED_BELOW):
        fields.append(f"minimum={low!r}")
    if "max" in shape:
        fields.append(f"maximum={shape['max']!r}")
    if "pattern" in shape:
        fields.append(f"pattern={shape['pattern']!r}")
    return fields
