"""The one construct for facts: records, wire shapes, agent messages, settings, checkpoints."""

from typing import Any, TypeVar, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen, keyword-only value; members that hold their default are left out when encoded.

    The decorator repeats `frozen` for type checkers, which do not inherit it from a Struct.
    Records only ever gain members, and each new member has a default: that is what lets an older
    stored document be read by a newer program.
    """


_R = TypeVar("_R", bound=msgspec.Struct)


def evolve(record: _R, **changes: Any) -> _R:
    """Return `record` with some members replaced; raises TypeError for an unknown member."""
    return msgspec.structs.replace(record, **changes)
