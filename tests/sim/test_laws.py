"""Laws by hand, where no planted bug shows each of their edges: what they tell, and what they let be."""

from types import SimpleNamespace

import pytest

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.happening import Happening
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import evolve
from moorage.sim.laws.bounds import Bounds
from moorage.sim.laws.decider import Decider
from moorage.sim.laws.durability import LINGERS, Durability
from moorage.sim.laws.freezes import Freezes
from moorage.sim.laws.happenings import Happenings
from moorage.sim.laws.idempotency import Idempotency
from moorage.sim.laws.lineage import Lineage
from moorage.sim.laws.percent import Percent
from moorage.sim.laws.placement import Placement
from moorage.sim.laws.protection import Protection
from moorage.sim.laws.stability import Stability
from moorage.sim.sight import Answered, Books, Commit, Row
from tests.ecs.rules.builders import (
    ACCOUNT,
    CLUSTER,
    NOW,
    REGION,
    a_configuration,
    a_service,
    a_task,
    an_instance,
)

HOST = an_instance()
TASK = a_task(host="h1")
STOPPED = evolve(TASK, desired_status="STOPPED", last_status="STOPPED")
ORDERED = evolve(TASK, desired_status="STOPPED", stop_code="ServiceSchedulerInitiated")


class Rig:
    """One law, before a scene of which it sees what it asks for."""

    def __init__(self, law) -> None:
        self.said = []
        self.machine = SimpleNamespace(
            name="h1", instance=HOST.arn, disturbed=set(), is_harmed=False, running=[]
        )
        names = ("tasks", "services", "container_instances", "task_definitions", "freezes")
        self.tables = {name: {} for name in names}
        self.keep("container_instances", HOST)
        self.trouble = SimpleNamespace(failed_at=None)
        self.world = SimpleNamespace(now=0)
        books = Books(self.tables)
        scene = SimpleNamespace(
            plane=SimpleNamespace(
                sight=books, trouble=self.trouble, site=SimpleNamespace(settle=seconds(5))
            ),
            world=self.world,
            machines=[self.machine],
            machine_of=lambda arn: self.machine if arn == HOST.arn else None,
            report=lambda _law, what: self.said.append(what),
        )
        self.law = law(scene)

    def keep(self, table, record):
        self.tables[table][(record.arn,)] = record

    def commit(self, *rows, server=1):
        for row in rows:
            if row.after is not None and hasattr(row.after, "arn"):
                self.keep(row.table, row.after)
        self.law.committed(Commit(number=1, server=server, at=0, now=NOW, rows=rows))
        return self.said

    def answer(self, operation, asked, code="ok", step=1, got=None, at=0):
        self.world.now = at
        status = {"ok": 200, "unknown": 0}.get(code, 400)
        self.law.asking(step, operation, asked)
        answered = Answered(
            at=at, step=step, operation=operation, code=code, status=status, asked=asked, got=got
        )
        self.law.answered(answered)
        return self.said


def row(table, before, after):
    return Row(table=table, before=before, after=after)


def told(kind, task=TASK.id, place=1, **more):
    return row(
        "timeline",
        None,
        Happening(cluster="c", kind=kind, text="", task=task, moment=f"{99 - place:02d}", **more),
    )


# --- events ---------------------------------------------------------------------------------------

BEGUN = row("tasks", None, TASK)
ENDED = row("tasks", TASK, STOPPED)
RUNS = row("tasks", TASK, evolve(TASK, last_status="RUNNING"))
LOST = row("container_instances", HOST, evolve(HOST, lost_at=NOW))
NO_TASK = {"task": "", "instance": HOST.arn}


@pytest.mark.parametrize(
    ("commits", "word"),
    [
        ([[BEGUN, told("task-started")], [ENDED, told("task-stopped")]], ""),
        ([[BEGUN]], "nowhere"),
        ([[ENDED]], "nowhere"),
        ([[RUNS]], "nowhere"),
        ([[LOST, told("host-lost", **NO_TASK)]], ""),
        ([[LOST]], "nowhere"),
        ([[told("host-returned", **NO_TASK)]], "twice"),
        ([[ENDED, told("task-stopped")], [told("task-stopped")]], "after"),
        ([[ENDED, told("task-stopped")], [told("task-running")]], "after"),
        ([[told("task-stopping", place=1), told("task-running", place=2)]], ""),
        ([[told("task-running", place=2), told("task-started", place=1)]], ""),
        ([[told("task-running", place=1), told("task-started", place=2)]], "after"),
    ],
)
def test_each_transition_is_told_once_and_in_order(commits, word):
    rig = Rig(Happenings)
    for rows in commits:
        rig.commit(*rows)
    assert bool(rig.said) == bool(word), rig.said
    assert all(word in one for one in rig.said)


