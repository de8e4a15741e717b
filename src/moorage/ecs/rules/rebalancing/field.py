"""The hosts of a cluster as moves are planned on them: what each holds, and which take a task."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.state import soonest
from moorage.ecs.rules.placement.constraint import Wants, obstacle
from moorage.ecs.rules.placement.view import ClusterView, HostLoad, promised
from moorage.ground.instant import Duration, Instant, iso, later

_NOTHING = Wants(needs=Resources(), group="")


class Field:
    """The hosts while one plan is made; each move that is planned changes it.

    `takers` are the ARNs of the hosts that take moved tasks at all, `closed` says of each other one
    why it does not. A host takes them once it has been ACTIVE, connected and sound for `settling`; `opens_at` is when
    the next one will be, None for no time known.
    """

    def __init__(
        self, view: ClusterView, totals: Mapping[str, int], settling: Duration, now: Instant
    ) -> None:
        """Take the cluster, and each host's load: how many tasks of services stay there (`tally`)."""
        self.loads: dict[str, HostLoad] = dict(view.hosts)
        self.totals: dict[str, int] = {arn: totals.get(arn, 0) for arn in self.loads}
        reasons = {arn: why_closed(load, settling, now) for arn, load in self.loads.items()}
        self._by_total: Sequence[str] = ()
        self._zones = {arn: load.instance.zone for arn, load in self.loads.items()}
        self.takers: tuple[str, ...] = tuple(arn for arn, why in reasons.items() if not why)
        self.open = frozenset(self.takers)
        self.taker_zones = frozenset(self._zones[arn] for arn in self.takers)
        self.opens_at = soonest(
            [
                at
                for arn, load in self.loads.items()
                if reasons[arn] and obstacle(_NOTHING, load) is None
                if (at := settled_at(load.instance, settling)) is not None and at > now
            ]
        )
        self.closed: Mapping[str, str] = {arn: why for arn, why in reasons.items() if why}

    @property
    def by_total(self) -> Sequence[str]:
        """The takers, those with the fewest tasks of services first."""
        if not self._by_total:
            self._by_total = sorted(self.takers, key=lambda arn: (self.totals[arn], arn))
        return self._by_total

    @property
    def lowest(self) -> int:
        """The fewest tasks of services that a host has which takes more; 0 without such a host."""
        return self.totals[self.by_total[0]] if self.takers else 0

    def name(self, arn: str) -> str:
        """The name by which people know a host."""
        instance = self.loads[arn].instance
        return instance.name or instance.id

    def zone(self, arn: str) -> str:
        """The zone of a host, or ""."""
        return self._zones[arn]

    def free_share(self, arn: str, taken: Resources | None = None) -> float:
        """Which share of its scarcer resource, CPU or memory, a host has left after `taken`."""
        load = self.loads[arn]
        has, takes = load.instance.resources, taken or Resources()
        return min(
            (load.cpu - takes.cpu) / max(has.cpu, 1),
            (load.memory - takes.memory) / max(has.memory, 1),
        )

    def start(self, arn: str, needs: Resources, group: str) -> None:
        """A successor is promised to a host."""
        self.loads[arn] = promised(self.loads[arn], needs, group)
        self.totals[arn] += 1
        self._by_total = ()

    def leave(self, task: Task) -> None:
        """A task has moved away: its host has its room back."""
        view = ClusterView({task.instance: self.loads[task.instance]}).without_task(task)
        self.loads[task.instance] = view.hosts[task.instance]
        self.totals[task.instance] -= 1
        self._by_total = ()


def why_closed(load: HostLoad, settling: Duration, now: Instant) -> str:
    """Why a host takes no moved tasks now, "" where it does."""
    found = obstacle(_NOTHING, load)
    if found is not None:
        return found.detail
    ready = settled_at(load.instance, settling)
    if ready is None:
        return "The host was not seen to be ready yet."
    if now < ready:
        return f"The host has only just joined or returned: it takes them from {iso(ready)} on."
    return ""


def is_ready(instance: ContainerInstance) -> bool:
    """Whether a host is ACTIVE, and neither lost nor flapping nor without its engine."""
    return (
        instance.status == "ACTIVE"
        and instance.lost_at is None
        and instance.flapping_until is None
        and instance.engine_gone_at is None
    )


def settled_at(instance: ContainerInstance, settling: Duration) -> Instant | None:
    """When a host has been ready, and connected, for long enough; None while it is not ready.

    With no time to settle, what is connected is ready.
    """
    if not settling:
        return Instant(0)
    if instance.ready_at is None or not instance.connected:
        return None
    return later(max(instance.ready_at, instance.connected_at or Instant(0)), settling)
