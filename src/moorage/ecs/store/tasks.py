"""The table of tasks. A write wakes the task's service, and those who have something to do now.

A host's orders are woken where one of the task waits to be sent or to be withdrawn, the task's own
controller once the task is to stop: a report that a task runs is the service's business alone. The
host itself is no other for it, so its controller has nothing to look at.
"""

from collections.abc import Iterable
from functools import cache

from moorage.ecs.records.task import Task
from moorage.ecs.rules import happenings
from moorage.ecs.store import timeline
from moorage.ecs.store.identity import Home, member_of
from moorage.ecs.store.projection import task_written
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.query import Query
from moorage.sql.transaction import Conflict, Transaction

TASKS = Table(
    "tasks",
    Task,
    keys=("arn",),
    columns=(
        "cluster_arn",
        "instance",
        "service",
        "deployment",
        "family",
        "task_definition",
        "started_by",
        "launch_type",
        "desired_status",
        "last_status",
        "connectivity",
        "is_stopped",
        "is_settled",
        "judged",
    ),
    indices=(
        ("cluster_arn", "is_stopped"),
        ("cluster_arn", "desired_status"),
        ("instance", "is_stopped"),
        ("instance", "is_settled"),
        ("service", "judged"),
        ("service", "is_stopped"),
        ("cluster_arn", "family"),
        ("cluster_arn", "started_by"),
    ),
    version="version",
)
# What a host should hold has changed: the key is the host's ARN, and its link looks again.
ORDERS = "orders"
# The `instance` of a task that waits for one: it is PROVISIONING.
NOWHERE = ""
PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")

_BY_ARN = TASKS.query(among="arn")
_LIVE_OF_CLUSTER = TASKS.query(
    "cluster_arn",
    "is_stopped",
    tally=("launch_type", "last_status", "desired_status", "connectivity"),
)
_LIVE_OF_INSTANCE = TASKS.query("instance", "is_stopped")
_UNSETTLED_OF_INSTANCE = TASKS.query("instance", "is_settled")
_LIVE_OF_INSTANCES = TASKS.query("is_stopped", among="instance")
_LIVE_OF_SERVICES = TASKS.query("is_stopped", among="service")
_UNJUDGED_OF_SERVICE = TASKS.query("service", "judged")
_OF_SERVICE = TASKS.query("service", order=("arn",))
_LIVE_OF_DEFINITION = TASKS.query("family", "task_definition", "is_stopped", among="cluster_arn")
_EVERY = TASKS.query()


def get(tx: Transaction, arn: str) -> Task | None:
    """The task of that ARN."""
    return TASKS.get(tx, arn)


def find(tx: Transaction, home: Home, text: str, cluster: str) -> Task | None:
    """The task that a caller named by id or ARN inside a cluster.

    Raises InvalidParameterException for a foreign or malformed ARN.
    """
    arn = arn_of(home, text, cluster)
    return TASKS.get(tx, arn) if arn else None


def arn_of(home: Home, text: str, cluster: str) -> str | None:
    """The ARN that a task's id or ARN means inside a cluster; None where it means another one."""
    identity = member_of(home, "task", text, cluster)
    if not identity:
        return None
    return make_arn("task", home.region, home.account, cluster, identity)


def named(tx: Transaction, arns: Iterable[str]) -> dict[str, Task]:
    """The tasks of those ARNs that are there, by ARN, in one query."""
    return {task.arn: task for task in _BY_ARN.all(tx, arn=arns)}


def create(tx: Transaction, task: Task) -> None:
    """Keep a new task; its id was drawn by chance, so nobody has it.

    Its service is not woken: whoever starts a task of a service is that service's controller.
    """
    assert TASKS.insert(tx, task), f"{task.arn} is taken"
    task_written(tx, task)
    timeline.note(tx, happenings.of_new_task(task))
    if task.instance:
        tx.wake(ORDERS, task.instance)
    else:
        tx.wake("task", task.arn)
        tx.wake("cluster", task.cluster_arn)


def write(tx: Transaction, task: Task) -> Task:
    """Replace the task that was read as this version; raises Conflict where it has moved on."""
    before = get(tx, task.arn)
    written = _swapped(tx, task)
    timeline.note(tx, happenings.of_task(before, written))
    _wake(tx, written)
    if written.is_stopped:
        tx.wake("cluster", written.cluster_arn)
    return written


def note(tx: Transaction, task: Task) -> Task:
    """`write` of what only its host's session and its controller need to know: wakes nobody."""
    return _swapped(tx, task)


def delete(tx: Transaction, task: Task) -> None:
    """Forget a task that was STOPPED long enough ago."""
    TASKS.delete(tx, task.arn)


