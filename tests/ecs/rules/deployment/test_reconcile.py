"""Stories of services: what is done at each step, and what is said."""

import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment.state import StartOrder
from moorage.ground.instant import hours, later, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World

DIGEST = "sha256:" + "a" * 64


def test_a_new_service_starts_all_it_wants_and_is_steady_once_they_settled():
    world = World(3)
    plan = world.act()
    assert plan.start == (StartOrder(deployment="ecs-svc/1", count=3),)
    assert world.deployment().status == "IN_PROGRESS"
    assert world.deployment().rollout_reason == "ECS deployment ecs-svc/1 in progress."
    world.serve()
    assert world.counts() == (3, 0)
    plan = world.act()
    assert not plan.events
    assert plan.look_again == later(world.live()[0].started_at, seconds(10))
    world.wait(10)
    plan = world.act()
    assert plan.events == (
        "(service web) (deployment ecs-svc/1) deployment completed.",
        "(service web) has reached a steady state.",
    )
    assert world.deployment().rollout_state == "COMPLETED"
    assert world.deployment().status == "SUCCESSFUL"
    assert plan.look_again == later(world.now, hours(6))
    assert not world.act().events
    world.wait(6 * 3600)
    assert world.act().events == ("(service web) has reached a steady state.",)


def test_a_rolling_update_starts_first_and_stops_as_the_new_ones_settle():
    world = World(3)
    world.settle()
    world.update()
    assert world.act().start == (StartOrder(deployment="ecs-svc/2", count=3),)
    assert world.deployment("ecs-svc/1").open
    new = [one for one in world.live() if one.deployment == "ecs-svc/2"]
    world.report(new[0], "RUNNING")
    world.wait(10)
    plan = world.act()
    assert len(plan.stop) == 1
    assert plan.stop[0].reason == "Scaling activity initiated by (deployment ecs-svc/2)"
    assert plan.stop[0].code == "ServiceSchedulerInitiated"
    world.settle()
    assert not world.deployment("ecs-svc/1").open
    assert world.deployment("ecs-svc/1").status == "SUCCESSFUL"
    assert world.deployment("ecs-svc/2").status == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "starts", "stops", "stuck"),
    [
        (3, 100, 200, 3, 0, False),
        (1, 0, 100, 0, 1, False),
        (4, 50, 100, 0, 2, False),
        (4, 50, 200, 4, 0, False),
        (3, 0, 100, 0, 3, False),
        (4, 100, 150, 2, 0, False),
        (1, 100, 150, 0, 0, True),
        (3, 100, 125, 0, 0, True),
        (3, 100, 100, 0, 0, True),
        (2, 50, 150, 1, 1, False),
        (3, 0, 150, 1, 2, False),
    ],
)
def test_the_first_step_of_an_update(desired, minimum, maximum, starts, stops, stuck):
    world = World(desired, minimum, maximum, sent=True)
    world.settle()
    world.update()
    plan = world.act()
    assert sum(one.count for one in plan.start) == starts
    assert len(plan.stop) == stops
    assert (events.stuck("web") in plan.events) is stuck
    again = world.act()
    assert (again.start, again.stop) == ((), ()), "the rest must wait for this"


def test_an_update_before_the_old_tasks_have_settled_waits_for_them():
    """They may well serve already: with 50/100, stopping them as worth nothing stopped two of three."""
    world = World(3, 50, 100)
    world.act()
    for task in world.live():
        world.report(task, "RUNNING")
    world.update()
    assert world.act().stop == ()
    world.wait(10)
    assert len(world.act().stop) == 1


def test_zero_to_hundred_never_runs_two():
    world = World(1, 0, 100)
    world.settle()
    world.update()
    world.act()
    assert not world.act().start, "the old one is still stopping"
    world.serve()
    assert world.act().start == (StartOrder(deployment="ecs-svc/2", count=1),)


def test_where_no_host_has_room_old_tasks_stop_down_to_the_minimum():
    world = World(4, 50, 200)
    world.settle()
    world.update()
    plan = world.act(placeable=1)
    assert sum(one.count for one in plan.start) == 1
    assert len(plan.stop) == 2
    world = World(4, 100, 200)
    world.settle()
    world.update()
    plan = world.act(placeable=0)
    assert (plan.start, plan.stop) == ((), ())
    assert events.stuck("web") not in plan.events


def test_scaling_makes_no_deployment_and_stops_the_worst_first():
    world = World(4)
    world.settle()
    victim = world.live()[2]
    world.report(victim, "STOPPED", exit_code=1)
    world.act()
    replacement = world.live()[-1]
    world.service = evolve(world.service, desired_count=3)
    plan = world.act()
    assert [one.task for one in plan.stop] == [replacement.arn]
    world.settle()
    assert world.deployment().rollout_state == "COMPLETED"
    world.service = evolve(world.service, desired_count=0)
    assert len(world.act().stop) == 3
    world.settle()


