"""A daemon service: a table of what a first look does, and its deployments, step by step."""

import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment.daemon_hosts import others
from moorage.ground.instant import later, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.builders import instance_arn
from tests.ecs.rules.deployment.daemon_world import NEEDS, DaemonWorld

THREE = ["h1", "h2", "h3"]


def steady(minimum: int = 0, **more) -> DaemonWorld:
    world = DaemonWorld(minimum, **more)
    world.settle()
    world.wait(60)
    return world


def stopped(world, plan) -> list[str]:
    """The hosts on which tasks are told to stop."""
    return sorted(world.tasks[one.task].instance.rpartition("/")[2] for one in plan.stop)


def started(plan) -> list[str]:
    return [arn.rpartition("/")[2] for arn in plan.placed.chosen]


@pytest.mark.parametrize(
    ("change", "desired", "starts"),
    [
        ({}, 3, THREE),
        ({"status": "DRAINING"}, 2, ["h1", "h3"]),
        ({"connected": False}, 2, ["h1", "h3"]),
        ({"suspect": True}, 2, ["h1", "h3"]),
        ({"runtime_status": "IMPAIRED"}, 2, ["h1", "h3"]),
        ({"lost_at": seconds(1)}, 2, ["h1", "h3"]),
        ({"flapping_until": seconds(1)}, 2, ["h1", "h3"]),
        ({"attributes": ()}, 2, ["h1", "h3"]),
        # It belongs there, and there is no room.
        ({"resources": evolve(NEEDS, cpu=255)}, 3, ["h1", "h3"]),
    ],
)
def test_one_starts_on_each_host_where_it_belongs(change, desired, starts):
    world = DaemonWorld(members=("attribute:ecs.availability-zone == a",))
    world.change_host("h2", **change)
    plan = world.act()
    assert (started(plan), world.service.desired_count) == (starts, desired)
    assert world.deployment().desired_count == desired
    assert plan.placed.unplaced.count == desired - len(starts)


@pytest.mark.parametrize(
    ("change", "desired"),
    [
        ({"connected": False}, 3),
        ({"suspect": True}, 3),
        ({"runtime_status": "IMPAIRED"}, 3),
        ({"lost_at": seconds(1)}, 2),
    ],
)
def test_a_host_that_is_away_keeps_what_it_has_and_a_lost_one_leaves_the_count(change, desired):
    world = steady()
    world.change_host("h2", **change)
    if desired == 2:
        world._follow(instance_arn("h2"), "DISCONNECTED")
    plan = world.act()
    assert (started(plan), stopped(world, plan)) == ([], [])
    assert world.service.desired_count == desired
    assert not any("waits for its tasks on lost hosts" in event for event in world.events)


def test_a_lost_host_is_back_with_its_task_and_all_is_as_before():
    world = steady()
    world.lose_host("h2")
    world.settle()
    assert world.on() == THREE
    world.find_host("h2")
    world.settle()
    assert (world.on(), len(world.tasks)) == (THREE, 3)


@pytest.mark.parametrize(
    ("minimum", "hosts", "first"),
    [
        (0, 3, 3),
        (34, 3, 1),  # ceil(34 % of 3) = 2 stay
        (50, 3, 1),
        (50, 4, 2),
        (60, 5, 2),
        (99, 5, 0),
    ],
)
def test_a_deployment_stops_as_many_as_the_minimum_lets_it(minimum, hosts, first):
    world = steady(minimum, hosts=tuple(f"h{number}" for number in range(hosts)))
    world.update()
    plan = world.act()
    assert (len(plan.stop), plan.start) == (first, ())
    assert bool(first) is (events.stuck("web") not in world.events)
    if first:
        again = world.act()
        assert not again.stop, "the rest waits for these"
        world.settle()
        assert world.on("ecs-svc/2") == world.on()


def test_one_host_and_a_minimum_above_nothing_is_stuck_and_says_so():
    world = steady(1, hosts=("h1",))
    world.update()
    plan = world.act()
    assert (plan.stop, plan.start) == ((), ())
    assert events.stuck("web") in plan.events


def test_what_never_ran_is_replaced_whatever_the_minimum():
    world = DaemonWorld(50, sent=True)
    world.act()
    world.update()
    plan = world.act()
    assert stopped(world, plan) == THREE


def test_a_successor_without_room_leaves_the_old_one_there():
    """ECS stops it in any case."""
    world = steady()
    for name in ("h1", "h2"):
        world.change_host(name, resources=evolve(NEEDS, cpu=300))
        world.other(name, cpu=100)
    world.update()
    plan = world.act()
    assert stopped(world, plan) == ["h3"]
    reasons = {one.obstacle.reason for one in plan.placed.unplaced.hindrances}
    assert (plan.placed.unplaced.count, reasons) == (2, {"RESOURCE:CPU"})


def test_where_it_does_not_belong_any_more_it_stops_at_once():
    world = steady(99, members=("attribute:ecs.availability-zone == a",))
    world.change_host("h3", attributes=())
    plan = world.act()
    assert stopped(world, plan) == ["h3"]
    assert world.service.desired_count == 2


def test_its_own_task_does_not_decide_where_it_belongs():
    world = steady(members=("runningTasksCount < 1",))
    assert world.on() == THREE
    plan = world.act()
    assert not plan.stop
    assert plan.look_again is not None
    assert plan.look_again <= later(world.now, seconds(15))
    world.other("h2", "busy")
    world.others["busy"] = evolve(world.others["busy"], last_status="RUNNING")
    assert stopped(world, world.act()) == ["h2"]


