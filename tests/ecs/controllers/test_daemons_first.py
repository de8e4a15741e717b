"""On a host where nothing was begun yet, daemons run before others are sent; never for long."""

import pytest

from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import Rig
from tests.ecs.controllers.test_daemons import daemon, on


def sent(one: ScriptedHost) -> list[str]:
    """The families of the tasks that a host was told to run, in this order."""
    return [held.order.family for held in one.tasks.values()]


def test_others_are_sent_to_a_host_that_joins_when_the_daemons_run_there(bare: Rig):
    daemon(bare)
    daemon(bare, "meters")
    bare.serve("web", 2, bare.define("web"))
    one = bare.host("a")
    one.slow = True
    bare.advance(29)
    assert sorted(sent(one)) == ["logs", "meters"]
    assert bare.instance(one).held_until is not None
    one.finish(bare)
    bare.settle()
    assert sent(one)[2:] == ["web", "web"]
    assert bare.instance(one).held_until is None


@pytest.mark.parametrize("trouble", ["slow", "deaf", "broken"])
def test_a_daemon_in_trouble_holds_others_up_for_half_a_minute_at_most(bare: Rig, trouble):
    daemon(bare, image="broken:1" if trouble == "broken" else "demo:1")
    web = bare.serve("web", 2, bare.define("web"))
    one = bare.host("a")
    one.slow, one.deaf = trouble == "slow", trouble == "deaf"
    bare.advance(31)
    one.slow = one.deaf = False
    if trouble == "deaf":
        bare.resend(one)
    one.finish(bare)
    bare.settle()
    assert on(bare, web) == ["a", "a"]
    assert bare.instance(one).held_until is None


def test_on_a_host_at_work_nobody_waits_for_a_daemons_new_version(bare: Rig):
    logs = daemon(bare)
    web = bare.serve("web", 1, bare.define("web"))
    one = bare.host("a")
    bare.advance(60)
    one.slow = True
    bare.update(logs, bare.define("logs", "demo:2"))
    bare.advance(1)
    one.finish(bare)  # the old one has stopped; the new one is pulled
    bare.settle()
    bare.update(web, desired_count=2)
    bare.settle()
    assert [held.status for held in one.tasks.values() if held.order.family == "logs"] == [
        "STOPPED",
        "PENDING",
    ]
    assert sent(one).count("web") == 2


def test_a_host_that_went_away_in_the_meantime_is_sent_all_when_it_is_back(bare: Rig):
    daemon(bare)
    web = bare.serve("web", 2, bare.define("web"))
    one = bare.host("a")
    one.slow = True
    bare.settle()
    bare.cut(one)
    bare.advance(40)
    one.slow = False
    bare.connect(one)
    one.finish(bare)
    bare.advance(1)
    assert on(bare, web) == ["a", "a"]
