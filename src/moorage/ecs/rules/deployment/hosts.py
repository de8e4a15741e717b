"""What a service knows of the hosts of its tasks, and when it gives up tasks on a lost one.

A lost host's tasks may still run: nobody knows. A service that may run one too many
(maximumPercent above 100) gives them up as soon as its cluster lets it (`replace_at`), any other
waits until the host is back or a person has said that it will not come back. A tag overrides that.

A service that is tagged to be fenced gives a task up once its agent must have stopped it. The
agent counts `Task.fence_after` from the sending of the last sign of itself that the server is known
to have had. That is never later than when the server had it, and the server had none after the
connection was gone; a loss by silence ends the connection at the moment at which it is judged. So
the time counts from `disconnected_at`, which is `lost_after` on the safe side of the last sign:
`fence_after` until the agent acts, the stop timeouts of all containers of the task (they may stop
one after another), and `fence_margin` for what clocks and engines are late. A task whose agent was
told of no fence, or has no engine to stop it with, is given up by hand alone.
"""

from typing import Literal

from moorage.ecs.records.container_instance import ContainerInstance
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
    """One host as the rules of services see it; see `ContainerInstance`.

    `disconnected_at` is None while it is connected.
    """

    name: str = ""
    draining: bool = False
    lost_at: Instant | None = None
    disconnected_at: Instant | None = None
    engine_gone: bool = False
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
        disconnected_at=None if instance.connected else instance.disconnected_at,
        engine_gone=instance.engine_gone_at is not None,
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
    """When tasks on a lost host are given up: `at` an instant, or nobody knows when.

    `hold` says what they wait for until then.
    """

    at: Instant | None = None
    hold: Hold = "wait"


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

    `fenced_after` the end of the connection its agent must have stopped it, None where it was not
    told to; only a service that fences asks.
    """
    if host.confirmed_at is not None:
        return Fate(at=host.confirmed_at)
    if not rule.replaces:
        return Fate(hold="wait")
    fenced_at = _fenced_at(host, fenced_after) if rule.fences else Instant(0)
    if fenced_at is None:
        return Fate(hold="unfenced")
    if host.replace_at is None:
        return Fate(hold="brake")
    if fenced_at < host.replace_at:
        return Fate(at=host.replace_at, hold="brake")
    return Fate(at=fenced_at, hold="fence")


def _fenced_at(host: HostState, fenced_after: Duration | None) -> Instant | None:
    if fenced_after is None or host.engine_gone or host.disconnected_at is None:
        return None
    return later(host.disconnected_at, fenced_after)


def was_lost(task: Task) -> bool:
    """Whether the task has lived through a loss of its host; only that moves `connectivity_at`."""
    return task.connectivity_at is not None and task.connectivity_at > task.created_at
