"""Freezes: while one holds, the scheduler starts nothing of what it holds, and orders nothing to stop.

The brake is no such freeze: it holds the replacement of lost hosts alone.
"""

from moorage.ecs.records.freeze import Freeze
from moorage.sim.laws.law import Law, begun
from moorage.sim.laws.percent import is_order
from moorage.sim.sight import Commit

HELD_BY = ("operator", "restore")


class Freezes(Law):
    """What is frozen keeps still."""

    name = "freeze"

    def committed(self, commit: Commit) -> None:
        """Look whether anything begins, or is told to stop, that is to keep still."""
        held = self._held(commit)
        if not held:
            return
        orders = (
            row.after
            for row in commit.rows
            if row.table == "tasks" and row.before is not None and row.after is not None
            if is_order(row)
        )
        for what, tasks in (("began", begun(commit)), ("was told to stop", orders)):
            for task in tasks:
                name = task.service.rpartition("/")[2]
                if any(_holds(one, name) for one in held):
                    self.broken(f"{task.arn} of {task.group} {what} while it was frozen")

    def _held(self, commit: Commit) -> list[Freeze]:
        """The freezes that hold now, but for those of this very commit: who acted came before."""
        fresh = [
            row.after for row in commit.rows if row.table == "freezes" and row.after != row.before
        ]
        return [
            one
            for one in self.books.tables["freezes"].values()
            if one.cause in HELD_BY
            and one not in fresh
            and (one.until is None or commit.now < one.until)
        ]


def _holds(freeze: Freeze, service: str) -> bool:
    return freeze.service in {"", service}
