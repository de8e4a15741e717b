"""Orders to stop, deregistered hosts, and reports of health."""

import pytest

from moorage.ecs.rules.task.health import observe_health
from moorage.ecs.rules.task.stop import abandon, ask_to_stop
from moorage.ground.instant import later, seconds
from tests.ecs.rules.builders import NOW, a_container, a_task, running


def test_the_first_order_to_stop_stands():
    task = ask_to_stop(running(a_task()), "UserInitiated", "enough", NOW)
    assert (task.desired_status, task.last_status) == ("STOPPED", "RUNNING")
    assert (task.stop_code, task.stopped_reason) == ("UserInitiated", "enough")
    assert task.stop_requested_at == task.stopping_at == NOW
    again = ask_to_stop(task, "ServiceSchedulerInitiated", "other", later(NOW, seconds(1)))
    assert again is task


def test_a_task_that_its_host_was_never_told_of_is_stopped_at_once():
    task = ask_to_stop(a_task(payload_sequence=0), "UserInitiated", "enough", NOW)
    assert (task.last_status, task.stopped_at, task.execution_stopped_at) == ("STOPPED", NOW, NOW)
    assert task.containers[0].last_status == "STOPPED"


@pytest.mark.parametrize("before", [a_task(), a_task(payload_sequence=0), running(a_task())])
def test_the_tasks_of_a_deregistered_host_end_without_its_word(before):
    task = abandon(before, "The container instance was deregistered.", NOW)
    assert (task.last_status, task.stop_code) == ("STOPPED", "InfrastructureHealth")
    assert abandon(task, "again", later(NOW, seconds(1))) is task


def test_an_order_that_was_given_before_keeps_its_reason():
    asked = ask_to_stop(running(a_task()), "UserInitiated", "enough", NOW)
    task = abandon(asked, "gone", NOW)
    assert (task.last_status, task.stop_code, task.stopped_reason) == (
        "STOPPED",
        "UserInitiated",
        "enough",
    )


def test_only_containers_with_a_check_have_health():
    task = running(a_task(containers=(a_container(has_health_check=True), a_container("side"))))
    found = observe_health(task, {"web": "HEALTHY", "side": "UNHEALTHY"})
    assert found.changed
    assert [one.health for one in found.task.containers] == ["HEALTHY", "UNKNOWN"]
    assert found.task.health == "HEALTHY"
    again = observe_health(found.task, {"web": "HEALTHY"})
    assert (again.changed, again.ignored) == (False, "The report says nothing new.")


def test_a_stopped_task_has_no_health():
    task = a_task(last_status="STOPPED", containers=(a_container(has_health_check=True),))
    assert not observe_health(task, {"web": "UNHEALTHY"}).changed
