"""A task that stops: it is remembered for as long as the site says, and its stop is insisted on."""

import pytest

from moorage.ground.instant import hours, seconds
from tests.ecs.controllers.rig import Rig


def stopped_task(rig: Rig) -> str:
    service = rig.serve("web", 1, rig.define("web"))
    rig.settle()
    rig.update(service, desired_count=0)
    rig.settle()
    assert rig.live(service) == []
    return service


@pytest.mark.parametrize(
    ("retention", "before", "after"),
    [(hours(24), 24 * 3600 - 1, 2), (hours(2), 2 * 3600 - 1, 2), (seconds(1), 3599, 2)],
)
def test_a_stopped_task_is_remembered(retention, before, after):
    rig = Rig(stopped_task_retention=retention)
    rig.host("a")
    service = stopped_task(rig)
    rig.advance(before)
    assert len(rig.tasks(service)) == 1
    rig.advance(after)
    assert rig.tasks(service) == []
    rig.house.close()


def test_a_restarted_server_still_forgets(rig):
    service = stopped_task(rig)
    rig.restart()
    rig.advance(25 * 3600)
    assert rig.tasks(service) == []


def test_an_order_to_stop_that_shows_no_effect_is_given_again(rig):
    service = rig.serve("web", 1, rig.define("web", stop_timeout=10))
    rig.settle()
    (task,) = rig.running(service)
    host = rig.hosts[task.instance]
    host.stubborn = True
    rig.update(service, desired_count=0)
    rig.settle()
    orders = host.orders
    rig.advance(69)
    assert host.orders == orders
    rig.resend(host)
    assert host.orders == orders
    rig.advance(1)
    rig.resend(host)
    assert host.orders == orders + 1
    host.stubborn = False
    rig.advance(70)
    rig.resend(host)
    rig.settle()
    assert rig.live(service) == []


def test_a_task_of_a_host_that_nobody_knows_is_given_up(rig):
    service = rig.serve("web", 1, rig.define("web"))
    rig.settle()
    (task,) = rig.running(service)
    rig.connected.clear()
    rig.house.write(lambda call: rig.forget_host(call.tx, task.instance))
    rig.restart()
    rig.settle()
    assert next(one for one in rig.tasks(service) if one.arn == task.arn).is_stopped
    assert [one.arn for one in rig.live(service)] != [task.arn]
    assert len(rig.live(service)) == 1
