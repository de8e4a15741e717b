"""The law of capacity, by hand: no bug is planted for it, since the scheduler has laws of its own."""

from types import SimpleNamespace

from moorage.ecs.records.resources import Resources
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.sim.laws.capacity import Capacity
from moorage.sim.sight import Books, Commit, Row
from tests.ecs.rules.builders import a_task
from tests.gateway.ground import Desk


def told(resources, *reserved):
    """What the law says of tasks that begin on one host."""
    desk = Desk()
    host = evolve(desk.instance(), resources=resources)
    desk.close()
    tasks = [
        evolve(a_task(), arn=f"task-{number}", instance=host.arn, reserved=one)
        for number, one in enumerate(reserved)
    ]
    books = Books(
        {
            "tasks": {(one.arn,): one for one in tasks},
            "container_instances": {(host.arn,): host},
            "task_definitions": {},
        }
    )
    said = []
    scene = SimpleNamespace(
        plane=SimpleNamespace(sight=books), report=lambda _law, what: said.append(what)
    )
    rows = tuple(Row(table="tasks", before=None, after=one) for one in tasks)
    commit = Commit(number=1, server=1, at=0, now=Instant(0), rows=rows)
    Capacity(scene).committed(commit)
    return said


WHOLE = Resources(cpu=1024, memory=1024)
HALF = Resources(cpu=512, memory=512, ports=(80,))


def test_what_fits_is_no_news():
    assert told(WHOLE, HALF, evolve(HALF, ports=(81,))) == []


def test_more_than_there_is_is_told():
    said = told(WHOLE, HALF, evolve(HALF, ports=()), evolve(HALF, ports=(81,)))
    assert len(said) == 1
    assert "1536" in said[0]


def test_a_port_that_is_given_twice_is_told():
    said = told(WHOLE, HALF, HALF)
    assert len(said) == 1
    assert "80" in said[0]
