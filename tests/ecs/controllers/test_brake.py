"""Too many hosts are lost at once: what their services do, are told, and what releases them."""

import pytest

from moorage.ecs.agents import AGENT
from moorage.ecs.operations.host import confirm_host_lost, drain_host
from moorage.ecs.operations.session import Hello
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.rules.host.drain import FROZEN_LOOK
from moorage.ecs.store import freezes
from moorage.ground.instant import in_seconds
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.moorage.host_state import ConfirmHostLostRequest, DrainHostRequest
from tests.ecs.controllers.rig import Rig
from tests.house import ACCOUNT, REGION

HELD = "replaces no task of a lost host for now: {} of {} hosts of the cluster were lost"
ONCE = DeploymentConfiguration(maximum_percent=100, minimum_healthy_percent=0)


@pytest.fixture
def wide(bare: Rig) -> Rig:
    """Six hosts, with room for five tasks each."""
    for name in "abcdef":
        bare.host(name)
    return bare


def serving(rig: Rig, count: int, name: str = "web", **members) -> str:
    service = rig.serve(name, count, rig.define(name), **members)
    rig.settle()
    assert len(rig.running(service)) == count
    return service


def named(rig: Rig, name: str):
    return next(one for one in rig.hosts.values() if one.name == name)


def lose(rig: Rig, *names: str) -> None:
    for name in names:
        rig.lose(named(rig, name))
    rig.settle()


def return_(rig: Rig, *names: str) -> None:
    for name in names:
        rig.connect(named(rig, name))
    rig.settle()


def reached(rig: Rig, service: str) -> int:
    return sum(task.connectivity == "CONNECTED" for task in rig.running(service))


def brakes(rig: Rig) -> list[Freeze]:
    return [
        one
        for one in rig.house.read(
            lambda call: freezes.of_cluster(call.tx, ACCOUNT, REGION, "default")
        )
        if one.cause == "brake"
    ]


def said(rig: Rig, service: str, words: str) -> int:
    return sum(words in event for event in rig.events(service))


def test_one_of_two_is_replaced_and_both_are_not(bare):
    for name in "ab":
        bare.host(name)
    service = serving(bare, 2)
    lose(bare, "a")
    assert (reached(bare, service), brakes(bare)) == (2, [])
    assert bare.instance(named(bare, "a")).replace_at == bare.house.clock.now()
    lose(bare, "b")
    assert len(brakes(bare)) == 1
    assert bare.instance(named(bare, "b")).replace_at is None
    assert said(bare, service, HELD.format(2, 2)) == 1


def test_a_wave_holds_and_its_end_lets_go(wide):
    service = serving(wide, 12)
    lose(wide, "a", "b")
    assert reached(wide, service) == 12
    lose(wide, "c", "d")
    assert reached(wide, service) < 12
    (brake,) = brakes(wide)
    assert in_seconds(brake.until - brake.created_at) == 900
    assert said(wide, service, HELD.format(3, 6)) == 1
    before = len(wide.tasks(service))
    wide.advance(300)
    assert len(wide.tasks(service)) == before, "nothing is started while it holds"
    return_(wide, "c")
    assert brakes(wide) == [brake]
    return_(wide, "d")
    wide.advance(5)
    assert brakes(wide) == []
    assert reached(wide, service) == 12
    assert said(wide, service, "replaces tasks of lost hosts again: 2 of 6 hosts") == 1


def test_a_hold_is_over_after_a_while_and_then_one_host_a_minute_is_replaced(bare):
    for name in "abcd":
        bare.host(name)
    service = serving(bare, 4)
    lose(bare, "a", "b", "c")
    assert reached(bare, service) == 1, "the first was lost a moment before it was a wave"
    for length, count in ((899, 1), (1, 2), (59, 2), (1, 3), (59, 3), (1, 4)):
        bare.advance(length)
        assert reached(bare, service) == count
    assert said(bare, service, "waited long enough for the lost host") == 3
    assert not brakes(bare), "all had their turn: the next wave is held for its own time"


def test_a_hold_outlives_the_server_and_ends_in_time(bare):
    for name in "abc":
        bare.host(name)
    service = serving(bare, 3)
    lose(bare, "a", "b")
    bare.advance(600)
    bare.restart()
    bare.advance(299)
    assert reached(bare, service) == 1
    bare.advance(1)
    assert reached(bare, service) == 2


def test_a_confirmed_host_is_replaced_also_where_never_two_may_run(bare):
    for name in "abc":
        bare.host(name)
    many, once = serving(bare, 3), serving(bare, 3, "once", configuration=ONCE)
    lose(bare, "a", "b")
    bare.advance(30)
    assert reached(bare, once) == 1
    request = ConfirmHostLostRequest(host="a")
    answer = bare.house.run(confirm_host_lost, request)
    bare.settle()
    assert (answer.host.state, answer.service_tasks, answer.other_tasks) == ("LOST", 2, 0)
    assert reached(bare, once) == 2
    assert reached(bare, many) == 3, "one lost host is no wave: b is replaced too"
    assert brakes(bare) == []
    return_(bare, "a")
    bare.advance(30)
    assert named(bare, "a").running() == []
    assert bare.instance(named(bare, "a")).confirmed_at is None
    reasons = {task.stopped_reason for task in bare.tasks(once) if task.is_stopped}
    assert reasons == {"The host a was confirmed as lost"}


def test_a_deregistered_host_releases_the_others(bare):
    for name in "abc":
        bare.host(name)
    service = serving(bare, 3)
    lose(bare, "a", "b")
    assert brakes(bare)
    now = bare.house.clock.now()
    bare.change_host(named(bare, "b"), status="INACTIVE", connected=False, deregistered_at=now)
    bare.settle()
    assert brakes(bare) == []
    assert reached(bare, service) == 3


