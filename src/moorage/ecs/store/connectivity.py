"""Whether the tasks of a host can be reached: they follow their host in one transaction with it.

Were they to follow later, a service might look in between, and start what it already has.
"""

from collections import Counter
from functools import partial

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Connectivity
from moorage.ecs.rules import events
from moorage.ecs.store import tasks
from moorage.ecs.store.announcements import announce
from moorage.ground.record import evolve
from moorage.sql.transaction import Transaction


def follow_host(tx: Transaction, instance: ContainerInstance) -> None:
    """Let the live tasks of a host be CONNECTED, or DISCONNECTED where it is judged lost.

    The services that want these tasks are told so, each in one event.
    """
    connectivity: Connectivity = "CONNECTED" if instance.lost_at is None else "DISCONNECTED"
    wanted: Counter[str] = Counter()
    for task in tasks.live_of_instance(tx, instance.arn):
        if task.connectivity != connectivity:
            tasks.write(tx, evolve(task, connectivity=connectivity, connectivity_at=tx.now))
            wanted[task.service] += task.service != "" and task.desired_status == "RUNNING"
    name = instance.name or instance.id
    for service, count in sorted(wanted.items()):
        if count:
            told = partial(events.host_returned, host=name, tasks=count)
            if instance.lost_at is not None:
                told = partial(events.host_lost, host=name, tasks=count, why=instance.loss)
            announce(tx, (service,), told)
