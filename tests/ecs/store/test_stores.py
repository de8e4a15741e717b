"""Versions are compared, keys are woken, lists are bounded."""

import pytest

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.store import (
    clusters,
    container_instances,
    service_events,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.store.view import cluster_view, promise
from moorage.ground.arn import make_arn
from moorage.ground.fault import Unavailable
from moorage.ground.record import evolve
from moorage.sql.transaction import Transaction
from tests.builders import ACCOUNT, REGION, a_definition, a_host, a_service, a_task


@pytest.fixture
def running(house):
    """A task of a service, on a host."""
    key = a_host(house)
    a_service(house)
    house.settle()
    (arn,) = house.ask("ListTasks")["taskArns"]
    return house.read(lambda call: tasks.get(call.tx, arn)), key


def conflict(house, work):
    """A work that ends in a conflict whenever it is tried."""
    with pytest.raises(Unavailable):
        house.write(work)


def test_a_write_of_what_has_moved_on_is_a_conflict(house, running):
    task, key = running
    house.write(lambda call: tasks.write(call.tx, evolve(task, started_by="a")))
    conflict(house, lambda call: tasks.write(call.tx, evolve(task, started_by="b")))
    conflict(house, lambda call: tasks.note(call.tx, task))
    assert house.read(lambda call: tasks.get(call.tx, task.arn)).started_by == "a"
    host = house.read(lambda call: container_instances.get(call.tx, key.instance))
    house.write(lambda call: container_instances.note(call.tx, host))
    conflict(house, lambda call: container_instances.write(call.tx, host))
    service = house.read(lambda call: services.get(call.tx, task.service))
    house.write(lambda call: services.write(call.tx, service))
    conflict(house, lambda call: services.note(call.tx, service))


def test_whoever_places_last_looks_again(house, running):
    _, key = running
    cluster = "arn:aws:ecs:us-east-1:111122223333:cluster/default"
    view = house.read(lambda call: cluster_view(call.tx, cluster))

    def beside_others(call):
        tx = Transaction(call.tx._cursor, "sqlite", call.now, call.chance, writable=True)
        promise(tx, view, [key.instance, key.instance])

    house.write(beside_others)
    conflict(house, beside_others)


def test_whoever_writes_alone_promises_nothing(house, running):
    _, key = running
    cluster = "arn:aws:ecs:us-east-1:111122223333:cluster/default"
    before = house.read(lambda call: container_instances.get(call.tx, key.instance))
    house.write(lambda call: promise(call.tx, cluster_view(call.tx, cluster), [key.instance]))
    assert house.read(lambda call: container_instances.get(call.tx, key.instance)) == before


def woken(house, work):
    changes = []
    house.database.watch(lambda found: changes.extend((one.kind, one.key) for one in found))
    house.write(work)
    return set(changes)


def test_a_task_wakes_who_has_something_to_do(house, running):
    task, key = running
    stopping = evolve(task, desired_status="STOPPED")
    assert woken(house, lambda call: tasks.write(call.tx, stopping)) == {
        ("task", task.arn),
        ("orders", key.instance),
        ("service", task.service),
    }
    task = house.read(lambda call: tasks.get(call.tx, task.arn))
    ended = evolve(task, last_status="STOPPED", acknowledged_at=call_time(house))
    found = woken(house, lambda call: tasks.write(call.tx, ended))
    assert ("cluster", task.cluster_arn) in found
    assert ("service", task.service) in found
    task = house.read(lambda call: tasks.get(call.tx, task.arn))
    assert woken(house, lambda call: tasks.note(call.tx, task)) == set()


def call_time(house):
    return house.clock.now()


def test_a_host_wakes_its_cluster_and_the_services_on_it(house, running):
    task, key = running
    host = house.read(lambda call: container_instances.get(call.tx, key.instance))
    assert woken(house, lambda call: container_instances.write(call.tx, host)) == {
        ("instance", key.instance),
        ("cluster", task.cluster_arn),
        ("service", task.service),
    }


def test_a_hundred_events_are_kept(house):
    arn = make_arn("service", REGION, ACCOUNT, "default", "s")

    def work(call):
        for number in range(1, 131):
            service_events.append(
                call.tx,
                ServiceEvent(
                    service=arn,
                    number=number,
                    id=str(number),
                    created_at=call.now,
                    message=f"m{number}",
                ),
            )
        return service_events.newest(call.tx, arn, 1000)

    found = house.write(work)
    assert [event.number for event in found] == list(range(130, 30, -1))


def test_a_revision_is_never_replaced(house):
    name = a_definition(house)
    found = house.read(lambda call: task_definitions.needed(call.tx, call, name))
    conflict(house, lambda call: task_definitions.create(call.tx, found))


def test_every_key_is_known_at_start(house, running):
    task, key = running
    a_task(house)
    found = house.read(
        lambda call: (
            tasks.every(call.tx),
            services.every(call.tx),
            container_instances.every(call.tx),
            clusters.every(call.tx),
        )
    )
    assert task.arn in found[0]
    assert len(found[0]) == 2
    assert found[1:3] == ([task.service], [key.instance])
