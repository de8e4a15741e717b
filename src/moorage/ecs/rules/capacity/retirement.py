"""Which hosts of a pool may go, in which order, and when a host that is to go is ready for it."""

from collections.abc import Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.machine import Machine
from moorage.ecs.records.task import Task
from moorage.ground.instant import Duration, Instant, later, minutes
from moorage.ground.record import Record

# How long nothing is made after machines could not be made, or did not join: doubled each time.
PAUSE_FIRST = minutes(1)
PAUSE_MAX = minutes(30)
DOUBLINGS_MAX = 10
# What tasks that are told to stop at the deadline of a drain have to do so.
STOPPING = minutes(2)


class Member(Record):
    """A machine that has joined, its host, and how many live tasks are there that are no daemon's."""

    machine: Machine
    instance: ContainerInstance
    tasks: int = 0


def pause(failures: int) -> Duration:
    """How long to wait after so many failures in a row."""
    doubled = PAUSE_FIRST * 2 ** min(failures - 1, DOUBLINGS_MAX)
    return Duration(min(PAUSE_MAX, doubled))


def chosen(
    members: Sequence[Member], count: int, *, warmup: Duration, used_too: bool, now: Instant
) -> tuple[Member, ...]:
    """At most `count` hosts that may go: those without tasks, and only with `used_too` others.

    First those that are out of reach, then the newest, and of those with tasks the ones with
    fewest. One that joined within `warmup` has had no time to be of use, and stays.
    """
    ready = [
        one for one in members if later(one.machine.joined_at or now, warmup) <= now or used_too
    ]
    may_go = [one for one in ready if used_too or not one.tasks]
    may_go.sort(
        key=lambda one: (
            one.tasks,
            one.instance.connected,
            -(one.machine.joined_at or 0),
            one.machine.id,
        )
    )
    return tuple(may_go[:count])


def gone_by(instance: ContainerInstance) -> Instant | None:
    """When a host that is drained is taken away though it is not empty; None for never."""
    return later(instance.drain.deadline, STOPPING) if instance.drain else None


def is_ready(instance: ContainerInstance, live: Sequence[Task], now: Instant) -> bool:
    """Whether a host that is drained may be taken away: it is empty, or its time is over."""
    end = gone_by(instance)
    return not live or (end is not None and end <= now)
