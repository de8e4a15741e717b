"""Docker's list of containers as rows: `GET /containers/json`, which costs one call for all. Pure."""

import msgspec

from moorage.agent.runtime.docker_records import decode, status_of
from moorage.agent.runtime.pulse import Row


class _Row(msgspec.Struct, rename="pascal"):
    id: str
    names: list[str] | None = None
    state: str = ""
    labels: dict[str, str] | None = None


def rows(content: bytes) -> tuple[Row, ...]:
    """The rows of an answer; raises EngineUnavailable where it is no such answer."""
    return tuple(
        Row(
            id=row.id,
            name=next(iter(row.names or ()), "").lstrip("/"),
            status=status_of(row.state),
            labels=row.labels or {},
        )
        for row in decode(content, list[_Row])
    )
