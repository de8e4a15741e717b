"""The deadline of a drain."""

import pytest

from moorage.ecs.records.container_instance import Drain
from moorage.ecs.rules.host.drain import FROZEN_LOOK, at_deadline, remaining
from moorage.ground.instant import later, seconds
from tests.ecs.rules.builders import ARN, CLUSTER, NOW, a_task, an_instance

DEADLINE = later(NOW, seconds(600))
WEB = f"{ARN}:service/{CLUSTER}/web"


def draining(on_timeout="force", **members):
    drain = Drain(deadline=DEADLINE, on_timeout=on_timeout)
    return an_instance(**{"status": "DRAINING", "drain": drain, **members})


TASKS = (
    a_task("service", last_status="RUNNING"),
    a_task("pending"),
    a_task("leaving", desired_status="STOPPED"),
    a_task("alone", service="", group="family:x", last_status="RUNNING"),
)


def test_only_tasks_of_services_that_nobody_has_stopped_are_left():
    assert [task.id for task in remaining(TASKS)] == ["service", "pending"]


@pytest.mark.parametrize(
    ("instance", "look"),
    [
        (draining(), DEADLINE),
        (draining("abandon"), DEADLINE),
        (draining(drain=None), None),
        (draining(status="ACTIVE"), None),
    ],
)
def test_before_the_deadline_nothing_is_done(instance, look):
    step = at_deadline(instance, TASKS, frozenset(), NOW)
    assert (step.instance, step.stop, step.look_again) == (instance, (), look)


def test_force_stops_what_services_left_and_nothing_that_stands_alone():
    step = at_deadline(draining(), TASKS, frozenset(), DEADLINE)
    assert [task.id for task in step.stop] == ["service", "pending"]
    assert (step.instance.status, step.abandoned, step.look_again) == ("DRAINING", (), None)
    assert at_deadline(draining(), TASKS[2:], frozenset(), DEADLINE).stop == ()


def test_abandon_takes_the_host_back_unless_it_is_empty():
    step = at_deadline(draining("abandon"), TASKS, frozenset(), DEADLINE)
    assert (step.instance.status, step.instance.drain, step.stop) == ("ACTIVE", None, ())
    assert [task.id for task in step.abandoned] == ["service", "pending"]
    step = at_deadline(draining("abandon"), TASKS[2:], frozenset(), DEADLINE)
    assert step.instance.status == "DRAINING"


def test_a_frozen_service_keeps_its_tasks_until_it_is_thawed():
    step = at_deadline(draining(), TASKS, {WEB}, DEADLINE)
    assert (step.stop, step.look_again) == ((), later(DEADLINE, FROZEN_LOOK))
