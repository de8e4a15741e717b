"""Who a simulated host is: its key, its instance, and the lines by which it calls."""

import msgspec

from fleet.ground import Ground
from fleet.lines import Lines
from moorage.wire.canonical import Credentials


class Identity:
    """One host's key and instance. `token` tells this process of its agent from others."""

    __slots__ = ("_ground", "cluster", "instance", "key", "lines", "name", "token")

    def __init__(self, ground: Ground, name: str) -> None:
        """A machine that has not joined yet."""
        self._ground = ground
        self.name = name
        self.cluster = ""
        self.instance = ""
        self.key: Credentials | None = None
        self.token = ground.hex(32)
        self.lines = Lines(ground)

    async def call(
        self, operation: str, members: object, service: str = "ecs"
    ) -> tuple[int, bytes]:
        """Call one operation, once; status and body. Raises OSError, TimeoutError."""
        body = msgspec.json.encode(members)
        return await self.lines.call(service, operation, body, self.key)