@pytest.mark.parametrize(("place", "broken"), [("9999", False), ("9998", True)])
def test_only_what_one_transaction_tells_of_one_instant_has_an_order(place, broken):
    rig = Rig(Happenings)
    said = rig.commit(
        row("tasks", TASK, STOPPED),
        told_at(f"7.{place}.task-stopping.t1", "task-stopping"),
        told_at("7.9999.task-stopped.t1", "task-stopped"),
    )
    assert bool(said) is broken, said


def told_at(moment, kind):
    happening = Happening(cluster="c", kind=kind, text="", task=TASK.id, moment=moment)
    return row("timeline", None, happening)


# --- freezes --------------------------------------------------------------------------------------


def freeze(**more):
    given = {"service": "", "cause": "operator", "until": later(NOW, seconds(9)), **more}
    return Freeze(
        account=ACCOUNT, region=REGION, cluster=CLUSTER, reason="x", created_at=NOW, **given
    )


@pytest.mark.parametrize(
    ("held", "is_told"),
    [
        (freeze(), True),
        (freeze(service="web"), True),
        (freeze(until=None), True),
        (freeze(service="other"), False),
        (freeze(cause="brake"), False),
        (freeze(until=NOW), False),
    ],
)
@pytest.mark.parametrize("done", [BEGUN, row("tasks", TASK, ORDERED)])
def test_what_is_frozen_keeps_still(done, held, is_told):
    rig = Rig(Freezes)
    rig.tables["freezes"]["x"] = held
    assert bool(rig.commit(done)) == is_told


def test_a_freeze_of_the_same_commit_may_have_come_after():
    rig = Rig(Freezes)
    held = rig.tables["freezes"]["x"] = freeze()
    assert rig.commit(BEGUN, row("freezes", None, held)) == []


# --- I1 -------------------------------------------------------------------------------------------

CREATE = {"serviceName": "web", "desiredCount": 2}


def written(count, status="ACTIVE"):
    return row("services", None, a_service(count, status=status))


def scale(count):
    return {"service": "web", "desiredCount": count}


def test_what_was_refused_is_not_there():
    rig = Rig(Durability)
    rig.answer("CreateService", CREATE)
    rig.answer("UpdateService", scale(5), code="ClientException")
    assert rig.commit(written(2)) == []
    assert "may want only [2]" in rig.commit(written(5))[0]


def test_a_service_that_was_refused_is_not_there():
    rig = Rig(Durability)
    rig.answer("CreateService", CREATE, code="ClientException")
    assert len(rig.commit(written(2))) == 1


def test_what_was_not_answered_may_be_or_not():
    rig = Rig(Durability)
    rig.answer("CreateService", CREATE)
    rig.answer("UpdateService", scale(5), code="unknown")
    rig.answer("UpdateService", scale(3), step=2)
    for count in (2, 3, 5):
        assert rig.commit(written(count)) == []
    assert len(rig.commit(written(4))) == 1


def test_what_was_not_answered_comes_no_more_after_a_while():
    rig = Rig(Durability)
    rig.answer("CreateService", CREATE)
    rig.answer("UpdateService", scale(5), code="unknown")
    rig.answer("UpdateService", scale(3), step=2, at=LINGERS + 1)
    assert rig.commit(written(3)) == []
    assert len(rig.commit(written(5))) == 1


def test_a_deletion_that_finds_nothing_may_have_been_done_before():
    rig = Rig(Durability)
    rig.answer("CreateService", CREATE)
    rig.answer("DeleteService", {"service": "web"}, code="ServiceNotFoundException")
    assert rig.commit(written(0, status="DRAINING")) == []
    assert rig.commit(written(2)) == []


# --- I2 -------------------------------------------------------------------------------------------

RUN = {"clientToken": "t", "count": 1}
SERVICE = {"clientToken": "create-web", "serviceName": "web"}


def ran(*arns):
    return {"tasks": [{"taskArn": arn} for arn in arns]}


def made(at):
    return {"service": {"serviceArn": "web", "createdAt": at}}


def test_a_token_that_was_answered_well_is_never_refused():
    rig = Rig(Idempotency)
    rig.answer("RunTask", RUN, got=ran("a"))
    assert rig.answer("RunTask", RUN, code="unknown") == []
    assert rig.answer("RunTask", {**RUN, "count": 7}, code="ConflictException") == []
    assert "ClientException" in rig.answer("RunTask", RUN, code="ClientException")[0]


