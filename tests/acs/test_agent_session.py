"""The agent's end of ACS: when it dials, what it takes for silence, how long it waits."""

import pytest

from moorage.acs import agent_session as a
from moorage.acs.codec import Refusal, encode
from moorage.acs.messages import AckRequest, HeartbeatAckRequest, HeartbeatMessage
from moorage.acs.session import (
    CLOSE_SILENT,
    CloseConnection,
    Deliver,
    Dropped,
    FrameReceived,
    SendFrame,
    Tick,
)
from moorage.ground.instant import Moment, hours, minutes, seconds

ZERO = Moment(0)
BEAT = HeartbeatMessage(message_id="h", healthy=True)


def at(count: float) -> Moment:
    return Moment(seconds(count))


@pytest.fixture
def session() -> a.AgentSession:
    """An agent that is connected since 0."""
    session = a.AgentSession()
    assert session.handle(Tick(now=ZERO)) == [a.Dial()]
    assert session.handle(a.Opened(now=ZERO)) == [a.SetTimer(at=at(9))]
    assert session.connected
    return session


def test_it_dials_once_at_a_time():
    session = a.AgentSession()
    assert session.handle(Tick(now=ZERO)) == [a.Dial()]
    assert session.handle(Tick(now=at(1))) == []


def test_what_is_understood_is_delivered_and_puts_silence_off(session):
    done = session.handle(FrameReceived(frame=encode(BEAT), now=at(5)))
    assert done == [a.SetTimer(at=at(14.5)), Deliver(message=BEAT)]
    (dropped,) = session.handle(FrameReceived(frame="{", now=at(6)))
    assert isinstance(dropped, Dropped)
    assert session.handle(Tick(now=at(14.4))) == []
    assert session.handle(Tick(now=at(14.5))) == [
        CloseConnection(code=CLOSE_SILENT),
        a.SetTimer(at=at(14.75)),
    ]
    assert not session.connected
    assert session.handle(FrameReceived(frame=encode(BEAT), now=at(23))) == []
    assert session.handle(a.Closed(now=at(23))) == []


def test_what_is_said_goes_out_only_while_connected(session):
    said = a.Said(message=AckRequest(message_id="m"), now=at(2))
    assert session.handle(said) == [SendFrame(frame=encode(AckRequest(message_id="m")))]
    session.handle(a.Closed(now=at(2)))
    assert session.handle(said) == []


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
def test_it_returns_at_once_after_a_polite_end_or_a_cut(session, code):
    assert session.handle(a.Closed(now=at(2), code=code)) == [a.SetTimer(at=None), a.Dial()]


@pytest.mark.parametrize("code", [1002, 1008, 1012, 4001])
def test_it_waits_after_any_other_code(session, code):
    assert session.handle(a.Closed(now=at(2), code=code)) == [a.SetTimer(at=at(2.25))]
    assert session.handle(Tick(now=at(2.2))) == []
    assert session.handle(Tick(now=at(2.25))) == [a.Dial()]


def test_a_server_that_accepts_and_closes_is_not_pestered(session):
    assert session.handle(a.Closed(now=at(0.9), code=1000)) == [a.SetTimer(at=at(1.15))]


def test_waits_grow_by_half_to_a_bound_with_jitter_on_top():
    session = a.AgentSession()
    waits = []
    for _ in range(40):
        session.handle(Tick(now=Moment(10**12)))
        session.dial_at = None
        (timer,) = session.handle(a.DialFailed(now=ZERO))
        assert isinstance(timer, a.SetTimer)
        waits.append(timer.at)
    assert waits[:4] == [at(0.25), at(0.375), at(0.5625), at(0.84375)]
    assert waits[-1] == seconds(15)
    (timer,) = session.handle(a.DialFailed(now=ZERO, jitter=1.0))
    assert timer == a.SetTimer(at=Moment(seconds(18)))


def test_where_nobody_answers_it_tries_again_within_seconds():
    """What is surplus after a cut is to go soon after the cable is whole."""
    session = a.AgentSession()
    session.failures = 30
    (timer,) = session.handle(a.DialFailed(now=ZERO, unreached=True, jitter=1.0))
    assert timer == a.SetTimer(at=at(2.4))


def test_a_lasting_connection_makes_waits_short_again(session):
    session.failures = 9
    session.handle(a.Closed(now=at(2), code=1012))
    assert session.failures == 1


def test_a_lasting_connection_that_falls_silent_makes_waits_short_again():
    """A host whose cable was cut for long, and whose server then stands still, is soon back."""
    session = a.AgentSession()
    session.failures = 12
    session.handle(Tick(now=ZERO))
    session.handle(a.Opened(now=ZERO))
    assert session.handle(Tick(now=at(9))) == [
        CloseConnection(code=CLOSE_SILENT),
        a.SetTimer(at=at(9.25)),
    ]


def test_a_deregistered_instance_waits_ever_longer_up_to_an_hour():
    session = a.AgentSession()
    session.handle(Tick(now=ZERO))
    refusal = Refusal(name="InactiveInstanceException", text="deregistered")
    waits = []
    for _ in range(9):
        (timer,) = session.handle(a.DialFailed(now=ZERO, refusal=refusal))
        waits.append(timer.at)
    assert waits == [min(Moment(minutes(2**n)), Moment(hours(1))) for n in range(9)]
    other = Refusal(name="AccessDeniedException")
    assert session.handle(a.DialFailed(now=ZERO, refusal=other)) == [a.SetTimer(at=at(0.25))]


def test_both_ends_understand_each_other(session):
    """The agent's answer to a heartbeat is what ends the server's suspicion."""
    from_agent = session.handle(a.Said(message=HeartbeatAckRequest(message_id="h"), now=at(1)))
    assert from_agent == [SendFrame(frame=encode(HeartbeatAckRequest(message_id="h")))]


def test_it_does_not_take_its_place_back_from_another_agent_of_its_identity(session):
    """Two of a cloned machine would else end each other's connections, again and again (F27)."""
    assert session.handle(a.Closed(now=at(2), code=4000)) == [a.SetTimer(at=at(2 + 600))]
    assert session.handle(Tick(now=at(601))) == []
    assert session.handle(Tick(now=at(602))) == [a.Dial()]


@pytest.mark.parametrize("name", ["ReplacedKeyException", "UnrecognizedClientException"])
def test_a_key_that_is_good_for_nothing_is_tried_ever_less(name):
    session = a.AgentSession()
    session.handle(Tick(now=ZERO))
    refused = a.DialFailed(now=ZERO, refusal=Refusal(name=name))
    waits = [session.handle(refused)[0].at for _ in range(9)]
    assert [wait // seconds(60) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert session.handle(a.DialFailed(now=ZERO, refusal=Refusal(name="ServerException"))) == [
        a.SetTimer(at=at(0.25))
    ], "another trouble is another matter"
    session.handle(a.Opened(now=ZERO))
    session.handle(a.Closed(now=ZERO))
    assert session.handle(refused) == [a.SetTimer(at=at(60))]
