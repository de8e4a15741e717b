"""I3: never more tasks than maximumPercent; never fewer healthy ones than the minimum by our doing.

Judged at each commit, in which a service's tasks are started or told to stop: tasks on hosts that
are not lost. What users stop, what fails and what faults take is nobody's doing; what the scheduler
orders is.
"""

from collections.abc import Iterator

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
                self._not_too_many(service, commit)
        for arn, stopped in told.items():
            service = self.books.service(arn)
            if service is not None and service.status == "ACTIVE":
                self._not_too_few(service, stopped, commit)

    def _not_too_many(self, service: Service, commit: Commit) -> None:
        # That its host is back may have been heard in this commit, after others were begun.
        back = {task.arn for task in unordered(commit, service.arn) if is_away(task)}
        there = [
            task
            for task in self.books.of_service(service.arn)
            # What an earlier service of this name left behind on a lost host is not this one's.
            if not is_away(task) and task.arn not in back and task.created_at >= service.created_at
        ]
        most = max(map(_most, _wishes(service, commit)))
        if len(there) > most:
            self.broken(
                f"{service.name} has {len(there)} tasks on hosts that are not lost, and may have "
                f"{most} ({service.desired_count} wanted)"
            )

    def _not_too_few(self, service: Service, stopped: list[Task], commit: Commit) -> None:
        if service.scheduling_strategy != "REPLICA":
            return
        if not any(self._counts(task, commit) for task in stopped):
            return
        # That one is well no more, or has ended, may have been heard in this commit, after the order.
        left = {
            task.arn
            for task in (*self.books.of_service(service.arn), *unordered(commit, service.arn))
            if task.desired_status == "RUNNING" and self._counts(task, commit)
        }
        least = min(map(_least, _wishes(service, commit)))
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


def _wishes(service: Service, commit: Commit) -> list[Service]:
    """A service as it is and as it was: when its order was given it need not have wanted the same."""
    written = row_of(commit, service.arn)
    return [service, *([written.before] if written and written.before else [])]


def _most(service: Service) -> int:
    _, percent = percentages(service.deployment_configuration)
    return upper_limit(service.desired_count, percent)


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


def unordered(commit: Commit, service: str) -> Iterator[Task]:
    """The tasks of a service as they were before a commit in which the scheduler told them nothing."""
    for row in commit.rows:
        if row.table != "tasks" or row.before is None or row.after is None:
            continue
        if row.before.service == service and not is_order(row):
            yield row.before


def is_away(task: Task) -> bool:
    """Whether a task's host is not heard of."""
    return task.connectivity != "CONNECTED"


def is_healthy(task: Task) -> bool:
    """Whether a task serves, as far as can be known."""
    return (
        task.last_status == "RUNNING"
        and task.connectivity == "CONNECTED"
        and task.health != "UNHEALTHY"
        and not (task.has_health_check and task.health != "HEALTHY")
    )
