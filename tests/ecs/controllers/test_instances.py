"""A host is lost, comes back, leaves: what that means for its tasks and their services."""

from moorage.ecs.controllers.instances import DEREGISTERED
from tests.ecs.controllers.rig import Rig


def service_of_three(rig: Rig) -> str:
    service = rig.serve("web", 3, rig.define("web"))
    rig.settle()
    assert len(rig.running(service)) == 3
    return service


def test_a_closed_connection_alone_means_nothing_to_tasks(rig):
    service = service_of_three(rig)
    one = next(iter(rig.hosts.values()))
    rig.cut(one)
    rig.settle()
    assert not rig.instance(one).connected
    assert {task.connectivity for task in rig.tasks(service)} == {"CONNECTED"}
    assert len(rig.tasks(service)) == 3


def test_no_task_is_placed_on_a_host_that_is_not_connected(rig):
    one = next(iter(rig.hosts.values()))
    rig.cut(one)
    service = service_of_three(rig)
    assert one.running() == []
    assert len(rig.running(service)) == 3


def test_a_lost_hosts_tasks_are_disconnected_and_replaced_and_keep_their_room(rig):
    service = service_of_three(rig)
    one = next(iter(rig.hosts.values()))
    (gone,) = one.running()
    now = rig.house.clock.now()
    rig.lose(one)
    rig.settle()
    kept = next(task for task in rig.tasks(service) if task.arn == gone)
    assert (kept.connectivity, kept.connectivity_at) == ("DISCONNECTED", now)
    assert (kept.last_status, kept.desired_status) == ("RUNNING", "RUNNING")
    assert len(rig.running(service)) == 4
    assert rig.instance(one).lost_at == now
    assert rig.primary(service).rollout_state == "COMPLETED"


def test_a_host_that_returns_brings_its_tasks_back_and_the_surplus_stops(rig):
    service = service_of_three(rig)
    one = next(iter(rig.hosts.values()))
    rig.lose(one)
    rig.settle()
    rig.advance(600)
    rig.connect(one)
    rig.advance(3)  # the host reports first what ended while it was away
    assert rig.instance(one).lost_at is None
    assert {task.connectivity for task in rig.live(service)} == {"CONNECTED"}
    assert len(rig.running(service)) == 3
    assert sum(len(each.running()) for each in rig.hosts.values()) == 3


def test_a_deregistered_hosts_tasks_are_stopped_and_replaced(rig):
    service = service_of_three(rig)
    one = next(iter(rig.hosts.values()))
    (gone,) = one.running()
    rig.connected.discard(one.arn)
    now = rig.house.clock.now()
    rig.change_host(one, status="INACTIVE", connected=False, deregistered_at=now)
    rig.settle()
    stopped = next(task for task in rig.tasks(service) if task.arn == gone)
    assert (stopped.last_status, stopped.stopped_reason) == ("STOPPED", DEREGISTERED)
    assert stopped.stop_code == "InfrastructureHealth"
    assert len(rig.running(service)) == 3
    assert rig.service(service).backoff.failures == 0


def test_a_host_that_left_is_forgotten_with_its_tasks(rig):
    service_of_three(rig)
    one = next(iter(rig.hosts.values()))
    rig.connected.discard(one.arn)
    now = rig.house.clock.now()
    rig.change_host(one, status="INACTIVE", connected=False, deregistered_at=now)
    rig.advance(25 * 3600)
    assert {row.name for row in rig.rows()["container_instances"]} == {"b", "c"}


def test_losing_all_hosts_stops_nothing(rig):
    service = service_of_three(rig)
    for one in rig.hosts.values():
        rig.lose(one)
    rig.advance(7 * 3600)
    assert {task.desired_status for task in rig.tasks(service)} == {"RUNNING"}
    for one in rig.hosts.values():
        rig.connect(one)
    rig.settle()
    assert len(rig.tasks(service)) == 3 == len(rig.running(service))
