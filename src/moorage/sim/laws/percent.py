"""I3: never more tasks than maximumPercent; never fewer healthy ones than the minimum by our doing.

Judged at each commit, in which a service's tasks are started or told to stop: tasks on hosts that
are not lost. What users stop, what fails and what faults take is nobody's doing; what the scheduler
orders is.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.rolling import lower_limit, percentages, upper_limit
from moorage.sim.laws.law import Law, row_of
from moorage.sim.sight import Commit, Row

ORDERED = "ServiceSchedulerInitiated"


class Percent(Law):
    """The limits of rolling updates hold after every commit."""

    name = "I3 percent"

    def committed(self, commit: Commit) -> None:
        """Count the services whose tasks began, or were told to stop."""
        begun: dict[str, int] = {}
        told: dict[str, list[Task]] = {}
        for row in commit.rows:
            if row.table != "tasks" or row.after is None or not row.after.service:
                continue
            if row.before is None:
                begun[row.after.service] = begun.get(row.after.service, 0) + 1
            # Its loss, or its end of health, may have been heard in this commit before the order; where
            # it was heard after it, an order that was wrong is let pass.
            elif is_order(row) and is_as_well(row):
                told.setdefault(row.after.service, []).append(row.before)
        for arn in begun:
            service = self.books.service(arn)
            if service is not None and service.scheduling_strategy == "REPLICA":
                self._not_too_many(service)
        for arn, stopped in told.items():
            service = self.books.service(arn)
            if service is not None and service.status == "ACTIVE":
                self._not_too_few(service, stopped, commit)

    def _not_too_many(self, service: Service) -> None:
        there = [
            task
            for task in self.books.of_service(service.arn)
            # What an earlier service of this name left behind on a lost host is not this one's.
            if task.connectivity == "CONNECTED" and task.created_at >= service.created_at
        ]
        _, most_percent = percentages(service.deployment_configuration)
        most = upper_limit(service.desired_count, most_percent)
        if len(there) > most:
            self.broken(
                f"{service.name} has {len(there)} tasks on hosts that are not lost, and may have "
                f"{most} ({most_percent}% of {service.desired_count})"
            )

    def _not_too_few(self, service: Service, stopped: list[Task], commit: Commit) -> None:
        if service.scheduling_strategy != "REPLICA":
            return
        if not any(self._counts(task, commit) for task in stopped):
            return
        # That one is well no more may have been heard in the same commit, after the order.
        was = {
            row.before.arn
            for row in commit.rows
            if row.table == "tasks" and row.before is not None and self._counts(row.before, commit)
        }
        left = [
            task
            for task in self.books.of_service(service.arn)
            if task.desired_status == "RUNNING" and (self._counts(task, commit) or task.arn in was)
        ]
        written = row_of(commit, service.arn)
        # Nor need it have wanted what it wants now.
        wishes = [service, *([written.before] if written and written.before else [])]
        least = min(_least(one) for one in wishes)
        if len(left) < least:
            self.broken(
                f"{service.name} was left with {len(left)} healthy tasks by our own order, and is "
                f"to have {least} ({service.desired_count} wanted)"
            )

    def _counts(self, task: Task, commit: Commit) -> bool:
        """Whether a task counts towards the minimum: well by its check, or settled without one."""
        if not is_healthy(task) or task.has_health_check:
            return is_healthy(task)
        settled = self.scene.plane.site.settle
        return task.started_at is not None and task.started_at + settled <= commit.now


def _least(service: Service) -> int:
    percent, _ = percentages(service.deployment_configuration)
    return lower_limit(service.desired_count, percent)


def is_order(row: Row) -> bool:
    """Whether the scheduler told a task that was to run to stop."""
    before, after = row.before, row.after
    return (
        before.desired_status == "RUNNING"
        and after.desired_status == "STOPPED"
        and after.stop_code == ORDERED
        and not after.is_stopped
    )


def is_as_well(row: Row) -> bool:
    """Whether nothing was heard of a task's health, or of its host, in the commit."""
    before, after = row.before, row.after
    return (before.health, before.connectivity) == (after.health, after.connectivity)


def is_healthy(task: Task) -> bool:
    """Whether a task serves, as far as can be known."""
    return (
        task.last_status == "RUNNING"
        and task.connectivity == "CONNECTED"
        and task.health != "UNHEALTHY"
        and not (task.has_health_check and task.health != "HEALTHY")
    )