def test_a_service_is_made_once_unless_somebody_deletes_it():
    rig = Rig(Idempotency)
    rig.answer("CreateService", SERVICE, got=made(1))
    assert len(rig.answer("CreateService", SERVICE, got=made(2))) == 1
    rig = Rig(Idempotency)
    rig.answer("CreateService", SERVICE, got=made(1))
    rig.answer("DeleteService", {"service": "web"}, got={})
    assert rig.answer("CreateService", SERVICE, got=made(2)) == []


# --- I5, I10, I14, I15 and where tasks begin ------------------------------------------------------


def test_what_is_said_to_have_stopped_runs_nowhere():
    rig = Rig(Lineage)
    assert rig.commit(ENDED) == []
    rig.machine.running = [(TASK.arn, "main")]
    assert len(rig.commit(ENDED)) == 1
    rig = Rig(Lineage)
    rig.machine.running, rig.machine.disturbed = [(TASK.arn, "main")], {"cut"}
    assert rig.commit(ENDED) == []


def test_an_older_server_writes_nothing_after_a_newer_one():
    rig = Rig(Decider)
    assert rig.commit(server=1) == rig.commit(server=2) == []
    assert len(rig.commit(server=1)) == 1


def unavailable(rig, at):
    rig.law.answered(
        Answered(at=at, step=1, operation="X", code="unknown", status=503, asked={}, got=None)
    )
    return len(rig.said)


def test_a_503_has_its_cause():
    rig = Rig(Bounds)
    rig.trouble.failed_at = 0
    assert unavailable(rig, 1_000_000) == 0
    assert unavailable(rig, 100_000_000) == 1
    rig.said.clear()
    rig.trouble.failed_at = None
    assert unavailable(rig, 1_000_000) == 1


def test_a_host_that_nothing_befell_is_not_lost():
    rig = Rig(Stability)
    rig.machine.is_harmed = True
    assert rig.commit(LOST) == []
    rig.machine.is_harmed = False
    assert len(rig.commit(LOST)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"status": "DRAINING"},
        {"lost_at": NOW},
        {"connected": False},
        {"suspect": True},
        {"flapping_until": Instant(NOW + 1)},
        {"engine_gone_at": NOW},
        {"runtime_status": "IMPAIRED"},
    ],
)
def test_tasks_begin_where_tasks_are_taken(change):
    rig = Rig(Placement)
    assert rig.commit(BEGUN) == []
    changed = evolve(HOST, **change)
    # It changed in this very commit: perhaps only then.
    assert rig.commit(BEGUN, row("container_instances", HOST, changed)) == []
    assert len(rig.commit(BEGUN)) == 1


# --- I3 percent -----------------------------------------------------------------------------------

CHECKED = evolve(TASK.containers[0], has_health_check=True, health="HEALTHY")
ILL = evolve(CHECKED, health="UNHEALTHY")
WELL = evolve(
    TASK,
    last_status="RUNNING",
    started_at=Instant(NOW - seconds(60)),
    containers=(CHECKED,),
)
TOLD = evolve(WELL, desired_status="STOPPED", stop_code="ServiceSchedulerInitiated")


@pytest.mark.parametrize(
    ("heard", "broken"),
    [
        ({}, True),
        ({"connectivity": "DISCONNECTED"}, False),
        ({"containers": (ILL,)}, False),
    ],
)
def test_what_was_lost_or_ill_before_the_order_was_not_taken_by_it(heard, broken):
    rig = Rig(Percent)
    rig.keep("services", a_service(1))
    said = rig.commit(row("tasks", WELL, evolve(TOLD, **heard)))
    assert bool(said) is broken, said


def test_whose_host_came_back_in_the_same_commit_may_have_come_after_the_others():
    rig = Rig(Percent)
    rig.keep("services", a_service(1, deployment_configuration=a_configuration(100, 100)))
    away = evolve(WELL, connectivity="DISCONNECTED")
    begun = row("tasks", None, a_task("t2", host="h2"))
    rig.keep("tasks", away)
    assert rig.commit(begun, row("tasks", away, WELL)) == []
    assert len(rig.commit(begun)) == 1


@pytest.mark.parametrize(("heard", "broken"), [({}, True), ({"containers": (ILL,)}, False)])
def test_what_was_ill_before_the_order_is_not_protected_from_it(heard, broken):
    rig = Rig(Protection)
    kept = evolve(WELL, protected_until=later(NOW, seconds(60)))
    rig.keep("services", a_service(1))
    ordered = evolve(TOLD, protected_until=kept.protected_until, **heard)
    assert bool(rig.commit(row("tasks", kept, ordered))) is broken
