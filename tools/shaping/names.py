"""Wire names as Python writes them, and the shortest way to say how to get back."""

import builtins
import keyword
import re
from typing import Literal

import msgspec

_UNITS = {"GiB": "Gib", "MiB": "Mib", "VCpu": "Vcpu", "vCpu": "vcpu"}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Builtins that annotations of the same class body need.
_NEEDED = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "object", "type"})
Style = Literal["lower", "camel", "pascal"]
_STYLES: tuple[Style, ...] = ("camel", "pascal", "lower")


def snake(wire: str) -> str:
    """The attribute's name for a member's wire name: `enableECSManagedTags` and all its kin."""
    text = wire
    for unit, plain in _UNITS.items():
        text = text.replace(unit, plain)
    name = _WORDS.sub("_", text).lower()
    shadows = name in _NEEDED - {"type"} and hasattr(builtins, name)
    return f"{name}_" if keyword.iskeyword(name) or shadows else name


def encoded(name: str, style: Style) -> str:
    """What msgspec makes of `name` under a `rename` style: asked of msgspec itself."""
    if style == "lower":
        return name
    made = msgspec.defstruct("Probe", [(name, int)], rename=style)
    return made.__struct_encode_fields__[0]


def best_style(members: dict[str, str]) -> Style:
    """The `rename` style that leaves the fewest members (attribute to wire name) to be spelled."""
    return min(_STYLES, key=lambda style: sum(encoded(n, style) != w for n, w in members.items()))
