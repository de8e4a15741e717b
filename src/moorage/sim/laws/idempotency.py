"""I2: one client token, one effect, one answer; with other parameters it is refused."""

from collections import Counter
from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit
from moorage.sim.words import REHEARSED

Effect = tuple[object, ...]
# How RunTask itself refuses: nothing that befell its request on the way.
REFUSALS = frozenset({"ClientException", "ConflictException", "InvalidParameterException"})


class Idempotency(Law):
    """A token that returns does nothing twice."""

    name = "I2 idempotency"

    def __init__(self, scene: Any) -> None:
        """Know of no token."""
        super().__init__(scene)
        self.first: dict[str, tuple[dict[str, Any], Effect]] = {}
        self.most: dict[str, int] = {}
        self.started: Counter[str] = Counter()
        # Of services that somebody has deleted, which may have been made again: they have a name.
        self.deleted: set[str] = set()

    def asking(self, step: int, operation: str, asked: dict[str, Any]) -> None:
        """How many tasks a token may start: as many as the largest request asked for."""
        del step
        if operation == "DeleteService":  # its name is free then, and its token with it
            token = f"create-{asked['service']}"
            self.first.pop(token, None)
            self.deleted.add(token)
        if operation == "RunTask":
            token = asked["clientToken"]
            self.most[token] = max(self.most.get(token, 0), asked["count"])

    def committed(self, commit: Commit) -> None:
        """Count what each token started."""
        for row in commit.rows:
            if row.table == "tasks" and row.before is None and row.after.started_by in self.most:
                token = row.after.started_by
                self.started[token] += 1
                if self.started[token] > self.most[token]:
                    self.broken(
                        f"the token {token} started {self.started[token]} tasks, and was to start "
                        f"{self.most[token]}"
                    )

    def answered(self, answered: Answered) -> None:
        """Compare with the first answer."""
        token = answered.asked.get("clientToken")
        if token is None or answered.operation.startswith(REHEARSED):
            return
        if answered.code != "ok":
            self._refused(token, answered)
            return
        effect = self._effect(token, answered)
        asked, before = self.first.setdefault(token, (answered.asked, effect))
        if asked != answered.asked:
            self.broken(f"the token {token} was taken twice, with other parameters")
        elif before != effect:
            self.broken(f"the token {token} was answered by {before}, then by {effect}")

    def _refused(self, token: str, answered: Answered) -> None:
        """What was done once under a token is answered again, whatever has changed since."""
        asked, before = self.first.get(token, ({}, ()))
        is_refused = answered.operation == "RunTask" and answered.code in REFUSALS
        if is_refused and asked == answered.asked:
            self.broken(f"the token {token} was answered by {before}, then {answered.code}")

    def _effect(self, token: str, answered: Answered) -> Effect:
        """What the answer names; of a service also when it was made, while nobody deletes it."""
        if answered.operation == "RunTask":
            return tuple(sorted(task["taskArn"] for task in answered.got["tasks"]))
        service = answered.got["service"]
        made = None if token in self.deleted else service["createdAt"]
        return (service["serviceArn"], made)