def live_of_cluster(tx: Transaction, cluster: str) -> list[Task]:
    """All tasks of a cluster (an ARN) that are not STOPPED, by ARN."""
    return _LIVE_OF_CLUSTER.all(tx, cluster_arn=cluster, is_stopped=False)


def live_of_instance(tx: Transaction, instance: str) -> list[Task]:
    """All tasks on a host (an ARN) that are not STOPPED, by ARN."""
    return _LIVE_OF_INSTANCE.all(tx, instance=instance, is_stopped=False)


def unsettled_of_instance(tx: Transaction, instance: str) -> list[Task]:
    """The tasks on a host (an ARN) of which it is still to be told, or to tell, something, by ARN."""
    return _UNSETTLED_OF_INSTANCE.all(tx, instance=instance, is_settled=False)


def live_of_instances(tx: Transaction, instances: Iterable[str]) -> list[Task]:
    """All tasks on some hosts that are not STOPPED."""
    return _LIVE_OF_INSTANCES.all(tx, is_stopped=False, instance=instances)


def live_of_services(tx: Transaction, services: Iterable[str]) -> list[Task]:
    """All tasks of some services that are not STOPPED."""
    return _LIVE_OF_SERVICES.all(tx, is_stopped=False, service=services)


def unjudged_of_service(tx: Transaction, service: str) -> list[Task]:
    """The tasks of a service that live, or whose end its controller has not counted yet."""
    return _UNJUDGED_OF_SERVICE.all(tx, service=service, judged=False)


def of_service(tx: Transaction, service: str) -> list[Task]:
    """All tasks of a service that are remembered."""
    return _OF_SERVICE.all(tx, service=service)


def provisioning(tx: Transaction, cluster: str) -> list[Task]:
    """The tasks of a cluster (an ARN) that wait for room, in the order of their coming."""
    found = _LIVE_OF_INSTANCE.all(tx, instance=NOWHERE, is_stopped=False)
    waiting = [task for task in found if task.cluster_arn == cluster]
    return sorted(waiting, key=lambda task: (task.created_at, task.arn))


def live_count(tx: Transaction, cluster: str) -> int:
    """How many tasks of a cluster are not STOPPED."""
    return _LIVE_OF_CLUSTER.count(tx, cluster_arn=cluster, is_stopped=False)


def live_tally(tx: Transaction, cluster: str) -> dict[tuple[str, str, str, str], int]:
    """How many tasks of a cluster are not STOPPED, without reading them.

    By launch type, last status, desired status and connectivity.
    """
    found = _LIVE_OF_CLUSTER.tallied(tx, cluster_arn=cluster, is_stopped=False)
    return {
        (str(launch_type), str(last), str(desired), str(connectivity)): number
        for (launch_type, last, desired, connectivity), number in found.items()
    }


def runs_definition(
    tx: Transaction, clusters: Iterable[str], family: str, task_definition: str
) -> bool:
    """Whether a task of that definition (an ARN) that is not STOPPED is in one of some clusters."""
    found = _LIVE_OF_DEFINITION.first(
        tx,
        cluster_arn=clusters,
        family=family,
        task_definition=task_definition,
        is_stopped=False,
    )
    return found is not None


def page(
    tx: Transaction, filters: dict[str, str | bool], after: str | None, limit: int
) -> list[Task]:
    """At most `limit` tasks whose columns equal `filters`, by ARN, after the ARN `after`."""
    return _listing(tuple(sorted(filters))).all(tx, limit=limit, arn=after, **filters)


def every(tx: Transaction) -> list[str]:
    """The ARNs of all tasks."""
    return [str(arn) for (arn,) in _EVERY.keys(tx)]


@cache
def _listing(columns: tuple[str, ...]) -> Query[Task]:
    return TASKS.query(*columns, greater="arn")


def _swapped(tx: Transaction, task: Task) -> Task:
    written = evolve(task, version=task.version + 1)
    if not TASKS.swap(tx, written, version=task.version):
        raise Conflict(f"{task.arn} is no longer at version {task.version}")
    task_written(tx, written)
    return written


def _wake(tx: Transaction, task: Task) -> None:
    if task.instance and _has_orders(task):
        tx.wake(ORDERS, task.instance)
    if task.desired_status == "STOPPED":
        tx.wake("task", task.arn)
    if task.service:
        tx.wake("service", task.service)


def _has_orders(task: Task) -> bool:
    """Whether its host is to be told something of a task, or is being told and need not be."""
    if task.acknowledged_at is None:
        return True
    if task.desired_status != "STOPPED" or task.stop_acknowledged_at is not None:
        return False
    return not task.is_stopped or task.stop_sequence > 0
