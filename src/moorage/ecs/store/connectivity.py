"""Whether the tasks of a host can be reached: they follow their host in one transaction with it.

Were they to follow later, a service might look in between, and start what it already has.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Connectivity
from moorage.ecs.store import tasks
from moorage.ground.record import evolve
from moorage.sql.transaction import Transaction


def follow_host(tx: Transaction, instance: ContainerInstance) -> None:
    """Let the live tasks of a host be CONNECTED, or DISCONNECTED where it is judged lost."""
    connectivity: Connectivity = "CONNECTED" if instance.lost_at is None else "DISCONNECTED"
    for task in tasks.live_of_instance(tx, instance.arn):
        if task.connectivity != connectivity:
            tasks.write(tx, evolve(task, connectivity=connectivity, connectivity_at=tx.now))