def test_drained_last():
    world = steady()
    world.other("h1", "web")
    world.drain("h1")
    plan = world.act()
    assert not plan.stop
    assert plan.awaits_tasks
    assert world.service.desired_count == 2
    world.others["web"] = evolve(world.others["web"], desired_status="STOPPED")
    assert not world.act().stop, "one that is stopping is there still"
    world.others["web"] = evolve(world.others["web"], last_status="STOPPED")
    plan = world.act()
    assert (stopped(world, plan), plan.awaits_tasks) == (["h1"], False)


def test_another_daemon_is_nobody_to_wait_for():
    world = steady()
    world.other("h1", "logs")
    world.others["logs"] = evolve(world.others["logs"], group="service:another-daemon")
    world.drain("h1")
    assert stopped(world, world.act()) == ["h1"]
    load = world.survey().view.hosts[instance_arn("h1")]
    assert others(load, {"service:web"}) == 1


def test_a_deployment_completes_although_a_draining_host_keeps_an_old_one():
    world = steady()
    world.other("h1", "batch")
    world.drain("h1")
    world.update()
    world.settle()
    assert world.on("ecs-svc/2") == ["h2", "h3"]
    assert world.on("ecs-svc/1") == ["h1"]
    assert [one.id for one in world.deployments if one.open] == ["ecs-svc/1", "ecs-svc/2"]
    world.others["batch"] = evolve(world.others["batch"], last_status="STOPPED")
    world.settle()
    world.serve()
    world.act()
    assert [one.id for one in world.deployments if one.open] == ["ecs-svc/2"]


def test_an_unhealthy_one_is_replaced_within_the_minimum():
    world = DaemonWorld(50, checked=True)
    world.settle()
    first, second, _ = world.live()
    world.health(first, "UNHEALTHY")
    world.health(second, "UNHEALTHY")
    plan = world.act()
    assert [one.task for one in plan.stop] == [first.arn], "below the minimum one by one"
    assert plan.stop[0].reason == "Task failed container health checks"
    assert not world.act().stop
    world.settle()


def a_full_host(minimum: int = 0, **more) -> DaemonWorld:
    """A daemon that runs on three hosts and is to be on a fourth, where there is no room for it."""
    world = steady(minimum, **more)
    world.join("h4")
    world.other("h4", cpu=world.instances[instance_arn("h4")].resources.cpu)
    return world


def test_a_full_host_does_not_keep_the_pilot_from_going_first():
    world = a_full_host()
    world.update()
    image = RevisionImage(container_name="web", image="demo:2")
    world.revisions["ecs-svc/2"] = evolve(world.revisions["ecs-svc/2"], images=(image,))
    plan = world.act()
    assert len(plan.stop) == 1, "one makes room for the pilot"
    assert (world.act().stop, world.act().start) == ((), ()), "it has not ended yet"
    world.report(world.tasks[plan.stop[0].task], "STOPPED")
    plan = world.act()
    assert (len(started(plan)), plan.stop) == (1, ()), "the rest wait for what it tells"


def test_a_full_host_does_not_keep_sick_ones_from_being_replaced():
    world = a_full_host(100, checked=True)
    for task in world.live():
        world.health(task, "UNHEALTHY")
    world.update()
    assert len(world.act().stop) == 1, "below the minimum one by one"


def test_in_the_back_off_nothing_starts_and_nothing_stops_for_it():
    world = steady()
    for _ in range(2):
        crashed = world.live()[-1]
        if crashed.last_status != "RUNNING":
            world.report(crashed, "RUNNING")
        world.report(crashed, "STOPPED", exit_code=1)
        world.tasks[crashed.arn] = evolve(
            world.tasks[crashed.arn], started_at=world.now, execution_stopped_at=world.now
        )
        world.act()
    assert world.service.backoff.until > world.now
    assert len(world.on()) == 2
    for task in world.live():
        world.tasks[task.arn] = evolve(task, deployment="ecs-svc/0")
    assert not world.act().stop
    world.now = world.service.backoff.until
    assert world.act().start


@pytest.mark.parametrize("rollback", [True, False])
def test_the_circuit_breaker_fails_it_and_the_rest_runs_on(rollback):
    world = steady(50, breaker={"enable": True, "rollback": rollback})
    world.update()
    for _ in range(40):
        world.act()
        for task in world.live():
            if task.desired_status == "STOPPED":
                world.report(task, "STOPPED", exit_code=0)
            elif task.deployment == "ecs-svc/2":
                world.report(task, "STOPPED", reason="CannotPullContainerError: none")
        world.wait(20)
    assert world.deployment("ecs-svc/2").rollout_state == "FAILED"
    assert len(world.on("ecs-svc/1")) >= 2
    if rollback:
        world.settle()
        assert world.on("ecs-svc/1") == THREE


def test_of_two_on_one_host_the_better_stays():
    world = steady()
    one = world.live()[0]
    twin = evolve(one, id="twin", arn=f"{one.arn}x", created_at=later(one.created_at, seconds(1)))
    world.tasks[twin.arn] = twin
    plan = world.act()
    assert [order.task for order in plan.stop] == [twin.arn]


def test_without_any_host_it_is_done():
    world = DaemonWorld(hosts=())
    world.settle()
    assert world.service.desired_count == 0
    world.join("h1")
    world.settle()
    assert world.on() == ["h1"]


def test_a_deleted_one_stops_everywhere():
    world = steady()
    world.service = evolve(world.service, status="DRAINING", desired_count=0)
    world.settle()
    assert world.service.status == "INACTIVE"
