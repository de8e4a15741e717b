"""I2: one client token, one effect, one answer; with other parameters it is refused."""

from collections import Counter
from typing import Any

from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit
from moorage.sim.words import REHEARSED

Effect = tuple[str, ...]


class Idempotency(Law):
    """A token that returns does nothing twice."""

    name = "I2 idempotency"

    def __init__(self, scene: Any) -> None:
        """Know of no token."""
        super().__init__(scene)
        self.first: dict[str, tuple[dict[str, Any], Effect]] = {}
        self.most: dict[str, int] = {}
        self.started: Counter[str] = Counter()

    def asking(self, step: int, operation: str, asked: dict[str, Any]) -> None:
        """How many tasks a token may start: as many as the largest request asked for."""
        del step
        if operation == "DeleteService":  # its name is free then, and its token with it
            self.first.pop(f"create-{asked['service']}", None)
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
        is_rehearsed = answered.operation.startswith(REHEARSED)
        if token is None or answered.code != "ok" or is_rehearsed:
            return
        effect = _effect(answered)
        asked, before = self.first.setdefault(token, (answered.asked, effect))
        if asked != answered.asked:
            self.broken(f"the token {token} was taken twice, with other parameters")
        elif before != effect:
            self.broken(f"the token {token} was answered by {before}, then by {effect}")


def _effect(answered: Answered) -> Effect:
    """What the answer names."""
    if answered.operation == "RunTask":
        return tuple(sorted(task["taskArn"] for task in answered.got["tasks"]))
    return (answered.got["service"]["serviceArn"],)
