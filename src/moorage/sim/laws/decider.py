"""I10: one decider: no write of an older server is applied after a newer one's first; none is lost.

Each commit is made by the server that was started last, while it lives; rows that carry a version
never take an older one's place.
"""

from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit

VERSIONED = ("tasks", "services", "container_instances")


class Decider(Law):
    """Nobody decides but one."""

    name = "I10 decider"

    def __init__(self, scene: Any) -> None:
        """Know of no server."""
        super().__init__(scene)
        self.newest = 0

    def committed(self, commit: Commit) -> None:
        """Who made it, and over what."""
        if commit.server < self.newest:
            self.broken(f"server {commit.server} wrote after server {self.newest}")
        self.newest = max(self.newest, commit.server)
        for row in commit.rows:
            if row.table not in VERSIONED or row.before is None or row.after is None:
                continue
            if row.after.version < row.before.version:
                self.broken(
                    f"{row.table} {row.after.arn}: version {row.before.version} was overwritten "
                    f"with {row.after.version}"
                )
            if row.table == "container_instances" and row.after.sequence < row.before.sequence:
                self.broken(f"the counter of {row.after.name} went back: its orders would be stale")
