"""I1: what was acknowledged survives every crash; what was refused is not there at all.

For each service the desired counts that it may have are kept: the last that was acknowledged, and
those whose answer never came. The same for its existence. After a restart the rows are compared
with what every commit said, one by one.
"""

from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered

_FINE = frozenset({"ok"})
UNKNOWN = "unknown"
GONE = -1


class Durability(Law):
    """No acknowledged write is lost, and no refused one seen."""

    name = "I1 durability"

    def __init__(self, scene: Any) -> None:
        """Know of nothing."""
        super().__init__(scene)
        self.may_be: dict[str, set[int]] = {}
        self.asked: dict[str, dict[int, int]] = {}
        self.overlapped: dict[str, bool] = {}
        self.tasks: dict[str, None] = {}
        # A daemon's count follows the hosts; whether it is there is asked of its tasks (I4).
        self.daemons: set[str] = set()

    def asking(self, step: int, operation: str, asked: dict[str, Any]) -> None:
        """A write is under way: from now on it may be."""
        if operation == "CreateService" and asked.get("schedulingStrategy") == "DAEMON":
            self.daemons.add(asked["serviceName"])
        found = self._write(operation, asked)
        if found is None:
            return
        name, count = found
        under_way = self.asked.setdefault(name, {})
        if under_way:
            self.overlapped[name] = True
        under_way[step] = count
        self.may_be.setdefault(name, {GONE}).add(count)

    def answered(self, answered: Answered) -> None:
        """It is certain, or certainly not, or nobody knows."""
        if answered.operation == "RunTask" and answered.code == "ok":
            self.tasks.update((task["taskArn"], None) for task in answered.got["tasks"])
        found = self._write(answered.operation, answered.asked)
        if found is None:
            return
        name, count = found
        under_way = self.asked[name]
        under_way.pop(answered.step, None)
        alone = not self.overlapped.get(name, False)
        if not under_way:
            self.overlapped[name] = False
        if answered.code == UNKNOWN or answered.status >= 500:  # noqa: PLR2004
            # It may still be on its way, and be done at any later time.
            self.overlapped[name] = True
            under_way[-answered.step - 1] = count
        elif answered.code in _FINE and alone:
            self.may_be[name] = {count}

    def restarted(self) -> None:
        """What is stored is what was committed."""
        for table, books in self.scene.plane.books.items():
            stored = self.scene.plane.rows(table)
            for key in sorted({*stored, *books}):
                if stored.get(key) != books.get(key):
                    self.broken(f"{table} {key} was committed otherwise than it is stored")
        self._compare()

    def ended(self) -> None:
        """The same at the end."""
        self._compare()

    def _compare(self) -> None:
        found: dict[str, int] = {}
        for service in self.books.services:
            is_there = service.status == "ACTIVE"
            found[service.name] = service.desired_count if is_there else GONE
        for name, may_be in self.may_be.items():
            count = found.get(name, GONE)
            if count not in may_be:
                self.broken(f"{name} wants {count}, and may want only {sorted(may_be)}")
        for arn in self.tasks:
            if self.books.task(arn) is None:
                self.broken(f"{arn} was acknowledged, and is gone")

    def _write(self, operation: str, asked: dict[str, Any]) -> tuple[str, int] | None:
        name = asked.get("serviceName") or asked.get("service")
        return None if name in self.daemons else _write(operation, asked)


def _write(operation: str, asked: dict[str, Any]) -> tuple[str, int] | None:
    """The service that a call writes, and the count that it will want."""
    if operation == "CreateService":
        return str(asked["serviceName"]), int(asked["desiredCount"])
    if operation == "UpdateService" and "desiredCount" in asked:
        return str(asked["service"]), int(asked["desiredCount"])
    if operation == "DeleteService":
        return str(asked["service"]), GONE
    return None
