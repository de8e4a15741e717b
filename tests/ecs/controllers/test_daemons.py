"""Whole stories of daemon services: hosts that join, return, are drained and lost."""

import pytest

from moorage.ecs.records.container_instance import Drain, InstanceAttribute
from moorage.ecs.store import services
from moorage.ground.instant import later, seconds
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)
from moorage.shapes.ecs.placement import PlacementConstraint
from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rebalancing_story import a_rig
from tests.ecs.controllers.rig import CAPABILITIES, CLUSTER, Rig
from tests.ecs.controllers.test_host_stories import freeze, hosts, thaw


def daemon(rig: Rig, name: str = "logs", image: str = "demo:1", minimum: int = 0, **members) -> str:
    asked = DeploymentConfiguration(
        minimum_healthy_percent=minimum,
        maximum_percent=100,
        deployment_circuit_breaker=members.pop("breaker", None),
    )
    definition = rig.define(name, image, **members.pop("definition", {}))
    return rig.serve(
        name, 0, definition, scheduling_strategy="DAEMON", configuration=asked, **members
    )


def on(rig: Rig, service: str) -> list[str]:
    """The names of the hosts on which it runs, one for each task."""
    return sorted(rig.hosts[task.instance].name for task in rig.running(service))


def one_each(rig: Rig) -> None:
    """No host ever holds two tasks of one daemon that are not at their end."""
    for host in rig.hosts.values():
        families = [held.order.family for held in host.tasks.values() if held.status != "STOPPED"]
        assert families.count("logs") <= 1


@pytest.fixture
def strict(rig: Rig) -> Rig:
    rig.laws.append(one_each)
    return rig


def labelled(rig: Rig, one: ScriptedHost, **attributes: str) -> None:
    names = [InstanceAttribute(name=name) for name in CAPABILITIES]
    names += [InstanceAttribute(name=name, value=value) for name, value in attributes.items()]
    rig.change_host(one, attributes=tuple(names))


def test_one_task_on_each_host_and_the_count_follows(strict: Rig):
    service = daemon(strict)
    strict.settle()
    assert on(strict, service) == ["a", "b", "c"]
    assert strict.service(service).desired_count == 3
    strict.host("d")
    strict.advance(60)
    assert on(strict, service) == ["a", "b", "c", "d"]
    assert strict.service(service).desired_count == 4
    assert strict.primary(service).rollout_state == "COMPLETED"
    assert strict.events(service)[-1] == "has reached a steady state."


def test_a_killed_one_starts_again_on_its_own_host(strict: Rig):
    service = daemon(strict)
    strict.advance(60)
    (victim, *_) = strict.running(service)
    strict.hosts[victim.instance].kill(victim.arn, strict)
    strict.settle()
    assert on(strict, service) == ["a", "b", "c"]


def test_constraints_and_attributes_decide_and_are_asked_again(strict: Rig):
    one, two, _ = hosts(strict)
    labelled(strict, one, disk="ssd")
    only = PlacementConstraint(type="memberOf", expression="attribute:disk == ssd")
    service = daemon(strict, placement_constraints=[only])
    strict.advance(60)
    assert on(strict, service) == ["a"]
    labelled(strict, two, disk="ssd")
    labelled(strict, one, disk="hdd")
    strict.advance(60)
    assert (on(strict, service), one.running()) == (["b"], [])


def test_room_is_kept_for_it_and_replicas_wait(bare: Rig):
    """A host joins: whoever waits for room gets what the daemon leaves of it."""
    bare.host("a")
    logs = daemon(bare, definition={"cpu": 600})
    web = bare.serve("web", 9, bare.define("web"))
    bare.advance(60)
    assert on(bare, logs) == ["a"]
    assert on(bare, web) == ["a", "a"]
    bare.host("b")
    bare.advance(60)
    assert on(bare, logs) == ["a", "b"]
    assert on(bare, web) == ["a", "a", "b", "b"]
    daemon_task = next(task for task in bare.tasks(logs) if bare.hosts[task.instance].name == "b")
    first = min(
        task.created_at for task in bare.tasks(web) if bare.hosts[task.instance].name == "b"
    )
    assert daemon_task.created_at <= first, "the daemon is the first on the host"


def test_a_daemon_that_came_too_late_waits_for_room_and_gets_it(bare: Rig):
    one, two = bare.host("a"), bare.host("b")
    web = bare.serve("web", 10, bare.define("web"))
    bare.settle()
    assert len(one.running()) == len(two.running()) == 5
    logs = daemon(bare, definition={"cpu": 600})
    bare.advance(60)
    assert on(bare, logs) == []
    assert bare.service(logs).desired_count == 2
    assert any(
        event.startswith("was unable to place a task because no container instance met all of its")
        and event.endswith("has insufficient CPU units available.")
        for event in bare.events(logs)
    )
    for arn in one.running()[:3]:
        one.kill(arn, bare)
    bare.advance(60)
    assert on(bare, logs) == ["a"], "what becomes free is the daemon's, not the replicas'"
    assert len(bare.running(web)) == 7
    bare.update(web, desired_count=4)
    bare.advance(60)
    assert on(bare, logs) == ["a", "b"]


