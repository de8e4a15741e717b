"""Who is first on a host where nothing else was begun yet: its daemons, as long as that takes little.

Amazon ECS places the tasks of daemon services first. Here they also run first, so that what
collects logs, or keeps a network, is there before the first task that needs it.
"""

from collections.abc import Collection, Iterable

from moorage.ecs.records.task import Task
from moorage.ground.instant import Duration, Instant, later, seconds

# A daemon that takes longer, for a large image say, holds nobody up.
LEAD: Duration = seconds(30)
BEFORE_RUNNING = frozenset({"PENDING", "ACTIVATING"})


def held_until(live: Iterable[Task], daemons: Collection[str], now: Instant) -> Instant | None:
    """Until when a host is sent no orders to run tasks but its daemons'; None: it is sent all.

    `live` are its tasks that are not STOPPED, `daemons` the ARNs of its cluster's daemon services.
    They wait only where no other task was sent yet, for daemons that are to run and do not yet,
    and for no more than LEAD after the newest of these was placed.
    """
    found = list(live)
    if not daemons or any(_begun(one) for one in found if one.service not in daemons):
        return None
    starting = [
        later(one.created_at, LEAD)
        for one in found
        if one.service in daemons
        and one.desired_status == "RUNNING"
        and one.last_status in BEFORE_RUNNING
    ]
    until = max(starting, default=now)
    return until if until > now else None


def _begun(task: Task) -> bool:
    return task.payload_sequence > 0 or task.last_status not in BEFORE_RUNNING
