"""What a cluster holds, counted."""

from moorage.ground.record import Record


class Holdings(Record):
    """Hosts that are there, and tasks and services by (status, launch type)."""

    instances: int = 0
    tasks: dict[tuple[str, str], int] = {}
    services: dict[tuple[str, str], int] = {}
