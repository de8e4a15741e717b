"""A service's controller over real rows: starts, spreads, replaces, scales, rolls, rolls back."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from moorage.ecs.rules.deployment.configuration import full_configuration
from moorage.ecs.store import rollouts
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)
from tests.ecs.controllers.rig import Rig

BREAKER = DeploymentConfiguration(
    deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=True)
)


def steady(rig: Rig, count: int = 3, **members):
    service = rig.serve("web", count, rig.define("web"), **members)
    rig.settle()
    assert len(rig.running(service)) == count
    return service


def test_a_service_starts_its_tasks_and_is_steady(rig):
    service = rig.serve("web", 3, rig.define("web"))
    rig.settle()
    assert Counter(task.last_status for task in rig.tasks(service)) == {"RUNNING": 3}
    assert sorted(len(one.running()) for one in rig.hosts.values()) == [1, 1, 1]
    assert rig.primary(service).rollout_state == "COMPLETED"
    said = rig.events(service)
    assert re.fullmatch(r"has started 3 tasks:( \(task [0-9a-f]{32}\)){3}\.", said[0])
    assert said[1:] == [
        f"(deployment {rig.primary(service).id}) deployment completed.",
        "has reached a steady state.",
    ]


def test_one_turn_starts_everything(rig):
    service = rig.serve("web", 9, rig.define("web"))
    rig._take_changes()
    rig.turn("deployments", service)
    assert len(rig.live(service)) == 9
    assert {change.kind for change in rig.changes} == {"orders"}


def test_a_task_says_whose_it_is(rig):
    service = steady(rig, propagate_tags="NONE", enable_ecs_managed_tags=True)
    task = rig.tasks(service)[0]
    assert (task.group, task.started_by, task.launch_type) == (
        "service:web",
        rig.service(service).deployment,
        "EC2",
    )
    assert {tag.key: tag.value for tag in task.tags} == {
        "aws:ecs:clusterName": "default",
        "aws:ecs:serviceName": "web",
    }


def test_a_task_counts_after_the_settling_time():
    rig = Rig(settle=40_000_000)
    rig.host("a")
    service = rig.serve("web", 1, rig.define("web"))
    rig.settle()
    assert len(rig.running(service)) == 1
    rig.advance(39)
    assert rig.primary(service).rollout_state == "IN_PROGRESS"
    rig.advance(1)
    assert rig.primary(service).rollout_state == "COMPLETED"
    rig.house.close()


@pytest.mark.parametrize("count", [5, 1, 0])
def test_scaling(rig, count):
    service = steady(rig)
    rig.update(service, desired_count=count)
    rig.settle()
    assert len(rig.running(service)) == count == len(rig.live(service))
    assert len(rig.deployments(service)) == 1
    stopped = [task for task in rig.tasks(service) if task.is_stopped]
    assert {task.stop_code for task in stopped} <= {"ServiceSchedulerInitiated"}
    assert rig.events(service)[-1] == "has reached a steady state."
    spread = [len(one.running()) for one in rig.hosts.values()]
    assert max(spread) - min(spread) <= 1


def test_a_deleted_service_drains_and_is_inactive_and_forgotten_a_day_later(rig):
    service = steady(rig)
    for one in rig.hosts.values():
        one.slow = True
    now = rig.house.clock.now()
    rig.update(service, status="DRAINING", desired_count=0, deleted_at=now)
    rig.advance(3600)
    assert rig.service(service).status == "DRAINING"
    for one in rig.hosts.values():
        one.finish(rig)
    rig.settle()
    assert rig.service(service).status == "INACTIVE"
    assert rig.live(service) == []
    rig.advance(23 * 3600)
    assert rig.service(service).status == "INACTIVE"
    rig.advance(2 * 3600)
    kept = rig.rows()
    assert [kept[name] for name in ("services", "service_deployments", "service_events")] == [
        [],
        [],
        [],
    ]
    assert kept["service_revisions"] == kept["tasks"] == kept["image_claims"] == []


PERCENTAGES = [(100, 200), (50, 100), (0, 100), (100, 150), (50, 150), (67, 134)]


@pytest.mark.parametrize(("minimum", "maximum"), PERCENTAGES)
@pytest.mark.parametrize("slow", [False, True])
def test_a_rolling_update_stays_within_its_bounds(rig, minimum, maximum, slow):
    desired = 4
    asked = DeploymentConfiguration(minimum_healthy_percent=minimum, maximum_percent=maximum)
    service = steady(rig, desired, configuration=asked)
    low, high = -(-desired * minimum // 100), desired * maximum // 100

    def bounds(rig: Rig) -> None:
        assert len(rig.running(service)) >= low
        assert len(rig.live(service)) <= high

    rig.laws.append(bounds)
    for one in rig.hosts.values():
        one.slow = slow
    rig.update(service, rig.define("web", "demo:2"))
    rig.settle()
    for _ in range(20 if slow else 0):
        for one in rig.hosts.values():
            one.finish(rig)
        rig.settle()
    assert {task.revision for task in rig.running(service)} == {2}
    assert len(rig.live(service)) == desired
    assert [one.open for one in rig.deployments(service)] == [True, False]
    assert rig.primary(service).status == "SUCCESSFUL"


def test_an_impossible_update_says_so(rig):
    asked = DeploymentConfiguration(minimum_healthy_percent=100, maximum_percent=100)
    service = steady(rig, 2, configuration=asked)
    rig.update(service, rig.define("web", "demo:2"))
    rig.settle()
    assert {task.revision for task in rig.running(service)} == {1}
    assert rig.events(service)[-1].startswith(
        "was unable to stop or start tasks during a deployment because of the service deployment"
    )
    wider = DeploymentConfiguration(minimum_healthy_percent=50, maximum_percent=100)
    rig.update(service, deployment_configuration=full_configuration(wider))
    rig.settle()
    assert {task.revision for task in rig.running(service)} == {2}


def test_a_broken_image_is_rolled_back(rig):
    service = steady(rig, 2, configuration=BREAKER)
    good = rig.service(service).deployment
    rig.laws.append(lambda rig: len(rig.running(service)) >= 2 or pytest.fail("below the minimum"))
    rig.update(service, rig.define("web", "demo:broken"))
    rig.advance(60)
    assert rig.service(service).deployment == good
    assert {task.revision for task in rig.live(service)} == {1}
    newest = rig.deployments(service)[0]
    assert (newest.status, newest.rollout_state) == ("ROLLBACK_SUCCESSFUL", "FAILED")
    assert rig.primary(service).rollout_state == "COMPLETED"
    said = rig.events(service)
    assert f"(deployment {newest.id}) deployment failed: tasks failed to start." in said
    assert f"rolling back to deployment {good}." in said


def test_after_a_hundred_deployments_the_last_good_one_is_still_known(rig):
    """It used to be forgotten with the oldest, and nothing was left to roll back to."""
    asked = DeploymentConfiguration(
        minimum_healthy_percent=0,
        maximum_percent=100,
        deployment_circuit_breaker=BREAKER.deployment_circuit_breaker,
    )
    service = steady(rig, 1, configuration=asked)
    good = rig.service(service).deployment
    broken = rig.define("web", "demo:broken")
    for _ in range(rollouts.DEPLOYMENTS_MAX + 5):
        rig.update(service, broken)
        rig.advance(0.5)
    kept = [one.id for one in rig.deployments(service)]
    assert good in kept
    assert len(kept) <= rollouts.DEPLOYMENTS_MAX + 2
    rig.advance(60)
    assert rig.service(service).deployment == good
    assert {task.revision for task in rig.live(service)} == {1}


def test_a_broken_image_without_rollback_fails_and_starts_no_more(rig):
    asked = DeploymentConfiguration(
        deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=False)
    )
    service = steady(rig, 2, configuration=asked)
    rig.update(service, rig.define("web", "demo:broken"))
    rig.advance(60)
    assert rig.primary(service).rollout_state == "FAILED"
    before = len(rig.tasks(service))
    rig.advance(3600)
    assert len(rig.tasks(service)) == before
    assert len(rig.running(service)) == 2


def test_a_crash_loop_backs_off(rig):
    start = rig.house.clock.now()
    service = rig.serve("web", 1, rig.define("web", "demo:crashing"))
    rig.advance(1100)
    created = [(task.created_at - start) / 1_000_000 for task in rig.tasks(service)]
    gaps = [later - earlier for earlier, later in pairwise(created)]
    assert gaps == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert "is unable to consistently start tasks successfully." in rig.events(service)
    assert {task.stop_code for task in rig.tasks(service)[:-1]} == {"EssentialContainerExited"}


def test_a_new_deployment_ends_the_back_off(rig):
    service = rig.serve("web", 1, rig.define("web", "demo:crashing"))
    rig.advance(20)
    rig.update(service, rig.define("web", "demo:2"))
    rig.settle()
    assert [task.revision for task in rig.running(service)] == [2]


def test_five_minutes_of_running_end_the_back_off(rig):
    service = rig.serve("web", 1, rig.define("web", "demo:crashing"))
    rig.advance(5)
    rig.update(service, rig.define("web", "demo:2"))
    rig.settle()
    for _ in range(3):
        rig.advance(301)
        (task,) = rig.running(service)
        rig.hosts[task.instance].kill(task.arn, rig)
        rig.settle()
        assert len(rig.running(service)) == 1
        assert rig.service(service).backoff.failures == 0


def test_a_killed_task_is_replaced_at_once(rig):
    service = steady(rig)
    rig.advance(31)
    task = rig.running(service)[0]
    before = rig.house.clock.now()
    rig.hosts[task.instance].kill(task.arn, rig)
    rig.settle()
    assert len(rig.running(service)) == 3
    assert rig.tasks(service)[-1].created_at == before
    assert next(one for one in rig.tasks(service) if one.arn == task.arn).judged


def test_a_drained_host_gives_its_tasks_away(rig):
    service = steady(rig)
    first = next(iter(rig.hosts.values()))
    rig.laws.append(lambda rig: len(rig.running(service)) >= 3 or pytest.fail("below the minimum"))
    rig.change_host(first, status="DRAINING")
    rig.settle()
    assert first.running() == []
    assert len(rig.running(service)) == 3
    rig.change_host(first, status="ACTIVE")
    rig.settle()
    assert len(rig.running(service)) == 3


def test_no_room_is_said_once_and_room_is_taken(bare):
    bare.host("a")
    service = bare.serve("web", 7, bare.define("web"))
    bare.advance(3600)
    assert len(bare.running(service)) == 5
    assert bare.service(service).waits_for_room
    (host,) = bare.hosts
    sentence = (
        "was unable to place a task because no container instance met all of its requirements. "
        f"The closest matching (container-instance {host.rpartition('/')[2]}) has insufficient "
        "CPU units available."
    )
    assert bare.events(service).count(sentence) == 1
    bare.host("b")
    bare.settle()
    assert len(bare.running(service)) == 7
    assert not bare.service(service).waits_for_room


def test_room_appears_where_another_service_stops(bare):
    bare.host("a")
    other = bare.serve("other", 3, bare.define("other"))
    bare.settle()
    service = bare.serve("web", 4, bare.define("web"))
    bare.settle()
    assert len(bare.running(service)) == 2
    bare.update(other, desired_count=1)
    bare.settle()
    assert len(bare.running(service)) == 4


def test_without_hosts_the_event_says_so(bare):
    service = bare.serve("web", 1, bare.define("web"))
    bare.settle()
    (sentence,) = bare.events(service)
    assert sentence == (
        "was unable to place a task because no container instance met all of its requirements. "
        "Reason: No Container Instances were found in your cluster."
    )


def test_a_restarted_server_changes_nothing(rig):
    steady(rig)
    waiting = rig.serve("big", 20, rig.define("big"))
    rig.settle()
    assert rig.service(waiting).waits_for_room
    before = rig.rows()
    rig.restart()
    rig.settle()
    assert rig.rows() == before


def test_converging_twice_is_converging_once(rig):
    service = steady(rig)
    rig.update(service, rig.define("web", "demo:2"))
    rig._take_changes()
    rig.turn("deployments", service)
    before = rig.rows()
    rig.turn("deployments", service)
    assert rig.rows() == before


def test_the_pilot_goes_before_and_pins_the_rest(rig):
    service = rig.serve("web", 3, rig.define("web", version_consistency=None))
    rig._take_changes()
    rig.turn("deployments", service)
    assert len(rig.live(service)) == 1
    rig.changes.clear()
    rig.restart()
    for one in rig.hosts:
        rig._send(one)
    rig.settle()
    pinned = [task.containers[0].pinned_image for task in rig.tasks(service)]
    assert len(pinned) == 3
    assert Counter(one is None for one in pinned) == {True: 1, False: 2}


def test_steadiness_is_said_again_every_six_hours(rig):
    service = steady(rig)
    rig.advance(6 * 3600 + 1)
    assert rig.events(service).count("has reached a steady state.") == 2