def test_affinity_to_a_daemon_waits_for_its_task(bare: Rig):
    """Room that is kept is no task: `task:group == service:logs` is true where logs runs."""
    near = PlacementConstraint(type="memberOf", expression="task:group == service:logs")
    web = bare.serve("web", 2, bare.define("web"), placement_constraints=[near])
    bare.host("a")
    bare.settle()
    assert on(bare, web) == []
    logs = daemon(bare)
    bare.settle()
    assert on(bare, logs) == ["a"]
    assert on(bare, web) == ["a", "a"], "whoever waited for the daemon is woken by it"


def test_two_daemons_that_want_the_same_room_do_not_block_each_other(bare: Rig):
    bare.host("a")
    first = daemon(bare, "logs", definition={"cpu": 600})
    second = daemon(bare, "meters", definition={"cpu": 600})
    bare.advance(60)
    assert sorted([on(bare, first), on(bare, second)]) == [[], ["a"]]


def test_drained_last_and_back_first(strict: Rig):
    logs = daemon(strict)
    web = strict.serve("web", 6, strict.define("web"))
    strict.advance(60)
    one = hosts(strict)[0]
    for host in hosts(strict):
        host.slow = True
    strict.change_host(one, status="DRAINING")
    strict.advance(60)
    assert "a" in on(strict, logs)
    for host in hosts(strict)[1:]:
        host.finish(strict)
    strict.settle()
    kept = [task for task in strict.live(web) if task.instance == one.arn]
    assert kept, "it was told to stop, and takes its time"
    assert {task.desired_status for task in kept} == {"STOPPED"}
    assert "a" in on(strict, logs)
    one.finish(strict)
    strict.settle()
    assert [task for task in strict.live(web) if task.instance == one.arn] == []
    assert on(strict, logs) == ["b", "c"], "it was told to stop in the same moment"
    one.finish(strict)
    strict.settle()
    assert [held for held in one.tasks.values() if held.status != "STOPPED"] == []
    for host in hosts(strict):
        host.slow = False
    strict.change_host(one, status="ACTIVE")
    strict.settle()
    assert on(strict, logs) == ["a", "b", "c"]
    assert strict.service(logs).desired_count == 3


@pytest.mark.parametrize(("on_timeout", "status"), [("force", "DRAINING"), ("abandon", "ACTIVE")])
def test_a_drains_deadline_leaves_daemons_to_go_last(rig: Rig, on_timeout, status):
    """The replicas have nowhere to go; at the deadline they are stopped, or the host is back."""
    one, *rest = hosts(rig)
    logs = daemon(rig)
    web = rig.serve("web", 12, rig.define("web"))
    rig.advance(60)
    there = len(one.running())
    deadline = later(rig.house.clock.now(), seconds(120))
    rig.change_host(one, status="DRAINING", drain=Drain(deadline=deadline, on_timeout=on_timeout))
    rig.advance(60)
    assert len(one.running()) == there
    rig.advance(120)
    assert rig.instance(one).status == status
    if on_timeout == "force":
        assert one.running() == []
        assert on(rig, logs) == ["b", "c"]
    else:
        assert "a" in on(rig, logs)
        assert len(rig.running(web)) == 12
    assert rest


def test_a_deadline_with_nothing_but_daemons_left_takes_no_host_back(rig: Rig):
    one = hosts(rig)[0]
    logs = daemon(rig)
    rig.settle()
    deadline = later(rig.house.clock.now(), seconds(60))
    rig.change_host(one, status="DRAINING", drain=Drain(deadline=deadline, on_timeout="abandon"))
    rig.advance(120)
    assert rig.instance(one).status == "DRAINING"
    assert on(rig, logs) == ["b", "c"]


def test_a_lost_host_is_nobodys_business_until_it_is_back(strict: Rig):
    logs = daemon(strict)
    strict.advance(60)
    one = hosts(strict)[0]
    (before,) = one.running()
    strict.lose(one)
    strict.advance(120)
    assert strict.service(logs).desired_count == 2
    assert len(strict.tasks(logs)) == 3, "nothing takes its place"
    assert strict.primary(logs).rollout_state == "COMPLETED"
    assert strict.events(logs)[-1].startswith("lost the host a with 1 of its tasks")
    strict.connect(one)
    strict.advance(60)
    assert one.running() == [before]
    assert strict.service(logs).desired_count == 3


def test_a_lost_host_is_replaced_although_its_daemon_is_nowhere_else(bare: Rig):
    """Else a later wave of losses would take the first host's replacements for missing ones."""
    for name in ("a", "b", "c", "d", "e", "f"):
        bare.host(name)
    daemon(bare)
    web = bare.serve("web", 1, bare.define("web"))
    bare.advance(60)
    first = bare.hosts[bare.running(web)[0].instance]
    bare.lose(first)
    bare.advance(20)
    (there,) = [task for task in bare.running(web) if task.connectivity == "CONNECTED"]
    idle = [one for one in hosts(bare) if one.arn not in {first.arn, there.instance}]
    bare.lose(idle[0])
    bare.lose(idle[1])
    bare.settle()
    assert bare.instance(idle[1]).replace_at is None, "the brake holds"
    assert bare.instance(first).replace_at is not None


