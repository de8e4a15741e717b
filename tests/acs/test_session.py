"""The server's end of ACS: heartbeats, resends, manifests, silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs import session as s
from moorage.acs.codec import decode_from_server, encode
from moorage.acs.messages import (
    AckRequest,
    HeartbeatAckRequest,
    HeartbeatMessage,
    LogsCancel,
    PayloadMessage,
    TaskManifestMessage,
)
from moorage.acs.patience import GAP_COUNTED_MAX, HEARTBEAT_PERIOD, Patience
from moorage.ground.instant import Duration, Moment, seconds

ZERO = Moment(0)


def at(count: float) -> Moment:
    return Moment(seconds(count))


def a_payload(number: int) -> PayloadMessage:
    return PayloadMessage(
        message_id=f"p{number}", cluster_arn="c", container_instance_arn="i", seq_num=number
    )


def a_manifest(timeline: int) -> TaskManifestMessage:
    return TaskManifestMessage(
        message_id=f"t{timeline}", cluster_arn="c", container_instance_arn="i", timeline=timeline
    )


def sent(done: list[s.ServerInstruction]) -> list[str]:
    """The ids of the messages that were sent, in order."""
    found = [decode_from_server(one.frame) for one in done if isinstance(one, s.SendFrame)]
    return [getattr(message, "message_id", "") for message in found]


def names(done: list[s.ServerInstruction]) -> list[str]:
    return [type(one).__name__ for one in done]


def connected(session: s.ServerSession, connection: int = 1, now: Moment = ZERO):
    return session.handle(s.Connected(connection=connection, now=now, heartbeat_id="h0"))


def ack(message_id: str, now: Moment = ZERO, connection: int = 1) -> s.FrameReceived:
    frame = encode(AckRequest(message_id=message_id))
    return s.FrameReceived(frame=frame, now=now, connection=connection)


def ticks(session: s.ServerSession, start: float, end: float) -> list[s.ServerInstruction]:
    done: list[s.ServerInstruction] = []
    for second in range(int(start) + 1, int(end) + 1):
        done += session.handle(s.Tick(now=at(second), heartbeat_id=f"h{second}"))
    return done


def test_a_connect_sends_heartbeat_and_payloads_and_wants_a_manifest():
    session = s.ServerSession(ZERO)
    session.handle(s.OutboxChanged(payloads=(a_payload(1), a_payload(2)), now=ZERO))
    done = connected(session)
    assert names(done) == [
        "DeclareConnected",
        "SendFrame",
        "SendFrame",
        "SendFrame",
        "WantManifest",
    ]
    assert sent(done) == ["h0", "p1", "p2"]
    assert done[1] == s.SendFrame(
        frame=encode(HeartbeatMessage(message_id="h0", healthy=True)), connection=1
    )


def test_new_payloads_are_sent_once_and_again_when_overdue():
    session = s.ServerSession(ZERO)
    connected(session)
    assert sent(session.handle(s.OutboxChanged(payloads=(a_payload(1),), now=at(1)))) == ["p1"]
    both = (a_payload(1), a_payload(2))
    assert sent(session.handle(s.OutboxChanged(payloads=both, now=at(2)))) == ["p2"]
    done = session.handle(ack("p1", at(3)))
    assert done == [s.Deliver(message=AckRequest(message_id="p1"))]
    session.handle(s.OutboxChanged(payloads=(a_payload(2),), now=at(3)))
    assert "p2" not in sent(ticks(session, 3, 11))
    assert "p2" in sent(session.handle(s.Tick(now=at(12), heartbeat_id="h")))


def test_payloads_are_resent_on_each_connect_with_the_same_id():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.OutboxChanged(payloads=(a_payload(1),), now=ZERO))
    assert session.handle(s.Disconnected(connection=1, now=ZERO)) == [s.DeclareDisconnected()]
    assert session.handle(s.OutboxChanged(payloads=(a_payload(1), a_payload(2)), now=ZERO)) == []
    assert sent(connected(session, 2)) == ["h0", "p1", "p2"]


def test_a_bounded_number_is_in_flight():
    session = s.ServerSession(ZERO)
    connected(session)
    payloads = tuple(a_payload(n) for n in range(s.PAYLOADS_IN_FLIGHT_MAX + 2))
    done = session.handle(s.OutboxChanged(payloads=payloads, now=ZERO))
    assert len(sent(done)) == s.PAYLOADS_IN_FLIGHT_MAX
    assert sent(session.handle(ack("p0"))) == [f"p{s.PAYLOADS_IN_FLIGHT_MAX}"]


def test_a_manifest_goes_after_the_payloads_of_its_transaction():
    """An agent may report a task that a manifest lists and that it never saw as stopped."""
    session = s.ServerSession(ZERO)
    connected(session)
    offered = s.ManifestOffered(manifest=a_manifest(3), payloads=(a_payload(2),), now=ZERO)
    assert sent(session.handle(offered)) == ["p2", "t3"]


def test_a_manifest_waits_while_payloads_do():
    session = s.ServerSession(ZERO)
    connected(session)
    payloads = tuple(a_payload(n) for n in range(s.PAYLOADS_IN_FLIGHT_MAX + 1))
    offered = s.ManifestOffered(manifest=a_manifest(999), payloads=payloads, now=ZERO)
    assert "t999" not in sent(session.handle(offered))


def test_a_manifest_without_answer_is_wanted_again_so_many_times():
    session = s.ServerSession(ZERO)
    wanted = names(connected(session)).count("WantManifest")
    for second in range(1, 120):
        session.handle(ack("x", at(second)))
        done = session.handle(s.Tick(now=at(second), heartbeat_id="h"))
        wanted += names(done).count("WantManifest")
    assert wanted == s.MANIFEST_TRIES_MAX


def test_an_acknowledged_manifest_is_wanted_again_only_after_long():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.ManifestOffered(manifest=a_manifest(3), payloads=(), now=ZERO))
    session.handle(ack("t3"))
    wanted = []
    for second in range(1, 700):
        session.handle(ack("x", at(second)))
        if s.WantManifest() in session.handle(s.Tick(now=at(second), heartbeat_id="h")):
            wanted.append(second)
    assert wanted[0] == 600


def test_heartbeats_go_out_each_five_seconds():
    session = s.ServerSession(ZERO)
    connected(session)
    beats = []
    for second in range(1, 21):
        session.handle(ack("x", at(second)))
        beats += sent(session.handle(s.Tick(now=at(second), heartbeat_id=f"h{second}")))
    assert beats == ["h5", "h10", "h15", "h20"]


def test_all_hosts_are_asked_in_the_same_tick_so_that_they_are_missed_together():
    sessions = [s.ServerSession(ZERO) for _ in range(3)]
    for second, session in enumerate(sessions, 1):
        connected(session, now=at(second))
    for second in range(4, 21):
        asked = [
            bool(sent(session.handle(s.Tick(now=at(second), heartbeat_id="h"))))
            for session in sessions
        ]
        assert asked == [second % 5 == 0] * 3
        for session in sessions:
            session.handle(ack("x", at(second)))


def test_silence_is_suspect_then_lost():
    session = s.ServerSession(ZERO)
    connected(session)
    assert s.DeclareSuspect() not in ticks(session, 0, 7)
    assert s.DeclareSuspect() in ticks(session, 7, 8)
    assert s.DeclareLost(loss="silent") not in ticks(session, 8, 11)
    done = ticks(session, 11, 12)
    assert done == [
        s.DeclareLost(loss="silent"),
        s.CloseConnection(code=s.CLOSE_SILENT, connection=1),
        s.DeclareDisconnected(),
    ]
    assert ticks(session, 12, 60) == [], "each is said once"
    done = connected(session, 2, at(61))
    assert s.DeclareHeard() in done


def test_any_frame_ends_suspicion():
    session = s.ServerSession(ZERO)
    connected(session)
    ticks(session, 0, 9)
    frame = encode(HeartbeatAckRequest(message_id="h5"))
    done = session.handle(s.FrameReceived(frame=frame, now=at(9), connection=1))
    assert done == [s.DeclareHeard(), s.Deliver(message=HeartbeatAckRequest(message_id="h5"))]
    assert s.DeclareLost(loss="silent") not in ticks(session, 9, 16)


def test_an_instance_that_never_connects_is_lost_too():
    session = s.ServerSession(ZERO)
    assert ticks(session, 0, 20) == [s.DeclareSuspect(), s.DeclareLost(loss="silent")]


def test_time_in_which_the_server_did_not_run_is_no_silence():
    session = s.ServerSession(ZERO)
    connected(session)
    assert s.DeclareLost(loss="silent") not in session.handle(
        s.Tick(now=at(3600), heartbeat_id="h")
    )
    assert s.DeclareLost(loss="silent") in ticks(session, 3600, 3612)


def test_a_second_connection_ends_the_first():
    session = s.ServerSession(ZERO)
    connected(session)
    done = connected(session, 2)
    assert done[0] == s.CloseConnection(code=s.CLOSE_REPLACED, connection=1)
    assert session.handle(ack("x", connection=1)) == [], "the first says nothing any more"
    assert session.handle(s.Disconnected(connection=1, now=ZERO)) == []
    assert names(session.handle(s.Disconnected(connection=2, now=ZERO))) == ["DeclareDisconnected"]


def test_what_is_not_understood_is_dropped_and_still_a_sign_of_life():
    session = s.ServerSession(ZERO)
    connected(session)
    ticks(session, 0, 9)
    done = session.handle(s.FrameReceived(frame="{", now=at(9), connection=1))
    assert names(done) == ["DeclareHeard", "Dropped"]


def test_a_message_is_said_now_or_never():
    session = s.ServerSession(ZERO)
    offered = s.MessageOffered(message=LogsCancel(request_id="r"), now=ZERO)
    assert session.handle(offered) == []
    connected(session)
    assert names(session.handle(offered)) == ["SendFrame"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["connect", "cut", "ack", "tick", "outbox"]), st.integers(0, 9)),
        max_size=60,
    )
)
def test_nothing_is_sent_without_a_connection_and_lost_is_said_once_a_silence(steps):
    session = s.ServerSession(ZERO)
    now, alive, lost = 0, 0, False
    for step, number in steps:
        now += number
        moment = at(now)
        facts = {
            "connect": s.Connected(connection=alive + 1, now=moment, heartbeat_id="h"),
            "cut": s.Disconnected(connection=alive, now=moment),
            "ack": ack(f"p{number}", moment, alive),
            "tick": s.Tick(now=moment, heartbeat_id="h"),
            "outbox": s.OutboxChanged(
                payloads=tuple(a_payload(n) for n in range(number)), now=moment
            ),
        }
        before = session.connection
        done = session.handle(facts[step])
        alive += step == "connect"
        for one in done:
            if isinstance(one, s.SendFrame):
                assert one.connection == session.connection is not None or one.connection == before
            assert not (isinstance(one, s.DeclareLost) and lost)
            lost = (lost or isinstance(one, s.DeclareLost)) and not isinstance(one, s.DeclareHeard)
        assert session.watch.silence >= Duration(0)
        assert lost == (session.loss is not None)
        assert set(session.sent) <= set(session.payloads)


@pytest.mark.parametrize(("suspect_after", "lost_after"), [(1, 2), (2, 12), (8, 12), (60, 4)])
def test_ticks_and_heartbeats_are_often_enough_for_every_bound(suspect_after, lost_after):
    patience = Patience(suspect_after=seconds(suspect_after), lost_after=seconds(lost_after))
    session = s.ServerSession(ZERO, patience)
    assert session.heartbeat_period < patience.lost_after
    assert s.TICK_PERIOD < GAP_COUNTED_MAX < Patience().suspect_after < Patience().lost_after
    assert session.heartbeat_period < patience.suspect_after
    assert session.heartbeat_period <= HEARTBEAT_PERIOD


def test_after_a_cut_or_a_goodbye_a_host_has_its_grace():
    for how, last in (("closed", 60), ("goodbye", 300)):
        session = s.ServerSession(ZERO)
        connected(session)
        ticks(session, 0, 5)
        session.handle(s.Disconnected(connection=1, now=at(5), how=how))
        assert ticks(session, 5, 5 + last - 1) == []
        assert ticks(session, 5 + last - 1, 5 + last) == [s.DeclareLost(loss="away")]
        assert names(connected(session, 2, at(900)))[:2] == ["DeclareConnected", "DeclareHeard"]


def test_a_connection_in_which_nothing_was_heard_gives_no_grace():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.Disconnected(connection=1, now=at(1), how="silent"))
    assert ticks(session, 1, 2) == [s.DeclareSuspect()]
    assert s.DeclareLost(loss="silent") in ticks(session, 2, 6)


def test_an_engine_that_stays_away_loses_the_host_although_it_is_connected():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.EngineSeen(gone=True, now=ZERO))
    done = []
    for second in range(1, 61):
        session.handle(ack("x", at(second)))
        session.handle(s.EngineSeen(gone=True, now=at(second)))
        done += [(second, one) for one in session.handle(s.Tick(now=at(second), heartbeat_id="h"))]
    lost = [(second, one) for second, one in done if isinstance(one, s.DeclareLost)]
    assert lost == [(60, s.DeclareLost(loss="engine"))]
    assert session.connection == 1
    assert session.handle(ack("x", at(61))) == [s.Deliver(message=AckRequest(message_id="x"))]
    assert session.handle(s.EngineSeen(gone=False, now=at(62))) == [s.DeclareHeard()]
    assert session.loss is None


def test_the_dead_connection_of_a_host_that_lost_its_engine_first_is_closed():
    session = s.ServerSession(ZERO, loss="engine", engine_gone=True)
    connected(session)
    done = [one for one in names(ticks(session, 0, 30)) if one not in {"SendFrame", "WantManifest"}]
    assert done == [
        "DeclareSuspect",
        "DeclareLost",
        "CloseConnection",
        "DeclareDisconnected",
    ]
    assert session.loss == "silent"


def test_a_host_that_returns_without_its_engine_is_still_lost():
    session = s.ServerSession(ZERO, loss="silent", engine_gone=True)
    connected(session)
    assert session.loss == "engine"
    session.handle(s.EngineSeen(gone=False, now=ZERO))
    assert session.loss is None


def test_an_agent_that_returns_may_first_say_how_its_engine_is():
    """Docker and the agent are upgraded together: what was said before is old."""
    session = s.ServerSession(ZERO, engine_gone=True)
    connected(session)
    ticks(session, 0, 10)
    session.handle(s.Disconnected(connection=1, now=at(10), how="goodbye"))
    assert ticks(session, 10, 200) == []
    connected(session, 2, at(200))
    assert session.loss is None
    session.handle(s.EngineSeen(gone=False, now=at(210)))
    assert session.loss is None


@pytest.mark.parametrize("code", [s.CLOSE_REPLACED, s.CLOSE_SILENT])
def test_our_codes_make_amazons_agent_wait_before_it_returns(code):
    assert code not in {1000, 1001, 1006, 1011}


def test_an_acknowledged_order_is_not_sent_again_while_that_is_not_kept_yet():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.OutboxChanged(payloads=(a_payload(1),), now=ZERO))
    session.handle(ack("p1"))
    behind = s.OutboxChanged(payloads=(a_payload(1), a_payload(2)), now=ZERO)
    assert sent(session.handle(behind)) == ["p2"]
    session.acknowledged.discard("p1")  # it is kept; the order is given anew later
    assert sent(session.handle(behind)) == ["p1"]


def test_what_is_listed_no_longer_is_not_remembered_as_acknowledged():
    session = s.ServerSession(ZERO)
    connected(session)
    session.handle(s.OutboxChanged(payloads=(a_payload(1),), now=ZERO))
    session.handle(ack("p1"))
    session.handle(s.OutboxChanged(payloads=(), now=ZERO))
    assert session.acknowledged == set()
