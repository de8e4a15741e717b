"""The brake, carried out: the rows that `rules.host.brake` decides on, and what it decides.

Run in the transaction in which a host is lost, so that no service looks in between; by the
controllers of the cluster and of the lost host, when time or a return releases hosts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property, partial

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.freeze import BRAKE
from moorage.ecs.rules.host.brake import BrakeRule, Wave, look_after, waiting_of, wave
from moorage.ecs.store import container_instances, freezes, services, tasks
from moorage.ecs.store.announcements import announce, unaware
from moorage.ecs.store.view import live_hosts
from moorage.ground.arn import make_arn
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import Record, evolve
from moorage.kernel.site import Site
from moorage.sql.transaction import Transaction

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


def brake_rule(site: Site) -> BrakeRule:
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
    return freezes.FREEZES.get(tx, cluster.account, cluster.region, cluster.name, "", BRAKE)


def brake(tx: Transaction, cluster: Braked, rule: BrakeRule) -> Instant | None:
    """Let lost hosts of a cluster be replaced, or hold them; answers when to look again."""
    held = holding(tx, cluster)
    hosts = live_hosts(tx, cluster.arn)
    gone = [one for one in hosts if one.lost_at is not None]
    if not gone and held is None:
        return None
    decided = wave(hosts, held, frozenset(), rule, tx.now)
    stranded = _Stranded(tx, gone) if decided.holds or held is not None else None
    if stranded is not None and held is None:
        decided = wave(hosts, held, stranded.unreplaced(), rule, tx.now)
    by_arn = {one.arn: one for one in gone}
    for arn in decided.replace:
        container_instances.write(tx, evolve(by_arn[arn], replace_at=tx.now))
    for arn in decided.hold:
        container_instances.write(tx, evolve(by_arn[arn], replace_at=None))
    after = _keep(tx, cluster, decided, held, rule)
    if held is not None and after is None:
        # Whoever still waits now waits for what becomes of others, and looks for itself.
        for arn in sorted(by_arn):
            tx.wake("instance", arn)
    if stranded is not None:
        _tell(tx, stranded, decided, held, after)
    return decided.look_again


def release(tx: Transaction, instance: ContainerInstance, rule: BrakeRule) -> Instant | None:
    """`brake` for a lost host that waits; answers when it is to look again.

    Of several the first decides for all: else a thousand that wait together would each look at all
    hosts, once a second.
    """
    cluster = of_host(instance)
    waiting = [one.arn for one in waiting_of(live_hosts(tx, cluster.arn))]
    if instance.arn in waiting[1:]:
        return look_after(instance, rule, tx.now)
    return brake(tx, cluster, rule)


def lose(tx: Transaction, instance: ContainerInstance, rule: BrakeRule) -> None:
    """Decide about a host that was just lost.

    While the brake holds, one more loss is held as well, and that may at the most make a lost zone
    whole: its cluster's controller looks at that once for all. Else a wave of a thousand hosts
    would be counted a thousand times.
    """
    held = holding(tx, of_host(instance))
    if held is None:
        brake(tx, of_host(instance), rule)
    else:
        stranded = _Stranded(tx, (instance,)).services((instance.arn,))
        _hold(tx, held, unaware(tx, sorted(stranded), events.HELD, held.created_at))


def _keep(
    tx: Transaction, cluster: Braked, decided: Wave, held: Freeze | None, rule: BrakeRule
) -> Freeze | None:
    """Begin the freeze, or end it, where that changes; the one that is kept now."""
    if held is not None and not decided.holds:
        freezes.delete(tx, held)
        return None
    if held is not None or not decided.holds:
        return held
    lost = f"{decided.lost} of {decided.hosts} hosts of the cluster"
    begun = Freeze(
        account=cluster.account,
        region=cluster.region,
        cluster=cluster.name,
        service="",
        cause=BRAKE,
        reason=f"{lost} were lost within a short time",
        created_at=tx.now,
        until=later(tx.now, rule.timeout),
    )
    freezes.put(tx, begun)
    return begun


def _tell(
    tx: Transaction,
    stranded: "_Stranded",
    decided: Wave,
    before: Freeze | None,
    after: Freeze | None,
) -> None:
    """The services with tasks on lost hosts learn what is held, and when it goes on."""
    if before is None and after is not None:
        _hold(tx, after, stranded.services(stranded.arns))
    elif before is not None and after is None:
        lost, hosts = decided.lost, decided.hosts
        resumed = stranded.services(stranded.arns)
        announce(tx, resumed, lambda name: events.replacement_resumed(name, lost, hosts))
    elif after is not None:
        for arn in decided.replace:
            paced = partial(events.replacement_paced, host=stranded.name(arn))
            announce(tx, stranded.services((arn,)), paced)


def _hold(tx: Transaction, held: Freeze, services_told: Iterable[str]) -> None:
    until = held.until
    if until is not None and tx.now < until:
        announce(tx, services_told, lambda name: events.replacement_held(name, held.reason, until))


class _Stranded:
    """The services' tasks on lost hosts, read once, and only where somebody asks.

    While the brake holds and nothing changes, each look at a cluster would else read them all.
    """

    def __init__(self, tx: Transaction, gone: Sequence[ContainerInstance]) -> None:
        self._tx = tx
        self._gone = {one.arn: one for one in gone}

    @cached_property
    def _tasks(self) -> list[Task]:
        return [
            task
            for task in tasks.live_of_instances(self._tx, self._gone)
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
        short = {
            arn
            for arn, service in wanted.items()
            # A daemon's task is not replaced elsewhere.
            if service.scheduling_strategy != "DAEMON" and reached[arn] < service.desired_count
        }
        return frozenset(task.instance for task in self._tasks if task.service in short)
