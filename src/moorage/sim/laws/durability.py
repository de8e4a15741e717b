"""I1: what was acknowledged survives every crash; what was refused is not there at all.

For each service the desired counts that it may have are kept: the last that was acknowledged, and
those whose answer never came. The same for its existence. They are looked at whenever a service is
written; after a restart the rows are compared with what every commit said, one by one.
"""

from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit

UNKNOWN = "unknown"
SERVER_ERROR = 500
GONE = -1
# A call without an answer may be done later: its bytes may wait before a server that stands still.
LINGERS = 150 * 1_000_000
# How a first CreateService, whose answer was lost, may be refused when it is sent again.
NOT_IDEMPOTENT = "InvalidParameterException"


class Durability(Law):
    """No acknowledged write is lost, and no refused one seen."""

    name = "I1 durability"

    def __init__(self, scene: Any) -> None:
        """Know of nothing."""
        super().__init__(scene)
        self.may_be: dict[str, set[int]] = {}
        # What it might be before the call that is under way.
        self.before: dict[str, set[int]] = {}
        # By the step that asked: when it was given up without an answer, None while one may come.
        self.under_way: dict[str, dict[int, int | None]] = {}
        self.overlapped: set[str] = set()
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
        may_be = self.may_be.setdefault(name, {GONE})
        if self._others(name):
            self.overlapped.add(name)
        else:
            self.overlapped.discard(name)
            self.before[name] = set(may_be)
        self.under_way[name][step] = None
        may_be.add(count)

    def answered(self, answered: Answered) -> None:
        """It is certain, or certainly not, or nobody knows."""
        if answered.operation == "RunTask" and answered.code == "ok":
            self.tasks.update((task["taskArn"], None) for task in answered.got["tasks"])
        found = self._write(answered.operation, answered.asked)
        if found is None:
            return
        name, count = found
        if answered.code == UNKNOWN or answered.status >= SERVER_ERROR:
            self.under_way[name][answered.step] = answered.at
            return
        del self.under_way[name][answered.step]
        if name in self.overlapped:
            return
        if answered.code == "ok":
            self.may_be[name] = {count}
        elif self._is_certain(name, answered):
            self.may_be[name] = self.before[name]

    def committed(self, commit: Commit) -> None:
        """Look at the services that were written."""
        for row in commit.rows:
            if row.table == "services":
                self._look((row.after or row.before).name)

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
        for name in self.may_be:
            self._look(name)
        for arn in self.tasks:
            if self.books.task(arn) is None:
                self.broken(f"{arn} was acknowledged, and is gone")

    def _look(self, name: str) -> None:
        may_be = self.may_be.get(name)
        found = next((one for one in self.books.services if one.name == name), None)
        count = GONE if found is None or found.status != "ACTIVE" else found.desired_count
        if may_be is not None and count not in may_be:
            self.broken(f"{name} wants {count}, and may want only {sorted(may_be)}")

    def _others(self, name: str) -> bool:
        """Whether anything else that was asked of a service may still be done."""
        late = self.scene.world.now - LINGERS
        known = self.under_way.get(name, {})
        left = {step: at for step, at in known.items() if at is None or at > late}
        self.under_way[name] = left
        return bool(left)

    def _is_certain(self, name: str, answered: Answered) -> bool:
        """Whether a refusal says that nothing was done, and not that it was done before.

        What was lost is sent again by the client itself: then a deletion finds nothing.
        """
        if answered.operation == "DeleteService":
            return False
        is_new = answered.operation == "CreateService" and GONE in self.before[name]
        return not is_new or answered.code != NOT_IDEMPOTENT

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