def test_hosts_that_are_cut_off_together_are_held_though_missed_apart(bare):
    for name in "abc":
        bare.host(name)
    service = serving(bare, 3)
    bare.agent(named(bare, "b"), AGENT.doubted, True)
    lose(bare, "a")
    bare.advance(3)
    assert (reached(bare, service), brakes(bare)) == (2, []), "it waits for what becomes of b"
    lose(bare, "b")
    assert brakes(bare)
    return_(bare, "b")
    bare.advance(3)
    assert (reached(bare, service), brakes(bare)) == (3, [])


@pytest.mark.parametrize("doubt", [(AGENT.doubted, True), (AGENT.disconnected, "closed")])
@pytest.mark.parametrize("heard", [True, False])
def test_doubt_delays_a_replacement_only_for_as_long_as_it_lasts(bare, doubt, heard):
    """Whoever is heard again decides nothing himself: of a thousand each would count them all."""
    for name in "abc":
        bare.host(name)
    service = serving(bare, 3)
    bare.agent(named(bare, "b"), *doubt)
    lose(bare, "a")
    bare.advance(2)
    assert reached(bare, service) == 2
    if heard:
        bare.agent(named(bare, "b"), AGENT.doubted, False)
        bare.agent(named(bare, "b"), AGENT.connected, Hello())
        bare.settle()
        assert reached(bare, service) == 2
        bare.advance(1)
    else:
        bare.advance(4)
    assert reached(bare, service) == 3


def test_a_hold_that_ends_in_doubt_leaves_nobody_behind(bare):
    """It ends because one is back, and another that is suspect makes the rest wait once more."""
    for name in "abcde":
        bare.host(name)
    service = serving(bare, 5)
    lose(bare, "a", "b")
    assert brakes(bare)
    bare.agent(named(bare, "c"), AGENT.doubted, True)
    return_(bare, "a")
    assert not brakes(bare)
    assert bare.instance(named(bare, "b")).replace_at is None
    bare.advance(6)
    assert bare.instance(named(bare, "b")).replace_at is not None
    assert reached(bare, service) == 5


def test_a_lost_zone_is_replaced(bare):
    for name, zone in (("a", "x"), ("b", "x"), ("c", "y")):
        bare.host(name, zone=zone)
    service = serving(bare, 3)
    lose(bare, "a", "b")
    assert brakes(bare) == []
    assert reached(bare, service) == 3


def test_a_host_that_an_earlier_program_left_as_lost_is_decided_about(bare):
    for name in "ab":
        bare.host(name)
    service = serving(bare, 2)
    bare.connected.discard(named(bare, "a").arn)
    now = bare.house.clock.now()
    bare.change_host(named(bare, "a"), connected=False, lost_at=now, disconnection="silent")
    bare.settle()
    assert bare.instance(named(bare, "a")).replace_at == now
    assert reached(bare, service) == 2


def test_a_flapping_host_takes_nothing_until_it_has_rested(bare):
    bare.host("a")
    service = serving(bare, 1)
    for _ in range(2):
        lose(bare, "a")
        bare.advance(30)
        return_(bare, "a")
        bare.advance(5)
    until = bare.instance(named(bare, "a")).flapping_until
    assert until is not None
    other = bare.serve("other", 1, bare.define("other"))
    bare.advance(200)
    assert bare.running(other) == []
    assert bare.running(service) == [] or named(bare, "a").running() != []
    bare.advance(105)
    assert bare.instance(named(bare, "a")).flapping_until is None
    assert len(bare.running(other)) == 1


# --- drains with a deadline -----------------------------------------------------------------------


def drained(rig: Rig, name: str, seconds: int, on_timeout: str) -> None:
    request = DrainHostRequest(host=name, deadline_seconds=seconds, on_timeout=on_timeout)
    assert rig.house.run(drain_host, request).host.status == "DRAINING"
    rig.settle()


def test_force_stops_what_nothing_could_replace_at_the_deadline(bare):
    bare.host("a")
    service = serving(bare, 2)
    drained(bare, "a", 600, "force")
    bare.advance(599)
    assert reached(bare, service) == 2
    bare.advance(2)
    assert named(bare, "a").running() == []
    assert said(bare, service, "2 tasks are stopped although too few healthy ones have") == 1
    (reason,) = {task.stopped_reason for task in bare.tasks(service)}
    assert reason == "The deadline of the drain of the host a has passed"
    assert bare.instance(named(bare, "a")).status == "DRAINING"


def test_abandon_takes_the_host_back_at_the_deadline(bare):
    bare.host("a")
    service = serving(bare, 2)
    drained(bare, "a", 600, "abandon")
    bare.advance(601)
    host = bare.instance(named(bare, "a"))
    assert (host.status, host.drain) == ("ACTIVE", None)
    assert reached(bare, service) == 2
    assert said(bare, service, "it is ACTIVE again and keeps them") == 1


def test_a_frozen_service_is_not_forced_before_it_is_thawed(bare):
    bare.host("a")
    service = serving(bare, 1)
    freeze = Freeze(
        account=ACCOUNT,
        region=REGION,
        cluster="default",
        service="",
        cause="operator",
        reason="an audit",
        created_at=bare.house.clock.now(),
    )
    bare.house.write(lambda call: freezes.put(call.tx, freeze))
    drained(bare, "a", 60, "force")
    bare.advance(120)
    assert reached(bare, service) == 1
    bare.house.write(lambda call: freezes.delete(call.tx, freeze))
    bare.advance(in_seconds(FROZEN_LOOK) + 1)
    assert named(bare, "a").running() == []
