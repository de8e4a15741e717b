"""One reconcile of a service of twenty tasks, in clusters of 100 and of 5,000 hosts.

Twenty tasks run on each host, of services of twenty. The controller's turn is taken as the server
takes it, on SQLite in memory, in two states: nothing is to be done; and a task is lacking, so that a
host is chosen for it and rows are written.
"""

import gc
import itertools
import time

from filling import definition, hosts, service
from moorage.ecs.api import CONTROLLERS
from moorage.ecs.records.service import Service
from moorage.ecs.store import services
from moorage.gateway.compose import TABLES
from moorage.ground.chance import SeededChance
from moorage.ground.clock import SystemClock
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.site import Site
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import Transaction
from stage import record, spread, table

HOSTS = (100, 1000, 5000)
TASKS_EACH = 20
TURNS = 40
RATIO_MAX = 2.0
ACCOUNT = "1" * 12
SITE = Site(names=("localhost:4750",))


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    idle, lacking = {}, {}
    for count in HOSTS:
        cluster = _Cluster(count)
        found = [cluster.turns() for _ in range(rounds)]
        idle[count] = [one for one, _ in found]
        lacking[count] = [one for _, one in found]
        cluster.close()
    rows = [
        [state, count, count * TASKS_EACH, spread(found[count]), f"{ratio:.2f}", target]
        for state, found in (("nothing to do", idle), ("a task is lacking", lacking))
        for count in HOSTS
        for ratio in [sorted(found[count])[rounds // 2] / sorted(found[HOSTS[0]])[rounds // 2]]
        for target in [f"<= {RATIO_MAX:g}" if count == HOSTS[-1] else ""]
    ]
    table(
        "One reconcile",
        ["state", "hosts", "tasks", "milliseconds", f"of {HOSTS[0]} hosts", "target"],
        rows,
    )
    record("reconcile", {"rounds": rounds, "idle_ms": idle, "lacking_ms": lacking})


class _Cluster:
    """A database with a cluster in it, and one service to reconcile."""

    def __init__(self, count: int) -> None:
        self.database = SQLiteDatabase(
            None, clock=SystemClock(), chance=SeededChance(1), tables=TABLES
        )
        write = self.database.write
        made = write(lambda tx: definition(tx, ACCOUNT)).result()
        turn = itertools.cycle(write(lambda tx: hosts(tx, ACCOUNT, count)).result())
        self.reconcile = next(one for one in CONTROLLERS if one.name == "deployments")

        def filled(tx: Transaction, number: int) -> Service:
            arns = tuple(itertools.islice(turn, TASKS_EACH))
            return service(tx, made, f"s{number}", TASKS_EACH, arns)

        for number in range(count):
            self.service = write(lambda tx, n=number: filled(tx, n)).result()  # type: ignore[misc]
        self._turn()
        gc.collect()
        gc.freeze()

    def turns(self) -> tuple[float, float]:
        """Milliseconds of a turn that has nothing to do, and of one that starts a task."""
        idle = self._timed()
        taken = []
        for _ in range(TURNS):
            self.database.write(self._wants_one_more).result()
            taken.append(self._timed(1))
        return idle, sorted(taken)[TURNS // 2]

    def close(self) -> None:
        """Let go of it."""
        self.database.close()
        gc.unfreeze()

    def _wants_one_more(self, tx: Transaction) -> None:
        found = services.get(tx, self.service.arn)
        assert found is not None
        services.note(tx, evolve(found, desired_count=found.desired_count + 1))

    def _timed(self, turns: int = TURNS) -> float:
        began = time.perf_counter()
        for _ in range(turns):
            self._turn()
        return (time.perf_counter() - began) * 1000 / turns

    def _turn(self) -> None:
        self.database.write(
            lambda tx: self.reconcile(Turn(tx=tx, site=SITE), self.service.arn)
        ).result()
