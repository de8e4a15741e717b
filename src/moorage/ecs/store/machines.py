"""The table of machines. A change wakes the machine's pool, and whoever carries out its orders."""

from collections.abc import Iterable

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.machine import Machine, MachineStatus
from moorage.ecs.rules.capacity import happenings
from moorage.ecs.rules.capacity.machine import TABLE
from moorage.ecs.store import container_instances, pools, timeline
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.iam.store import access_keys
from moorage.sql.document import Table
from moorage.sql.transaction import Conflict, Transaction

KIND = "machine"
ORDERED = ("CREATING", "DESTROYING")
MACHINES = Table(
    "machines",
    Machine,
    keys=("account", "region", "pool", "id"),
    columns=("cluster_arn", "name", "status"),
    indices=(("cluster_arn", "name"), ("status",)),
    version="version",
)
_OF_POOL = MACHINES.query("account", "region", "pool")
_OF_NAME = MACHINES.query("cluster_arn", "name")
_ORDERED = MACHINES.query(among="status")


def get(tx: Transaction, machine: Machine) -> Machine | None:
    """The same machine as it is now."""
    return MACHINES.get(tx, machine.account, machine.region, machine.pool, machine.id)


def of_pool(tx: Transaction, account: str, region: str, pool: str) -> list[Machine]:
    """All machines of a pool, by id."""
    return _OF_POOL.all(tx, account=account, region=region, pool=pool)


def of_name(tx: Transaction, cluster: str, name: str) -> Machine | None:
    """The machine whose host bears that name in a cluster (an ARN)."""
    return _OF_NAME.first(tx, cluster_arn=cluster, name=name)


def ordered(tx: Transaction) -> list[Machine]:
    """All machines that their sources have something to do with."""
    return _ORDERED.all(tx, status=ORDERED)


def create(tx: Transaction, machine: Machine) -> None:
    """Keep a new machine; its id was drawn by chance, so nobody has it."""
    assert MACHINES.insert(tx, machine), f"the machine {machine.name} is there"
    timeline.note(tx, happenings.of_machine(None, machine))
    _wake(tx, machine)


def write(tx: Transaction, machine: Machine) -> Machine:
    """Replace the machine that was read as this version; raises Conflict where it moved on."""
    written = evolve(machine, version=machine.version + 1)
    if not MACHINES.swap(tx, written, version=machine.version):
        raise Conflict(f"the machine {machine.name} is no longer at version {machine.version}")
    _wake(tx, written)
    return written


def move(tx: Transaction, machine: Machine, status: MachineStatus, **members: object) -> Machine:
    """`write` a machine with another status; asserts that the table allows the move."""
    moved = evolve(machine, status=TABLE.check(machine.status, status), **members)
    timeline.note(tx, happenings.of_machine(machine, moved))
    return write(tx, moved)


def delete(tx: Transaction, machine: Machine) -> None:
    """Forget a machine that is gone."""
    MACHINES.delete(tx, machine.account, machine.region, machine.pool, machine.id)
    timeline.note(tx, happenings.of_machine(machine, None))
    _wake(tx, machine)


def joined(tx: Transaction, instance: ContainerInstance) -> Machine | None:
    """The machine whose host registers, JOINED from now on; None for a host of no pool."""
    machine = of_name(tx, instance.cluster_arn, instance.name) if instance.name else None
    if machine is None or machine.status in {"RETIRING", "DESTROYING"}:
        return machine
    if machine.status == "JOINED" and machine.instance == instance.arn:
        return machine
    return move(tx, machine, "JOINED", instance=instance.arn, joined_at=tx.now, tries=0, reason="")


def hosts(tx: Transaction, machines: Iterable[Machine]) -> dict[str, ContainerInstance]:
    """The hosts of some machines that are not INACTIVE, by ARN."""
    arns = [one.instance for one in machines if one.instance]
    found = container_instances.named(tx, arns)
    return {arn: one for arn, one in found.items() if one.status != "INACTIVE"}


def deregister(tx: Transaction, instance: ContainerInstance, now: Instant) -> None:
    """Take the host of a machine that is gone out of its cluster; its keys open nothing then."""
    container_instances.write(
        tx, evolve(instance, status="INACTIVE", connected=False, deregistered_at=now)
    )
    for key in access_keys.of_instance(tx, instance.arn):
        access_keys.put(tx, evolve(key, retired=True))


def _wake(tx: Transaction, machine: Machine) -> None:
    pools.wake(tx, machine.account, machine.region, machine.pool)
    tx.wake(KIND, machine.id)
