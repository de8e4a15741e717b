"""One look is enough: what is carried out and asked again answers nothing.

Found by the cases of tests/ecs/properties.
"""

import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ground.instant import hours, later
from moorage.ground.record import evolve
from tests.ecs.rules.builders import a_container, a_revision, a_task, instance_arn, running
from tests.ecs.rules.deployment.daemon_world import DaemonWorld
from tests.ecs.rules.deployment.world import World


def answers_nothing(world: World) -> bool:
    plan = world.reconcile()
    return not (plan.start or plan.stop or plan.service or plan.deployments or plan.judged)


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_deleted_service_whose_hosts_are_lost_is_gone_at_once(confirmed):
    world = World(2, sent=True)
    world.settle()
    for name in ("h1", "h2", "h3"):
        world.lose_host(name, **({"confirmed_at": world.now} if confirmed else {}))
    world.service = evolve(world.service, status="DRAINING", desired_count=0)
    plan = world.act()
    assert len(plan.stop) == 2  # for when their hosts return
    assert world.service.status == "INACTIVE"
    assert answers_nothing(world)


def test_a_successor_that_is_late_and_protected_is_said_to_be_so_once():
    world = World(2, sent=True, checked=True)
    world.settle()
    moved, *_ = world.live()
    successor = a_task(
        "new",
        host="h3",
        replaces=moved.arn,
        created_at=world.now,
        containers=(a_container(has_health_check=True),),
        protected_until=later(world.now, hours(2)),
    )
    world.tasks[successor.arn] = running(successor, world.now)
    world.wait(601)
    plan = world.act()
    assert (plan.stop, len(plan.events)) == ((), 1)
    assert "stays where it is" in plan.events[0]
    rest = world.service.rebalancing.rest_until
    assert answers_nothing(world)
    world.wait(100)
    world.act()
    assert world.service.rebalancing.rest_until == rest


@pytest.mark.parametrize("trouble", ["drained", "written off"])
def test_a_pilot_that_has_to_go_is_followed_in_the_same_look(trouble):
    world = World(2, sent=True)
    image = RevisionImage(container_name="web", image="demo:1")
    world.revisions["ecs-svc/1"] = a_revision(images=(image,))
    assert world.act().start[0].count == 1
    (pilot,) = world.live()
    name = world.hosts[pilot.instance].name
    if trouble == "drained":
        world.drain(name)
    else:
        world.lose_host(name, confirmed_at=world.now)
    plan = world.act()
    assert [one.task for one in plan.stop] == [pilot.arn]
    assert [one.count for one in plan.start] == [1]
    assert answers_nothing(world)


def test_a_pilot_on_a_lost_host_is_waited_for_as_long_as_its_task_is_held():
    world = World(1, 0, 100)
    image = RevisionImage(container_name="web", image="demo:1")
    world.revisions["ecs-svc/1"] = a_revision(images=(image,))
    world.act()
    world.lose_host(world.hosts[world.live()[0].instance].name)
    assert world.act().start == ()
    assert instance_arn("h1") in world.hosts


def test_a_daemons_pilot_on_a_lost_host_holds_up_no_other():
    world = DaemonWorld(sent=True)
    image = RevisionImage(container_name="web", image="demo:1")
    world.revisions["ecs-svc/1"] = a_revision(images=(image,))
    world.act()
    (first,) = world.on()
    world.lose_host(first)
    world.act()
    (_, second) = sorted(world.on(), key=lambda name: name != first)
    assert second != first
    world.serve()
    world.act()
    assert world.on() == ["h1", "h2", "h3"]
