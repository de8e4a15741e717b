"""Where a task may go, worked out anew by looking at everything each time.

It follows docs/explanation/placement.md: which hosts can take a task, in which order they are
refused, which of them the strategies name. It keeps no order and no sums, and knows of the product
only the records that a case is made of.
"""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ground.record import Record
from tests.ecs.properties import expressions
from tests.ecs.properties.clusters import ALL, SHARED_ENGINE, Ask, Wish

DEFAULT = (("spread", "attribute:ecs.availability-zone"), ("spread", "instanceId"))
# In the order in which the checks are made.
REASONS = (
    "DRAINING",
    "AGENT",
    "AVOIDED",
    "ATTRIBUTE",
    "MemberOf placement constraint unsatisfied.",
    "DistinctInstance placement constraint unsatisfied.",
    "RESOURCE:GPU",
    "RESOURCE:CPU",
    "RESOURCE:MEMORY",
    "RESOURCE:PORTS",
)


class Takes(Record):
    """What one task takes; `gpus` are the fewest with which it can run."""

    cpu: int
    memory: int
    tcp: frozenset[int] = frozenset()
    udp: frozenset[int] = frozenset()
    gpus: int = 0
    all_gpus: bool = False


class Held(Record):
    """One live task of a host; room that is kept for a daemon has no group."""

    takes: Takes
    group: str = ""
    running: bool = False


class Site:
    """One host and all that it holds."""

    def __init__(self, host: ContainerInstance, held: Iterable[Held] = ()) -> None:
        self.host = host
        self.held = list(held)

    @property
    def arn(self) -> str:
        return self.host.arn

    def attribute(self, name: str) -> str | None:
        return next((one.value or "" for one in self.host.attributes if one.name == name), None)

    def groups(self) -> list[str]:
        return sorted({one.group for one in self.held if one.group})

    def of_group(self, group: str) -> int:
        return sum(one.group == group for one in self.held)

    def tasks(self) -> int:
        return sum(bool(one.group) for one in self.held)

    def left(self, name: str) -> int:
        """What remains of `cpu` or `memory`."""
        has = getattr(self.host.resources, name)
        return has - sum(getattr(one.takes, name) for one in self.held)

    def gpus_left(self) -> int:
        if any(one.takes.all_gpus for one in self.held):
            return 0
        return self.host.resources.gpus - sum(one.takes.gpus for one in self.held)

    def taken(self, protocol: str) -> set[int]:
        has = self.host.resources
        found = set(has.ports if protocol == "tcp" else has.ports_udp)
        return found.union(*(getattr(one.takes, protocol) for one in self.held))


def takes_of(ask: Ask) -> Takes:
    """What one task of a request takes, straight from its containers."""
    ports = [
        (host or (container if ask.network == "host" else 0), protocol)
        for wish in ask.containers
        for container, host, protocol in wish.ports
    ]
    fixed = [] if ask.network == "none" else [one for one in ports if one[0]]
    wishes = [wish.gpus for wish in ask.containers if wish.gpus]
    cpu, memory = sum(wish.cpu for wish in ask.containers), sum(map(_memory, ask.containers))
    return Takes(
        cpu=int(ask.of_task[0]) if ask.of_task else cpu,
        memory=int(ask.of_task[1]) if ask.of_task else memory,
        tcp=frozenset(port for port, protocol in fixed if protocol == "tcp"),
        udp=frozenset(port for port, protocol in fixed if protocol == "udp"),
        gpus=sum(1 if wish == ALL else int(wish) for wish in wishes),
        all_gpus=ALL in wishes,
    )


def _memory(wish: Wish) -> int:
    return wish.reservation or wish.memory or 0


def sites(hosts: Iterable[ContainerInstance], tasks: Iterable[Task]) -> dict[str, Site]:
    """The hosts that are there, with their tasks that have not stopped."""
    found = {one.arn: Site(one) for one in hosts if one.status != "INACTIVE"}
    for task in tasks:
        if task.last_status != "STOPPED" and task.instance in found:
            takes = Takes(
                cpu=task.reserved.cpu,
                memory=task.reserved.memory,
                tcp=frozenset(task.reserved.ports),
                udp=frozenset(task.reserved.ports_udp),
                gpus=len(task.reserved.gpu_ids),
            )
            held = Held(takes=takes, group=task.group, running=task.last_status == "RUNNING")
            found[task.instance].held.append(held)
    return found


