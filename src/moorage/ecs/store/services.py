"""The table of services. A write wakes the service's own controller."""

from collections.abc import Iterable
from functools import cache

from moorage.ecs.records.service import Service
from moorage.ecs.rules import happenings
from moorage.ecs.store import timeline
from moorage.ecs.store.identity import Home, member_of
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.shapes.ecs.faults import ServiceNotFoundException
from moorage.sql.document import Table
from moorage.sql.query import Query
from moorage.sql.transaction import Conflict, Transaction

SERVICES = Table(
    "services",
    Service,
    keys=("arn",),
    columns=("cluster_arn", "status", "launch_type", "scheduling_strategy", "waits_for_room"),
    indices=(
        ("cluster_arn", "status"),
        ("cluster_arn", "waits_for_room"),
        ("cluster_arn", "scheduling_strategy"),
    ),
    version="version",
)
LIVE = ("ACTIVE", "DRAINING")

_BY_ARN = SERVICES.query(among="arn")
_WAITING = SERVICES.query("cluster_arn", "waits_for_room")
_LIVE = SERVICES.query("cluster_arn", among="status")
_DAEMONS = SERVICES.query("cluster_arn", "scheduling_strategy", among="status")
_EVERY = SERVICES.query()


def get(tx: Transaction, arn: str) -> Service | None:
    """The service of that ARN."""
    return SERVICES.get(tx, arn)


def find(tx: Transaction, home: Home, text: str, cluster: str) -> Service | None:
    """The service that a caller named by name or ARN inside a cluster, whatever its status.

    Raises InvalidParameterException for a foreign or malformed ARN.
    """
    arn = arn_of(home, text, cluster)
    return SERVICES.get(tx, arn) if arn else None


def needed(tx: Transaction, home: Home, text: str, cluster: str) -> Service:
    """`find`, and raises ServiceNotFoundException where there is none."""
    found = find(tx, home, text, cluster)
    if found is None:
        raise ServiceNotFoundException("Service not found.")
    return found


def arn_of(home: Home, text: str, cluster: str) -> str | None:
    """The ARN that a service's name or ARN means inside a cluster; None where it means another."""
    name = member_of(home, "service", text, cluster)
    if not name:
        return None
    return make_arn("service", home.region, home.account, cluster, name)


def named(tx: Transaction, arns: Iterable[str]) -> dict[str, Service]:
    """The services of those ARNs that are there, by ARN, in one query."""
    return {service.arn: service for service in _BY_ARN.all(tx, arn=arns)}


def waiting(tx: Transaction, cluster: str) -> list[str]:
    """The ARNs of the services of a cluster (an ARN) that wait for room on some host."""
    return [str(arn) for (arn,) in _WAITING.keys(tx, cluster_arn=cluster, waits_for_room=True)]


def daemons(tx: Transaction, cluster: str) -> list[Service]:
    """The daemon services of a cluster (an ARN) that are ACTIVE or DRAINING, by ARN."""
    return _DAEMONS.all(tx, cluster_arn=cluster, scheduling_strategy="DAEMON", status=LIVE)


def live_of_cluster(tx: Transaction, cluster: str) -> list[Service]:
    """All ACTIVE and DRAINING services of a cluster, by ARN."""
    return _LIVE.all(tx, cluster_arn=cluster, status=LIVE)


def live_arns(tx: Transaction, cluster: str) -> list[str]:
    """The ARNs of all ACTIVE and DRAINING services of a cluster."""
    return [str(arn) for (arn,) in _LIVE.keys(tx, cluster_arn=cluster, status=LIVE)]


def page(tx: Transaction, filters: dict[str, str], after: str | None, limit: int) -> list[Service]:
    """At most `limit` services whose columns equal `filters`, by ARN, after the ARN `after`."""
    return _listing(tuple(sorted(filters))).all(tx, limit=limit, arn=after, **filters)


def create(tx: Transaction, service: Service) -> None:
    """Keep a new service, perhaps in place of an INACTIVE one of the same name."""
    timeline.note(tx, happenings.of_service(get(tx, service.arn), service))
    SERVICES.put(tx, service)
    tx.wake("service", service.arn)


def write(tx: Transaction, service: Service) -> Service:
    """Replace the service that was read as this version; raises Conflict where it has moved on."""
    timeline.note(tx, happenings.of_service(get(tx, service.arn), service))
    written = note(tx, service)
    tx.wake("service", written.arn)
    if written.scheduling_strategy == "DAEMON":
        tx.wake("cluster", written.cluster_arn)  # what is kept free for it may be others' now
    return written


def note(tx: Transaction, service: Service) -> Service:
    """`write` by the service's own controller, which need not look again for that."""
    written = evolve(service, version=service.version + 1)
    if not SERVICES.swap(tx, written, version=service.version):
        raise Conflict(f"{service.arn} is no longer at version {service.version}")
    return written


def delete(tx: Transaction, service: Service) -> None:
    """Forget a service that has been INACTIVE for long enough."""
    SERVICES.delete(tx, service.arn)


def every(tx: Transaction) -> list[str]:
    """The ARNs of all services."""
    return [str(arn) for (arn,) in _EVERY.keys(tx)]


@cache
def _listing(columns: tuple[str, ...]) -> Query[Service]:
    return SERVICES.query(*columns, greater="arn")
