"""Events: the timeline tells each transition once, in its order, in the commit in which it was made.

A task is placed, runs, is told to stop and stops, each once; a host is lost and returns by turns.
What the transitions are is seen here from the rows, and not asked of the product's own rules.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from moorage.ecs.records.happening import Happening
from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit, Row

# Of a task nothing is told twice, nor after what it goes before. One that is to stop may run yet.
RANKS = {
    "task-waiting": 0,
    "task-started": 1,
    "task-running": 2,
    "task-stopping": 2,
    "task-stopped": 3,
}
HOSTS = ("host-lost", "host-returned")


class Happenings(Law):
    """Each transition is told, and told once."""

    name = "events"

    def __init__(self, scene: Any) -> None:
        """Have heard of nothing."""
        super().__init__(scene)
        self.told: dict[str, list[str]] = {}
        self.lost: dict[str, str] = {}

    def committed(self, commit: Commit) -> None:
        """Compare what was told with what was done."""
        told: dict[str, None] = {}
        fresh = [row.after for row in commit.rows if row.table == "timeline" and row.after]
        for one in _in_turn(fresh):
            told[f"{one.task or one.instance} {one.kind}"] = None
            if one.kind in RANKS:
                self._in_order(one.task, one.kind)
            elif one.kind in HOSTS:
                self._by_turns(one.instance, one.kind)
        for row in commit.rows:
            for what in _done(row):
                if what not in told:
                    self.broken(f"{what} is told nowhere")

    def _in_order(self, task: str, kind: str) -> None:
        known = self.told.setdefault(task, [])
        if kind in known or any(RANKS[one] > RANKS[kind] for one in known):
            self.broken(f"{kind} of {task} was told after {known}")
        known.append(kind)

    def _by_turns(self, instance: str, kind: str) -> None:
        if kind == self.lost.get(instance, HOSTS[1]):
            self.broken(f"{kind} of {instance} was told twice")
        self.lost[instance] = kind


def _in_turn(fresh: list[Happening]) -> Iterator[Happening]:
    """As the timeline has them, the oldest first.

    What several transactions of one microsecond tell is in no order that means anything: here,
    where time stands still within a batch, they are common. They are taken in the best.
    """
    ordered = sorted(fresh, key=_moment, reverse=True)
    for _, group in groupby(ordered, key=_time):
        together = list(group)
        places = {one.moment.partition(f".{one.kind}")[0] for one in together}
        if len(places) < len(together):
            together.sort(key=lambda one: RANKS.get(one.kind, 0))
        yield from together


def _moment(one: Happening) -> str:
    """By this the timeline has the newest first."""
    return one.moment


def _time(one: Happening) -> str:
    return one.moment.partition(".")[0]


def _done(row: Row) -> Iterator[str]:
    """What a row says has become of a task, or of a host."""
    before, after = row.before, row.after
    if after is None:
        return
    if row.table == "tasks":
        if after.instance and (before is None or not before.instance):
            yield f"{after.id} task-started"
        if after.last_status == "RUNNING" and (before is None or before.last_status != "RUNNING"):
            yield f"{after.id} task-running"
        if after.is_stopped and (before is None or not before.is_stopped):
            yield f"{after.id} task-stopped"
    if row.table != "container_instances" or before is None:
        return
    if (before.lost_at is None) != (after.lost_at is None):
        yield f"{after.arn} {HOSTS[after.lost_at is None]}"
