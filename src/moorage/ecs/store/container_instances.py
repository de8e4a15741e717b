"""The table of container instances. A change wakes the host, its cluster, and services with tasks there."""

from collections.abc import Iterable

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules import happenings
from moorage.ecs.store import services, tasks, timeline
from moorage.ecs.store.identity import Home, member_of
from moorage.ecs.store.projection import host_written
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.transaction import Conflict, Transaction

CONTAINER_INSTANCES = Table(
    "container_instances",
    ContainerInstance,
    keys=("arn",),
    columns=("cluster_arn", "status", "name", "client_token"),
    indices=(("cluster_arn", "status"), ("cluster_arn", "name"), ("cluster_arn", "client_token")),
    version="version",
)
LIVE = ("ACTIVE", "DRAINING")

_BY_ARN = CONTAINER_INSTANCES.query(among="arn")
_LIVE_OF_CLUSTER = CONTAINER_INSTANCES.query("cluster_arn", among="status")
_OF_NAME = CONTAINER_INSTANCES.query("cluster_arn", "name", among="status")
_OF_TOKEN = CONTAINER_INSTANCES.query("cluster_arn", "client_token", among="status")
_PAGE = CONTAINER_INSTANCES.query("cluster_arn", among="status", greater="arn")
_EVERY = CONTAINER_INSTANCES.query()
_EVERY_LIVE = CONTAINER_INSTANCES.query(among="status")


def get(tx: Transaction, arn: str) -> ContainerInstance | None:
    """The host of that ARN."""
    return CONTAINER_INSTANCES.get(tx, arn)


def find(tx: Transaction, home: Home, text: str, cluster: str) -> ContainerInstance | None:
    """The host that a caller named by id or ARN inside a cluster.

    Raises InvalidParameterException for a foreign or malformed ARN.
    """
    arn = arn_of(home, text, cluster)
    return CONTAINER_INSTANCES.get(tx, arn) if arn else None


def called(tx: Transaction, home: Home, text: str, cluster: str) -> ContainerInstance | None:
    """The live host that a person means by its own name, its id or its ARN inside a cluster.

    Raises InvalidParameterException for a foreign or malformed ARN.
    """
    home_arn = make_arn("cluster", home.region, home.account, cluster)
    found = of_name(tx, home_arn, text) or find(tx, home, text, cluster)
    return found if found is not None and found.status in LIVE else None


def arn_of(home: Home, text: str, cluster: str) -> str | None:
    """The ARN that a host's id or ARN means inside a cluster; None where it means another one."""
    identity = member_of(home, "container-instance", text, cluster)
    if not identity:
        return None
    return make_arn("container-instance", home.region, home.account, cluster, identity)


def named(tx: Transaction, arns: Iterable[str]) -> dict[str, ContainerInstance]:
    """The hosts of those ARNs that are there, by ARN; those that are not known yet in one query."""
    asked = sorted(set(arns))
    found = {arn: CONTAINER_INSTANCES.at_hand(tx, arn) for arn in asked}
    unread = [arn for arn, one in found.items() if one is None]
    found.update((one.arn, one) for one in _BY_ARN.all(tx, arn=unread))
    return {arn: one for arn, one in found.items() if one is not None}


def live_of_cluster(tx: Transaction, cluster: str) -> list[ContainerInstance]:
    """The ACTIVE and DRAINING hosts of a cluster (an ARN), by ARN."""
    return _LIVE_OF_CLUSTER.all(tx, cluster_arn=cluster, status=LIVE)


def live_count(tx: Transaction, cluster: str) -> int:
    """How many hosts of a cluster are ACTIVE or DRAINING."""
    return _LIVE_OF_CLUSTER.count(tx, cluster_arn=cluster, status=LIVE)


def of_name(tx: Transaction, cluster: str, name: str) -> ContainerInstance | None:
    """The live host of a cluster whose own name is `name`."""
    return _OF_NAME.first(tx, cluster_arn=cluster, name=name, status=LIVE)


def of_token(tx: Transaction, cluster: str, client_token: str) -> ContainerInstance | None:
    """The live host that was registered with a client token."""
    return _OF_TOKEN.first(tx, cluster_arn=cluster, client_token=client_token, status=LIVE)


def page(
    tx: Transaction, cluster: str, statuses: Iterable[str], after: str | None, limit: int
) -> list[ContainerInstance]:
    """At most `limit` hosts of a cluster, by ARN, after the ARN `after`."""
    return _PAGE.all(tx, limit=limit, cluster_arn=cluster, status=statuses, arn=after)


def create(tx: Transaction, instance: ContainerInstance) -> None:
    """Keep a new host; its id was drawn by chance, so nobody has it."""
    assert CONTAINER_INSTANCES.insert(tx, instance), f"{instance.arn} is taken"
    host_written(tx, instance)
    timeline.note(tx, happenings.of_host(None, instance))
    _wake(tx, instance)


def write(tx: Transaction, instance: ContainerInstance) -> ContainerInstance:
    """Replace the host that was read as this version; raises Conflict where it has moved on."""
    written = tell(tx, instance)
    _wake(tx, written)
    for service in sorted({one.service for one in tasks.live_of_instance(tx, instance.arn)}):
        if service:
            tx.wake("service", service)
    return written


def tell(tx: Transaction, instance: ContainerInstance) -> ContainerInstance:
    """`write` before anybody decides, who will look at everything: it wakes nobody."""
    timeline.note(tx, happenings.of_host(get(tx, instance.arn), instance))
    return note(tx, instance)


def note(tx: Transaction, instance: ContainerInstance) -> ContainerInstance:
    """`write` of what no controller need know: counters, and promises that tasks tell of."""
    written = evolve(instance, version=instance.version + 1)
    if not CONTAINER_INSTANCES.swap(tx, written, version=instance.version):
        raise Conflict(f"{instance.arn} is no longer at version {instance.version}")
    host_written(tx, written)
    return written


def delete(tx: Transaction, instance: ContainerInstance) -> None:
    """Forget a host that has been INACTIVE for long enough."""
    CONTAINER_INSTANCES.delete(tx, instance.arn)
    host_written(tx, evolve(instance, status="INACTIVE"))


def every(tx: Transaction) -> list[str]:
    """The ARNs of all hosts."""
    return [str(arn) for (arn,) in _EVERY.keys(tx)]


def every_live(tx: Transaction) -> list[ContainerInstance]:
    """All hosts that are ACTIVE or DRAINING, of every cluster."""
    return _EVERY_LIVE.all(tx, status=LIVE)


def _wake(tx: Transaction, instance: ContainerInstance) -> None:
    tx.wake("instance", instance.arn)
    for service in services.daemons(tx, instance.cluster_arn):
        tx.wake("service", service.arn)  # before others that wait for the host
    tx.wake("cluster", instance.cluster_arn)
