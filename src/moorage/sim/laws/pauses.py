"""Pauses: a deployment that waits at a hook goes on when it was told to or its time is over; once.

No task of it begins while it waits before its own start; a hook that was answered stays so.
"""

from typing import Any

from moorage.ecs.records.service_deployment import PauseHook, ServiceDeployment
from moorage.sim.laws.law import Law, begun
from moorage.sim.sight import Answered, Commit

BEFORE_START = ("RECONCILE_SERVICE", "PRE_SCALE_UP")
CONTINUE = "ContinueServiceDeployment"


class Pauses(Law):
    """Who waits, waits."""

    name = "pauses"

    def __init__(self, scene: Any) -> None:
        """Know of no hook."""
        super().__init__(scene)
        self.asked: set[str] = set()
        self.answered_well: set[str] = set()

    def asking(self, step: int, operation: str, asked: dict[str, Any]) -> None:
        """From now on a hook may be over."""
        del step
        if operation == CONTINUE:
            self.asked.add(asked["hookId"])

    def answered(self, answered: Answered) -> None:
        """One hook is continued once."""
        if answered.operation != CONTINUE or answered.code != "ok":
            return
        hook = answered.asked["hookId"]
        if hook in self.answered_well:
            self.broken(f"the hook {hook} was continued twice")
        self.answered_well.add(hook)

    def committed(self, commit: Commit) -> None:
        """Compare each deployment with what it was, and look whose tasks begin."""
        for row in commit.rows:
            if row.table == "service_deployments" and None not in (row.before, row.after):
                self._compare(row.before, row.after, commit)
        for task in begun(commit):
            for one in self.books.deployments(task.service) if task.service else ():
                waits = one.lifecycle_stage in BEFORE_START and awaiting(one)
                if one.id == task.deployment and waits:
                    self.broken(f"{task.arn} began, and {one.id} waits before its start")

    def _compare(self, before: ServiceDeployment, after: ServiceDeployment, commit: Commit) -> None:
        now = {hook.id: hook for hook in after.hooks}
        for hook in before.hooks:
            found = now.get(hook.id)
            if found is None:
                self.broken(f"the hook {hook.id} of {after.id} was forgotten")
            elif hook.status not in {"AWAITING_ACTION", found.status}:
                self.broken(f"the hook {hook.id} was {hook.status}, and is {found.status}")
            elif found.status == "SUCCEEDED" and hook.id not in self.asked:
                self.broken(f"the hook {hook.id} is over, and nobody had asked for it")
            elif found.status == "TIMED_OUT" and found.expires_at > commit.now:
                self.broken(f"the hook {hook.id} is over before its time")
        still = {hook.id for hook in awaiting(before)} & {hook.id for hook in awaiting(after)}
        if still and before.lifecycle_stage != after.lifecycle_stage:
            self.broken(
                f"{after.id} went on to {after.lifecycle_stage}, and {sorted(still)} wait still"
            )


def awaiting(deployment: ServiceDeployment) -> list[PauseHook]:
    """The hooks at which a deployment waits."""
    return [hook for hook in deployment.hooks if hook.status == "AWAITING_ACTION"]
