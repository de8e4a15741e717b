"""What a host tells of its tasks after the database was restored: rows are made of it anew.

Adopted tasks are shown, keep their room, and are stopped by nobody while the cluster is frozen.
After the thaw those of a known service are its tasks like others, so that surplus goes by its
rules; those whose service is unknown run on as stand-alone tasks, until somebody stops them.
"""

from moorage.acs.messages import HeldTask, InventoryMessage, ServerMessage
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.adoption import Found, adopted, belongs
from moorage.ecs.store import (
    announcements,
    container_instances,
    restoration,
    services,
    task_definitions,
    task_families,
    tasks,
)
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call

# Of one host, with those that are known of it: what runs there, and no flood of rows.
TASKS_MAX = 1_000
# More revisions than anybody makes of a family between a backup and its restore; a number of our own
# that a host pushes up by more than this would leave none to be given.
REVISIONS_LOST_MAX = 10_000


def adopt(call: Call, instance_arn: str, message: InventoryMessage) -> tuple[ServerMessage, ...]:
    """Take in what a host runs and the database does not know, or takes for STOPPED.

    Only where its cluster is frozen because the database was restored; else a host's word makes
    no row.
    """
    tx = call.tx
    instance = container_instances.get(tx, instance_arn)
    if instance is None or not restoration.holds(tx, restoration.cluster_of(instance)):
        return ()
    room = max(TASKS_MAX - len(tasks.live_of_instance(tx, instance_arn)), 0)
    held = [one for one in (message.tasks or ())[:TASKS_MAX] if belongs(one, instance)]
    told = {one.task.arn: one for one in held}
    known = tasks.named(tx, told)
    taken: dict[str, list[str]] = {}
    for arn in [arn for arn in told if _may(known.get(arn), instance_arn)][:room]:
        task = _adopt(call, told[arn], instance, known.get(arn))
        taken.setdefault(task.service, []).append(task.id)
    for service in sorted(taken.keys() - {""}):
        count = len(taken[service])
        announcements.announce(
            tx,
            [service],
            lambda name, count=count: (  # type: ignore[misc]
                f"(service {name}) has adopted {count} tasks that {instance.name} runs and the "
                "restored database did not know."
            ),
        )
    return ()


def _may(before: Task | None, instance_arn: str) -> bool:
    """Whether a host may tell of what is known so: of what never was, or ended on that very host."""
    return before is None or (before.is_stopped and before.instance == instance_arn)


def _adopt(call: Call, held: HeldTask, instance: ContainerInstance, before: Task | None) -> Task:
    found = _found(call, held, instance)
    task = adopted(held, instance, found, call.now)
    if found.definition is None:
        _number_on(call, task)
    if before is None:
        tasks.create(call.tx, task)
        if task.service:
            call.tx.wake("service", task.service)
        return task
    return tasks.write(call.tx, evolve(task, version=before.version))


def _found(call: Call, held: HeldTask, instance: ContainerInstance) -> Found:
    sent = held.task
    definition = task_definitions.find(call.tx, call, f"{sent.family}:{sent.version}")
    extras = sent.moorage
    name = extras.service_name if extras is not None else None
    service = None
    if name:
        arn = make_arn("service", instance.region, instance.account, instance.cluster, name)
        service = services.get(call.tx, arn)
    if service is not None and service.status == "INACTIVE":
        service = None
    return Found(definition=definition, service=service)


def _number_on(call: Call, task: Task) -> None:
    """Never give the number of an unknown revision again: it would mean another definition."""
    family = task_families.lock(call.tx, call, task.family)
    newest = max(task_definitions.newest_revision(call.tx, call, task.family), family.deleted_to)
    if task.revision > newest + REVISIONS_LOST_MAX:
        return
    if family.latest < task.revision:
        task_families.put(call.tx, evolve(family, latest=task.revision))