def test_an_update_during_an_update_leaves_the_newest_alone():
    world = World(2)
    world.settle()
    world.update()
    world.act()
    world.update()
    plan = world.act()
    assert {world.tasks[one.task].deployment for one in plan.stop} == {"ecs-svc/2"}
    assert world.deployment("ecs-svc/2").status == "STOPPED"
    world.settle()
    assert [one.id for one in world.deployments if one.open] == ["ecs-svc/3"]


def test_draining_stops_pending_tasks_at_once_and_replaces_running_ones_start_first():
    world = World(3)
    world.settle()
    world.service = evolve(world.service, desired_count=6)
    world.act()
    pending = [one for one in world.live() if one.last_status == "PENDING"]
    host = pending[0].instance
    world.drain(world.hosts[host].name)
    on_host = [one for one in world.live() if one.instance == host]
    plan = world.act()
    assert {one.task for one in plan.stop} == {
        one.arn for one in on_host if one.last_status == "PENDING"
    }
    assert sum(one.count for one in plan.start) == len(on_host)
    world.settle()
    assert not [one for one in world.live() if one.instance == host]


def test_unhealthy_tasks_are_replaced_start_first_and_outside_the_grace_period():
    world = World(2, checked=True, health_check_grace_period_seconds=60)
    world.act()
    world.serve()
    sick = world.live()[0]
    world.health(sick, "UNHEALTHY")
    assert not world.act().start, "within the grace period"
    world.wait(60)
    assert world.act().start
    world.serve()
    world.health(sick, "UNHEALTHY")
    plan = world.act()
    assert [(one.task, one.reason) for one in plan.stop] == [
        (sick.arn, "Task failed container health checks")
    ]
    assert f"(service web) (task {sick.id}) failed container health checks." in plan.events
    world.report(sick, "STOPPED", exit_code=0)
    world.act()
    assert world.deployment().failed_tasks in {0, 1}


def test_unhealthy_tasks_go_one_by_one_where_there_is_no_room():
    world = World(3, 100, 100, checked=True, sent=True)
    world.act()
    world.serve()
    world.act()
    for task in world.live():
        world.health(task, "UNHEALTHY")
    first = world.act()
    assert len(first.stop) == 1
    assert not world.act().stop, "the next one only when this one is replaced"


def test_tasks_of_a_lost_host_are_replaced_where_one_more_is_allowed():
    for maximum, replaced in ((200, True), (100, False)):
        world = World(2, 0, maximum)
        world.settle()
        world.lose(world.live()[0])
        assert bool(world.act().start) is replaced


def test_old_tasks_on_lost_hosts_do_not_hold_a_deployment_up():
    world = World(2)
    world.settle()
    world.lose(world.live()[0])
    world.update()
    world.settle()
    lost = [one for one in world.live() if one.connectivity == "DISCONNECTED"]
    assert [one.desired_status for one in lost] == ["STOPPED"], "told, for when it returns"


def test_a_deleted_service_stops_everything_and_is_gone_when_nothing_is_left():
    world = World(2)
    world.settle()
    world.service = evolve(world.service, status="DRAINING")
    assert len(world.act().stop) == 2
    assert world.service.status == "DRAINING"
    world.serve()
    world.act()
    assert world.service.status == "INACTIVE"
    assert not any(one.open for one in world.deployments)
    assert not world.act().events


def test_one_task_goes_before_the_rest_to_learn_its_digest():
    world = World(3)
    image = RevisionImage(container_name="web", image="demo:1")
    world.revisions["ecs-svc/1"] = evolve(world.revisions["ecs-svc/1"], images=(image,))
    assert world.act().start == (StartOrder(deployment="ecs-svc/1", count=1),)
    assert not world.act().start
    world.report(world.live()[0], "PENDING", image_digest=DIGEST)
    plan = world.act()
    assert plan.revision.images[0].digest == DIGEST
    assert plan.start == (StartOrder(deployment="ecs-svc/1", count=2),)
    assert world.revisions["ecs-svc/1"].pinned_at == world.now


def test_an_image_whose_digest_nobody_knows_runs_by_its_tag():
    world = World(2)
    image = RevisionImage(container_name="web", image="demo:1")
    world.revisions["ecs-svc/1"] = evolve(world.revisions["ecs-svc/1"], images=(image,))
    world.act()
    world.report(world.live()[0], "RUNNING")
    plan = world.act()
    assert plan.revision.images[0].digest is None
    assert plan.start == (StartOrder(deployment="ecs-svc/1", count=1),)


def test_pending_tasks_on_a_drained_host_do_not_wait_for_the_maximum():
    world = World(1, 0, 100)
    world.act()
    world.drain(world.hosts[world.live()[0].instance].name)
    assert len(world.act().stop) == 1


def test_a_service_that_is_gone_only_judges_what_is_left():
    world = World(1)
    world.act()
    world.service = evolve(world.service, status="INACTIVE")
    world.report(world.live()[0], "STOPPED", exit_code=0)
    plan = world.act()
    assert len(plan.judged) == 1
    assert not plan.events