def test_a_host_that_was_written_off_starts_afresh(strict: Rig):
    logs = daemon(strict)
    strict.advance(60)
    one = hosts(strict)[0]
    strict.lose(one)
    strict.settle()
    now = strict.house.clock.now()
    strict.change_host(one, confirmed_at=now, replace_at=now)
    strict.settle()
    strict.connect(one)
    strict.advance(60)
    assert len(one.running()) == 1
    assert len(strict.tasks(logs)) == 4


def test_a_deregistered_host_takes_its_task_along(strict: Rig):
    logs = daemon(strict)
    strict.advance(60)
    strict.change_host(hosts(strict)[0], status="INACTIVE")
    strict.advance(60)
    assert on(strict, logs) == ["b", "c"]
    assert strict.service(logs).desired_count == 2
    assert strict.primary(logs).rollout_state == "COMPLETED"


def test_a_deployment_goes_host_by_host_within_the_minimum(strict: Rig):
    logs = daemon(strict, minimum=50)
    strict.advance(60)

    def two_run(rig: Rig) -> None:
        assert len(rig.running(logs)) >= 2

    strict.laws.append(two_run)
    strict.update(logs, strict.define("logs", "demo:2"))
    strict.advance(120)
    assert {task.revision for task in strict.live(logs)} == {2}
    assert strict.primary(logs).rollout_state == "COMPLETED"
    assert [one.open for one in strict.deployments(logs)].count(True) == 1


def test_a_bad_image_rolls_back(strict: Rig):
    breaker = DeploymentCircuitBreaker(enable=True, rollback=True)
    logs = daemon(strict, minimum=50, breaker=breaker)
    strict.advance(60)
    strict.update(logs, strict.define("logs", "broken:2"))
    strict.advance(600)
    assert on(strict, logs) == ["a", "b", "c"]
    assert {task.revision for task in strict.running(logs)} == {1}
    assert "rolling back to deployment " in " ".join(strict.events(logs))


def test_one_sick_host_keeps_no_daemon_from_those_that_join(strict: Rig):
    sick = hosts(strict)[0]
    sick.ill = True
    logs = daemon(strict)
    strict.advance(200)
    assert on(strict, logs) == ["b", "c"]
    assert strict.service(logs).backoff.failures > 5
    tried = len(strict.tasks(logs))
    strict.host("d")
    strict.settle()
    assert on(strict, logs) == ["b", "c", "d"]
    assert len(strict.tasks(logs)) == tried + 1, "the back-off holds on the sick one"
    assert not any("avoids the host" in event for event in strict.events(logs))
    sick.ill = False
    strict.advance(400)
    assert on(strict, logs) == ["a", "b", "c", "d"]


def test_a_bad_image_is_held_on_all_hosts(strict: Rig):
    logs = daemon(strict, image="broken:1")
    strict.advance(600)
    # at 0, 0, 1, 3, 7 ... 255, 511 s, and once more each when ten minutes are over
    assert len(strict.tasks(logs)) <= 3 * 12


def test_while_it_is_frozen_nothing_starts_on_a_new_host(strict: Rig):
    logs = daemon(strict)
    strict.advance(60)
    freeze(strict, "logs")
    strict.host("d")
    strict.change_host(hosts(strict)[0], status="DRAINING")
    strict.advance(300)
    assert on(strict, logs) == ["a", "b", "c"]
    thaw(strict)
    strict.settle()
    assert on(strict, logs) == ["b", "c", "d"]


def test_what_is_moved_to_a_host_that_joins_leaves_the_daemon_its_room():
    rig = a_rig(hosts=0)
    try:
        rig.host("a", cpu=2048, memory=4096)
        logs = daemon(rig, definition={"cpu": 600})
        web = rig.serve("web", 6, rig.define("web"))
        rig.advance(60)
        freeze(rig, "logs")
        rig.host("b")
        rig.advance(300)
        assert on(rig, logs) == ["a"]
        assert on(rig, web).count("b") == 2, "without the daemon it were three"
        thaw(rig)
        rig.settle()
        assert on(rig, logs) == ["a", "b"]
    finally:
        rig.house.close()


def test_other_hosts_changes_wake_the_daemons_of_the_cluster_alone(rig: Rig):
    logs = daemon(rig)
    rig.serve("web", 1, rig.define("web"))
    rig.advance(120)
    found = rig.house.read(lambda call: services.daemons(call.tx, CLUSTER))
    assert [one.arn for one in found] == [logs]
    rig.turns.clear()
    rig.host("d")
    rig.settle()
    assert {key for name, key in rig.turns if name == "deployments"} == {logs}
