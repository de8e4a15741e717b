"""A drain's deadline, carried out: tasks are told to stop, or the host is taken back."""

from collections.abc import Callable, Iterable
from functools import partial

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.freeze import BRAKE
from moorage.ecs.rules.host.drain import at_deadline, remaining
from moorage.ecs.rules.task.stop import SCHEDULER, ask_to_stop
from moorage.ecs.store import container_instances, freezes, services, tasks
from moorage.ecs.store.announcements import announce
from moorage.ground.instant import Instant
from moorage.sql.transaction import Transaction


def drain(tx: Transaction, instance: ContainerInstance) -> Instant | None:
    """Do what the deadline of a host's drain demands, if it has one; answers when to look again."""
    if instance.drain is None:
        return None
    daemons = {service.arn for service in services.daemons(tx, instance.cluster_arn)}
    # Daemons go by themselves, when nothing else is left.
    live = [
        task for task in tasks.live_of_instance(tx, instance.arn) if task.service not in daemons
    ]
    step = at_deadline(instance, live, _frozen(tx, instance, remaining(live)), tx.now)
    name = instance.name or instance.id
    if step.instance != instance:
        container_instances.write(tx, step.instance)
        _tell(tx, step.abandoned, partial(_abandoned, host=name))
    reason = f"The deadline of the drain of the host {name} has passed"
    for task in step.stop:
        tasks.write(tx, ask_to_stop(task, SCHEDULER, reason, tx.now))
    _tell(tx, step.stop, partial(_forced, host=name))
    return step.look_again


def _frozen(tx: Transaction, instance: ContainerInstance, left: Iterable[Task]) -> set[str]:
    """The services that may not stop a task now; the brake holds replacement alone."""
    found: set[str] = set()
    for service in sorted({task.service for task in left}):
        held = freezes.holding(
            tx,
            instance.account,
            instance.region,
            instance.cluster,
            service.rpartition("/")[2],
            tx.now,
        )
        if any(one.cause != BRAKE for one in held):
            found.add(service)
    return found


def _abandoned(service: str, *, left: list[str], host: str) -> str:
    return events.drain_abandoned(service, host, len(left))


def _forced(service: str, *, left: list[str], host: str) -> str:
    return events.drain_forced(service, host, left)


def _tell(tx: Transaction, left: Iterable[Task], sentence: Callable[..., str]) -> None:
    by_service: dict[str, list[str]] = {}
    for task in left:
        by_service.setdefault(task.service, []).append(task.id)
    for service, ids in sorted(by_service.items()):
        announce(tx, (service,), partial(sentence, left=ids))
