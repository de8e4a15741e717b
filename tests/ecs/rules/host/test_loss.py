"""What is written of a host that goes, is lost, returns; flapping; what is said of its engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs.telemetry import InstanceStatus, PublishInstanceStatusRequest
from moorage.ecs.rules.host.engine import engine_gone
from moorage.ecs.rules.host.flapping import flapping_until, with_loss
from moorage.ecs.rules.host.loss import ending_of, expects, gone, lost, return_window, returned
from moorage.ground.instant import Instant, later, minutes, seconds
from tests.ecs.rules.builders import NOW, an_instance

WINDOW, REST = minutes(10), minutes(5)


def after(count: float) -> Instant:
    return later(NOW, seconds(count))


def back(instance, count: float):
    return returned(instance, WINDOW, REST, after(count))


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (1000, "goodbye"),
        (1001, "goodbye"),
        (4001, "silent"),
        (1006, "closed"),
        (1005, "closed"),
        (4000, "closed"),
        (None, "closed"),
        ("1000", "closed"),
    ],
)
def test_close_codes(code, how):
    assert ending_of(code) == how


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"connected": True}, True),
        ({"connected": False, "disconnection": "closed"}, True),
        ({"connected": False, "disconnection": "goodbye", "lost_at": NOW}, False),
        ({"connected": True, "lost_at": NOW, "loss": "engine"}, True),
        ({"connected": False}, False),
        ({"connected": False, "connected_at": NOW}, True),
        ({"connected": True, "status": "INACTIVE"}, False),
        ({"connected": True, "status": "DRAINING"}, True),
    ],
)
def test_a_server_that_starts_waits_for_those_that_may_come(members, expected):
    assert expects(an_instance(**members)) is expected


@pytest.mark.parametrize(
    ("members", "window"),
    [
        ({"connected": True}, 60),
        ({"connected": False, "disconnection": "closed", "disconnected_at": NOW}, 60),
        ({"connected": False, "disconnection": "goodbye", "disconnected_at": NOW}, 300),
        ({"connected": False, "disconnection": "goodbye", "disconnected_at": after(-100)}, 200),
        ({"connected": False, "disconnection": "goodbye", "disconnected_at": after(-290)}, 60),
        ({"connected": False, "disconnection": "goodbye", "disconnected_at": after(9999)}, 300),
    ],
)
def test_it_waits_the_window_or_what_is_left_of_a_goodbye(members, window):
    found = return_window(an_instance(**members), seconds(60), seconds(300), NOW)
    assert found == seconds(window)


def test_gone_is_not_lost():
    host = gone(an_instance(suspect=True), "goodbye", NOW)
    assert (host.connected, host.suspect, host.lost_at) == (False, False, None)
    assert (host.disconnection, host.disconnected_at) == ("goodbye", NOW)
    assert gone(host, "closed", after(1)) == host


def test_lost_by_silence_is_disconnected_too_and_without_its_engine_it_is_not():
    silent = lost(an_instance(suspect=True), "silent", NOW)
    assert (silent.connected, silent.disconnection, silent.disconnected_at) == (
        False,
        "silent",
        NOW,
    )
    assert (silent.lost_at, silent.loss, silent.losses) == (NOW, "silent", (NOW,))
    assert silent.replace_at is None, "that is the brake's to say"
    engine = lost(an_instance(engine_gone_at=NOW), "engine", NOW)
    assert (engine.connected, engine.lost_at) == (True, NOW)
    away = lost(gone(an_instance(), "goodbye", NOW), "away", after(300))
    assert (away.disconnection, away.disconnected_at, away.lost_at) == ("goodbye", NOW, after(300))


def test_a_host_is_lost_once_whatever_else_befalls_it():
    engine = lost(an_instance(engine_gone_at=NOW), "engine", NOW)
    silent = lost(engine, "silent", after(60))
    assert (silent.lost_at, silent.loss, silent.losses) == (NOW, "silent", (NOW,))
    assert not silent.connected


def test_a_return_takes_everything_back_but_the_memory():
    host = lost(an_instance(), "silent", NOW)
    host = back(an_instance(losses=host.losses, lost_at=NOW, replace_at=NOW, confirmed_at=NOW), 60)
    assert (host.lost_at, host.loss, host.replace_at, host.confirmed_at) == (None,) * 4
    assert (host.losses, host.flapping_until) == ((NOW,), None)
    assert back(host, 90) == host


def test_twice_lost_is_flapping():
    host = back(lost(an_instance(), "silent", NOW), 60)
    again = back(lost(host, "silent", after(600)), 700)
    assert again.flapping_until == after(700 + 300)
    later_on = back(lost(host, "silent", after(601)), 700)
    assert later_on.flapping_until is None


def test_without_its_engine_a_host_does_not_return():
    host = lost(an_instance(engine_gone_at=NOW), "silent", NOW)
    host = back(host, 60)
    assert (host.lost_at, host.loss) == (NOW, "engine")
    whole = back(an_instance(lost_at=NOW, loss="engine", losses=(NOW,)), 90)
    assert whole.lost_at is None


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_flapping_is_told_by_the_newest_two_losses_alone(gaps):
    losses: tuple[Instant, ...] = ()
    now = NOW
    for gap in gaps:
        now = later(now, seconds(gap))
        losses = with_loss(losses, now)
        assert len(losses) <= 2
        assert losses[-1] == now
    found = flapping_until(losses, WINDOW, REST, now)
    assert (found is not None) == (len(gaps) > 1 and gaps[-1] <= 600)
    assert found in {None, later(now, REST)}


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ((), None),
        ((("ContainerRuntime", "IMPAIRED"),), True),
        ((("ContainerRuntime", "OK"),), False),
        ((("ContainerRuntime", "INITIALIZING"),), None),
        ((("ContainerRuntime", "INSUFFICIENT_DATA"),), None),
        ((("Else", "IMPAIRED"),), None),
        ((("ContainerRuntime", None),), None),
        ((("ContainerRuntime", "IMPAIRED"), ("ContainerRuntime", "OK")), False),
    ],
)
def test_what_is_said_of_the_engine(statuses, said):
    message = PublishInstanceStatusRequest(
        statuses=tuple(InstanceStatus(type=kind, status=status) for kind, status in statuses)
    )
    assert engine_gone(message) is said
    assert engine_gone(PublishInstanceStatusRequest()) is None
