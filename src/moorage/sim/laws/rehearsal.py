"""Dry runs: what is only asked about changes no row, uses up no token, and says what it is.

Whatever a dry run would make bears a mark (`sim.words`); a service that one would delete is watched
over by I1.
"""

from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit
from moorage.sim.words import MARK, MARKED_COUNT, REHEARSED


class Rehearsal(Law):
    """Nothing comes of a dry run."""

    name = "dry runs"

    def committed(self, commit: Commit) -> None:
        """Look for the mark."""
        for row in commit.rows:
            if row.after is not None and _is_marked(row.table, row.after):
                self.broken(f"what was only to be rehearsed is there: {row.table} {row.after}")

    def answered(self, answered: Answered) -> None:
        """A dry run tells so; the token of one is free."""
        token = str(answered.asked.get("clientToken", ""))
        if answered.operation.startswith(REHEARSED):
            if answered.code == "ok" and "dryRun" not in answered.got:
                self.broken(f"{answered.operation} does not say that it was one")
        elif token.startswith(MARK) and answered.code == "ConflictException":
            self.broken(f"the token {token} was used up by a dry run")


def _is_marked(table: str, record: Any) -> bool:
    if table == "tasks":
        return bool(record.started_by.startswith(MARK))
    if table == "services":
        is_wanted = record.scheduling_strategy == "REPLICA" and record.desired_count == MARKED_COUNT
        return is_wanted or bool(record.name.startswith(MARK))
    if table == "container_instances":
        return any(one.name.startswith(MARK) for one in record.attributes)
    return table == "freezes" and bool(record.reason.startswith(MARK))
