"""A service's model, read from botocore and cut to the operations that are wanted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.loaders import Loader

Shape = dict[str, Any]

# Members that Amazon's agent sends and reads and that the public model does not know.
PRIVATE_MEMBERS: dict[tuple[str, str], dict[str, str]] = {
    ("ecs", "RegisterContainerInstanceRequest"): {"clientToken": "String"},
    ("ecs", "DiscoverPollEndpointRequest"): {"zoneId": "String"},
    ("ecs", "DiscoverPollEndpointResponse"): {"systemLogsEndpoint": "String"},
}
# Values that Docker Engine on one's own hosts has, and Amazon's list of the same lacks.
MORE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {"ecs": {"LogDriver": ("local", "none")}}
_SCALARS = {
    "string": "str",
    "character": "str",
    "integer": "Integer",
    "long": "Long",
    "double": "float",
    "float": "float",
    "boolean": "bool",
    "timestamp": "Timestamp",
    "blob": "bytes",
}
FAULT_STATUS = 400
SERVER_FAULT_STATUS = 500


@dataclass(frozen=True)
class Model:
    """One service: its operations, and the shapes that they reach."""

    package: str
    metadata: dict[str, str]
    operations: dict[str, Any]
    shapes: dict[str, Shape] = field(repr=False)
    whole: bool

    def members(self, name: str) -> dict[str, str]:
        """The members of a structure: wire name to the name of its shape."""
        own = {k: m["shape"] for k, m in self.shapes[name].get("members", {}).items()}
        return own | PRIVATE_MEMBERS.get((self.package, name), {})

    def structure_in(self, name: str) -> str | None:
        """The structure that a value of this shape is, or is a list or map of."""
        shape = self.shapes[name]
        inner = {"list": "member", "map": "value"}.get(shape["type"])
        if inner is not None:
            return self.structure_in(shape[inner]["shape"])
        return name if shape["type"] == "structure" and not shape.get("document") else None

    def parts(self, name: str) -> list[str]:
        """The structures that a structure's members hold, in order, each once."""
        found = (self.structure_in(inner) for inner in self.members(name).values())
        return list(dict.fromkeys(inner for inner in found if inner is not None))

    def annotation(self, name: str) -> str:
        """The Python type of a shape."""
        shape = self.shapes[name]
        if shape.get("document"):
            return "object"
        if shape["type"] == "list":
            return f"list[{self.annotation(shape['member']['shape'])}]"
        if shape["type"] == "map":
            return f"dict[str, {self.annotation(shape['value']['shape'])}]"
        return name if shape["type"] == "structure" else _SCALARS[shape["type"]]

    def request(self, operation: str) -> str:
        """The name of an operation's request; a made-up one where the model has none."""
        return cast("str", self.operations[operation].get("input", {}).get("shape", ""))

    def response(self, operation: str) -> str:
        """The name of an operation's response."""
        return cast("str", self.operations[operation].get("output", {}).get("shape", ""))

    def closure(self, roots: list[str]) -> list[str]:
        """All structures that are reached from `roots`, these included, in a fixed order."""
        found: dict[str, None] = {}
        queue = list(roots)
        while queue:
            name = queue.pop()
            if name not in found:
                found[name] = None
                queue.extend(self.parts(name))
        return sorted(found)

    def structures(self) -> list[str]:
        """Every structure that an operation sends or answers."""
        ends = [
            end for name in self.operations for end in (self.request(name), self.response(name))
        ]
        return self.closure([end for end in ends if end])

    def faults(self) -> Iterator[tuple[str, str, int]]:
        """The errors: class, code and HTTP status; of a cut model only those still declared."""
        named = {e["shape"] for o in self.operations.values() for e in o.get("errors", ())}
        if self.whole:
            named |= {name for name, shape in self.shapes.items() if shape.get("exception")}
        for name in sorted(named):
            shape = self.shapes[name]
            error = shape.get("error", {})
            plain = SERVER_FAULT_STATUS if shape.get("fault") else FAULT_STATUS
            yield name, error.get("code", name), error.get("httpStatusCode", plain)


def load(package: str, version: str, wanted: tuple[str, ...] = ()) -> Model:
    """The model of a service; only the `wanted` operations where some are named."""
    raw = Loader().load_service_model(package, "service-2", version)
    operations = {n: o for n, o in sorted(raw["operations"].items()) if not wanted or n in wanted}
    shapes = dict(raw["shapes"])
    for name, operation in operations.items():
        for end, suffix in (("input", "Request"), ("output", "Response")):
            if end not in operation:
                operation[end] = {"shape": f"{name}{suffix}"}
                shapes.setdefault(f"{name}{suffix}", {"type": "structure", "members": {}})
    for name, values in MORE_VALUES.get(package, {}).items():
        shapes[name] = {**shapes[name], "enum": [*shapes[name]["enum"], *values]}
    return Model(package, raw["metadata"], operations, shapes, whole=not wanted)
