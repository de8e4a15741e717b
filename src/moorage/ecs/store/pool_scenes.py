"""All that one decision about a pool looks at, gathered in a few queries."""

from collections.abc import Iterable, Sequence

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.machine import Pool
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.capacity.demand import Waiting, more_hosts
from moorage.ecs.rules.capacity.retirement import Member
from moorage.ecs.rules.capacity.scaling import Standing
from moorage.ecs.rules.deployment.daemon_hosts import others
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ecs.rules.placement.view import cluster_view as view_of
from moorage.ecs.store import machines, services, tasks
from moorage.ecs.store.identity import Clustered
from moorage.ecs.store.service_wants import wanted, wanted_by
from moorage.ecs.store.view import cluster_view, for_others, promised_view
from moorage.ground.arn import make_arn
from moorage.ground.record import Record, evolve
from moorage.kernel.site import PoolRule
from moorage.sql.transaction import Transaction

DAEMON = "DAEMON"
OF_SERVICE = "service:"


class Scene(Record):
    """A pool now: what is remembered of it, how it stands, who may go, and who is about to.

    `machines` counts all there are, those included that go.
    """

    pool: Pool
    standing: Standing
    joined: tuple[Member, ...] = ()
    retiring: tuple[Member, ...] = ()
    machines: int = 0


def load(tx: Transaction, rule: PoolRule, provider: CapacityProvider | None, pool: Pool) -> Scene:
    """The scene of a pool; `provider` is the one whose hosts these are, if any."""
    known = machines.of_pool(tx, rule.account, rule.region, rule.name)
    cluster = make_arn("cluster", rule.region, rule.account, rule.cluster)
    hosts = promised_view(tx, cluster).hosts if known else {}
    mine = [(one, hosts[one.instance]) for one in known if one.instance in hosts]
    daemons = _daemons(tx, rule, (load for _, load in mine))
    members = [
        Member(machine=one, instance=load.instance, tasks=others(load, daemons))
        for one, load in mine
    ]
    joined = [one for one in members if one.machine.status == "JOINED" and _has_been(one.instance)]
    coming = [one for one in known if one.status in {"CREATING", "JOINING", "JOINED"}]
    standing = Standing(
        there=len(joined),
        coming=len(coming) - len(joined),
        used=sum(bool(one.tasks) for one in joined),
        more=_more(tx, rule, provider, pool, joined),
        low_since=pool.low_since,
    )
    return Scene(
        pool=pool,
        standing=standing,
        joined=tuple(joined),
        retiring=tuple(one for one in members if one.machine.status == "RETIRING"),
        machines=len(known),
    )


def _has_been(instance: ContainerInstance) -> bool:
    """Whether its agent was ever connected: until then the host is only coming."""
    return instance.connected_at is not None


def _daemons(tx: Transaction, home: Clustered, loads: Iterable[HostLoad]) -> set[str]:
    """The groups of the daemons that have tasks on some hosts."""
    groups = {group for load in loads for group in load.groups}
    names = {name for group in groups if (name := group.removeprefix(OF_SERVICE)) != group}
    arns = [make_arn("service", home.region, home.account, home.cluster, name) for name in names]
    found = services.named(tx, sorted(arns)).values()
    return {f"{OF_SERVICE}{one.name}" for one in found if one.scheduling_strategy == DAEMON}


def _more(
    tx: Transaction,
    rule: PoolRule,
    provider: CapacityProvider | None,
    pool: Pool,
    joined: Sequence[Member],
) -> int | None:
    """How many hosts more are needed by those that wait for this provider."""
    if provider is None or provider.scaling is None:
        return 0
    cluster = make_arn("cluster", rule.region, rule.account, rule.cluster)
    waiting = [*_tasks(tx, cluster, provider.name), *_services(tx, cluster, provider.name)]
    if not waiting:
        return 0
    view = cluster_view(tx, cluster).of_provider(provider.name)
    return more_hosts(waiting, view, _size(tx, cluster, pool, joined))


def _size(tx: Transaction, cluster: str, pool: Pool, joined: Sequence[Member]) -> Resources | None:
    """What one more host would have for tasks that are no daemons': as the newest, when empty."""
    if not joined:
        return pool.host
    newest = max(joined, key=lambda one: (one.instance.registered_at, one.instance.arn)).instance
    empty = view_of([evolve(newest, status="ACTIVE", drain=None)], [])
    load = for_others(tx, cluster, empty).hosts[newest.arn]
    return Resources(
        cpu=load.cpu,
        memory=load.memory,
        gpus=load.gpus,
        ports=tuple(sorted(load.ports)),
        ports_udp=tuple(sorted(load.ports_udp)),
    )


def _tasks(tx: Transaction, cluster: str, provider: str) -> list[Waiting]:
    """The PROVISIONING tasks of a provider, those that ask for the same counted together."""
    found: dict[str, Waiting] = {}
    for task in tasks.provisioning(tx, cluster):
        if task.capacity_provider != provider:
            continue
        wants = wanted_by(tx, task)
        key = repr(wants)
        count = found[key].count + 1 if key in found else 1
        found[key] = Waiting(wants=wants, count=count)
    return list(found.values())


def _services(tx: Transaction, cluster: str, provider: str) -> list[Waiting]:
    """What services want of a provider and have no room for."""
    waiting: list[Waiting] = []
    for service in services.named(tx, services.waiting(tx, cluster)).values():
        count = service.wanting.get(provider, 0)
        if count:
            waiting.append(Waiting(wants=wanted(tx, service), count=count))
    return waiting