def keep(found: Mapping[str, Site], daemons: Sequence[Ask]) -> None:
    """Keep room for each daemon on each ACTIVE host where it belongs and is not."""
    lacking = [
        (site, daemon)
        for daemon in daemons
        for site in found.values()
        if site.host.status == "ACTIVE"
        and daemon.group not in site.groups()
        and not {*refusals(daemon, takes_of(daemon), site)} & {*REASONS[3:5]}
        and not {*refusals(daemon, takes_of(daemon), Site(site.host))} & {*REASONS[6:]}
    ]
    for site, daemon in lacking:
        site.held.append(Held(takes=takes_of(daemon)))


def refusals(
    ask: Ask, takes: Takes, site: Site, avoided: frozenset[str] = frozenset()
) -> list[str]:
    """Every reason for which a host cannot take one such task now, in the order of the checks."""
    found = {
        "DRAINING": site.host.status == "DRAINING",
        "AGENT": _out_of_reach(site.host),
        "AVOIDED": site.arn in avoided,
        "ATTRIBUTE": _lacks(ask, site),
        "MemberOf placement constraint unsatisfied.": not _member(ask, site),
        "DistinctInstance placement constraint unsatisfied.": ask.distinct
        and site.of_group(ask.group) > 0,
        "RESOURCE:GPU": takes.gpus > max(0, site.gpus_left()),
        "RESOURCE:CPU": takes.cpu > site.left("cpu"),
        "RESOURCE:MEMORY": takes.memory > site.left("memory"),
        "RESOURCE:PORTS": bool(takes.tcp & site.taken("tcp") or takes.udp & site.taken("udp")),
    }
    return [reason for reason in REASONS if found[reason]]


def _out_of_reach(host: ContainerInstance) -> bool:
    return (
        not host.connected
        or host.suspect
        or host.lost_at is not None
        or host.engine_gone_at is not None
        or host.flapping_until is not None
        or host.runtime_status == "IMPAIRED"
    )


def _lacks(ask: Ask, site: Site) -> bool:
    for name, value in ask.attributes:
        has = site.attribute(name)
        if has is None or value not in {None, has}:
            return True
    return ask.network == "host" and site.attribute(SHARED_ENGINE) is not None


def _member(ask: Ask, site: Site) -> bool:
    running = sum(one.running for one in site.held)
    return all(expressions.holds(tree, site.host, site.groups(), running) for tree in ask.members)


def preferred(
    ask: Ask, fitting: Sequence[Site], everywhere: Iterable[Site], own: Mapping[str, int]
) -> list[str]:
    """Which of the hosts that can take a task the strategies name: several only by chance.

    `own` are the tasks on each host that spreads balance.
    """
    staying = [
        site
        for site in everywhere
        if site.host.status == "ACTIVE" and site.host.lost_at is None and own.get(site.arn)
    ]
    left, names = list(fitting), []
    for kind, field in ask.strategies or DEFAULT:
        if kind == "random":
            return [site.arn for site in left]
        if kind == "binpack":
            least = min(site.left(field.lower()) for site in left)
            left = [site for site in left if site.left(field.lower()) == least]
        elif field.startswith("attribute:"):
            names.append(field.removeprefix("attribute:"))
            left = _of_emptiest_group(left, names, staying, own)
        else:
            least = min(own.get(site.arn, 0) for site in left)
            left = [site for site in left if own.get(site.arn, 0) == least]
    best = min(left, key=lambda site: (own.get(site.arn, 0), site.tasks(), site.arn))
    return [best.arn]


def _of_emptiest_group(
    left: Sequence[Site], names: Sequence[str], staying: Sequence[Site], own: Mapping[str, int]
) -> list[Site]:
    """The hosts of the group with the fewest tasks; of equal groups, the first by its values."""
    counts = {values_of(site, names): 0 for site in left}
    for site in staying:
        values = values_of(site, names)
        if values in counts:
            counts[values] += own[site.arn]
    best = min(counts, key=lambda values: (counts[values], values))
    return [site for site in left if values_of(site, names) == best]


def values_of(site: Site, names: Sequence[str]) -> tuple[str, ...]:
    """The values of a host by which spreads group it."""
    return tuple(site.attribute(name) or "" for name in names)
