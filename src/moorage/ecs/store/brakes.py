"""The brake, carried out: the rows that `rules.host.brake` decides on, and what it decides.

Run in the transaction in which a host is lost or returns, so that no service looks in between;
and by the cluster's controller, when time alone releases hosts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.freeze import Freeze, FreezeCause
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.host.brake import BrakeRule, Wave, too_many, wave
from moorage.ecs.store import container_instances, freezes, services, tasks
from moorage.ecs.store.announcements import announce
from moorage.ground.arn import make_arn
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import Record, evolve
from moorage.sql.transaction import Transaction

CAUSE: FreezeCause = "brake"
# Ticks are counted, not measured: the last second of a doubt may be a long one.
DOUBT_MARGIN = seconds(2)


class Braked(Record):
    """A cluster by the three names by which freezes are kept, and its ARN."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return make_arn("cluster", self.region, self.account, self.name)


class Timing(Protocol):
    """The settings of the brake, as the site has them."""

    @property
    def suspect_after(self) -> Duration:
        """Silence after which a host is suspect."""
        ...

    @property
    def lost_after(self) -> Duration:
        """Silence after which it is lost."""
        ...

    @property
    def brake_window(self) -> Duration:
        """Losses within this are counted together."""
        ...

    @property
    def brake_timeout(self) -> Duration:
        """How long replacement holds at the most."""
        ...

    @property
    def brake_pace(self) -> Duration:
        """After that, one host each."""
        ...


def brake_rule(site: Timing) -> BrakeRule:
    """The brake's settings."""
    return BrakeRule(
        window=site.brake_window,
        timeout=site.brake_timeout,
        pace=site.brake_pace,
        doubt=Duration(max(site.lost_after - site.suspect_after, 0) + DOUBT_MARGIN),
    )


def of_host(instance: ContainerInstance) -> Braked:
    """The cluster of a host."""
    return Braked(account=instance.account, region=instance.region, name=instance.cluster)


def holding(tx: Transaction, cluster: Braked) -> Freeze | None:
    """The brake's freeze of a cluster; its time may be over while hosts still wait their turn."""
    return freezes.FREEZES.get(tx, cluster.account, cluster.region, cluster.name, "", CAUSE)


def brake(
    tx: Transaction, cluster: Braked, rule: BrakeRule, newly_lost: str = ""
) -> Instant | None:
    """Let lost hosts of a cluster be replaced, or hold them; answers when to look again.

    `newly_lost` is the host (an ARN) whose loss is the occasion, if one is.
    """
    held = holding(tx, cluster)
    hosts = container_instances.live_of_cluster(tx, cluster.arn)
    gone = [one for one in hosts if one.lost_at is not None]
    if not gone and held is None:
        return None
    stranded = _Stranded(tx, gone) if too_many(len(gone), 0) or held else None
    unreplaced = stranded.unreplaced() if stranded and held is None else frozenset[str]()
    decided = wave(hosts, held, unreplaced, rule, tx.now)
    by_arn = {one.arn: one for one in gone}
    for arn in decided.replace:
        container_instances.write(tx, evolve(by_arn[arn], replace_at=tx.now))
    for arn in decided.hold:
        container_instances.write(tx, evolve(by_arn[arn], replace_at=None))
    if stranded is not None:
        _tell(tx, stranded, decided, held, _unaware(stranded, held, newly_lost))
    _keep(tx, cluster, decided, held, rule)
    return decided.look_again


def _keep(
    tx: Transaction, cluster: Braked, decided: Wave, held: Freeze | None, rule: BrakeRule
) -> None:
    """Begin the freeze, or end it, where that changes."""
    if held is not None and not decided.holds:
        freezes.delete(tx, held)
    if held is None and decided.holds:
        freezes.put(
            tx,
            Freeze(
                account=cluster.account,
                region=cluster.region,
                cluster=cluster.name,
                service="",
                cause=CAUSE,
                reason=f"{decided.lost} of {decided.hosts} hosts were lost within a short time",
                created_at=tx.now,
                until=later(tx.now, rule.timeout),
            ),
        )


def _unaware(stranded: "_Stranded", held: Freeze | None, newly_lost: str) -> set[str]:
    """The services that are to be told that the brake holds: each once."""
    if held is None:
        return stranded.services(stranded.arns)
    before = [arn for arn in stranded.arns if arn != newly_lost]
    return stranded.services((newly_lost,)) - stranded.services(before)


def _tell(
    tx: Transaction,
    stranded: "_Stranded",
    decided: Wave,
    held: Freeze | None,
    unaware: set[str],
) -> None:
    """The services with tasks on lost hosts learn what is held, and when it goes on."""
    lost, hosts = decided.lost, decided.hosts
    if decided.holds:
        until = held.until if held is not None else decided.look_again
        at = until or tx.now
        if tx.now < at:
            announce(tx, unaware, lambda name: events.replacement_held(name, lost, hosts, at))
        for arn in decided.replace:
            host = stranded.name(arn)
            paced = partial(events.replacement_paced, host=host)
            announce(tx, stranded.services((arn,)), paced)
    elif held is not None:
        resumed = stranded.services(stranded.arns)
        announce(tx, resumed, lambda name: events.replacement_resumed(name, lost, hosts))


class _Stranded:
    """The services' tasks on lost hosts, read once."""

    def __init__(self, tx: Transaction, gone: Sequence[ContainerInstance]) -> None:
        self._tx = tx
        self._gone = {one.arn: one for one in gone}
        self._tasks: list[Task] = [
            task
            for task in tasks.live_of_instances(tx, self._gone)
            if task.service and task.desired_status == "RUNNING"
        ]

    @property
    def arns(self) -> Iterable[str]:
        return self._gone

    def name(self, arn: str) -> str:
        return self._gone[arn].name or arn.rpartition("/")[2]

    def services(self, arns: Iterable[str]) -> set[str]:
        """The services with tasks on some of the hosts."""
        among = set(arns)
        return {task.service for task in self._tasks if task.instance in among}

    def unreplaced(self) -> frozenset[str]:
        """The hosts with tasks of services that do not have all of their tasks elsewhere yet."""
        among = {task.service for task in self._tasks}
        reached = Counter(
            task.service
            for task in tasks.live_of_services(self._tx, among)
            if task.connectivity == "CONNECTED" and task.desired_status == "RUNNING"
        )
        wanted = services.named(self._tx, among)
        short = {arn for arn, service in wanted.items() if reached[arn] < service.desired_count}
        return frozenset(task.instance for task in self._tasks if task.service in short)
