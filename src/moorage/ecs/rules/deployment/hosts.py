"""What a service knows of the hosts of its tasks, and when it gives up tasks on a lost one.

A lost host's tasks may still run: nobody knows. A service that may run one too many
(maximumPercent above 100) gives them up as soon as its cluster lets it (`replace_at`), any other
waits until the host is back or a person has said that it will not come back. A tag overrides that.

A service that is tagged to be fenced gives a task up once its agent must have stopped it. The
agent stops it `Task.fence_after` from when it last knew of the server. That may be later than when
the server last heard of the host, for a line may be cut in one direction only; but it is not later
than the loss, for with it the server closes the connection and says no more. So the time counts
from `lost_at`: `fence_after` until the agent acts, the stop timeouts of all containers of the task
(they may stop one after another), and `fence_margin` for what clocks and machines are late. A task
whose agent was told of no fence, and one whose engine is what was lost, is given up by hand alone.
"""

from typing import Literal

from moorage.ecs.records.container_instance import ContainerInstance, Loss
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.rolling import percentages
from moorage.ecs.rules.service_tags import wishes
from moorage.ground.instant import Duration, Instant, later
from moorage.ground.record import Record

# Why tasks on a lost host are not replaced yet.
Hold = Literal["brake", "wait", "fence", "unfenced"]
_ONCE = 100


class HostState(Record):
    """One host as the rules of services see it; the members are those of `ContainerInstance`."""

    name: str = ""
    draining: bool = False
    lost_at: Instant | None = None
    loss: Loss | None = None
    replace_at: Instant | None = None
    confirmed_at: Instant | None = None
    flapping_until: Instant | None = None

    def is_flapping(self, now: Instant) -> bool:
        """Whether the host, though it is back, should take nothing back yet."""
        return self.flapping_until is not None and now < self.flapping_until


SOUND = HostState()


def host_state(instance: ContainerInstance) -> HostState:
    """What the rules of services look at of a host."""
    return HostState(
        name=instance.name or instance.id,
        draining=instance.status == "DRAINING",
        lost_at=instance.lost_at,
        loss=instance.loss,
        replace_at=instance.replace_at,
        confirmed_at=instance.confirmed_at,
        flapping_until=instance.flapping_until,
    )


class LossRule(Record):
    """What a service does about tasks on lost hosts; `tagged` says that a tag decided it."""

    replaces: bool
    fences: bool = False
    tagged: bool = False


class Fate(Record):
    """When tasks on a lost host are given up: at an instant, or for as long as `hold` holds them.

    With both, `hold` says what they wait for until then.
    """

    at: Instant | None = None
    hold: Hold | None = None


def loss_rule(service: Service) -> LossRule:
    """What a service wants, by its tags and its percentages; to be fenced is to be replaced."""
    wished = wishes(service.tags)
    if wished.on_host_loss is not None:
        replaces = wished.on_host_loss == "replace"
        return LossRule(replaces=replaces, fences=wished.fence, tagged=True)
    may_run_more = percentages(service.deployment_configuration)[1] > _ONCE
    return LossRule(replaces=may_run_more or wished.fence, fences=wished.fence)


def fate(rule: LossRule, host: HostState, fenced_after: Duration | None) -> Fate:
    """When a service gives up a task on a lost host.

    `fenced_after` the loss its agent must have stopped it, None where it was not told to; only a
    service that fences asks.
    """
    if host.confirmed_at is not None:
        return Fate(at=host.confirmed_at)
    if not rule.replaces:
        return Fate(hold="wait")
    if rule.fences and (host.loss == "engine" or fenced_after is None):
        return Fate(hold="unfenced")
    if host.replace_at is None or host.lost_at is None:
        return Fate(hold="brake")
    if not rule.fences or fenced_after is None:
        return Fate(at=host.replace_at, hold="brake")
    fenced_at = later(host.lost_at, fenced_after)
    if fenced_at < host.replace_at:
        return Fate(at=host.replace_at, hold="brake")
    return Fate(at=fenced_at, hold="fence")


def was_lost(task: Task) -> bool:
    """Whether the task has lived through a loss of its host; only that moves `connectivity_at`."""
    return task.connectivity_at is not None and task.connectivity_at > task.created_at
