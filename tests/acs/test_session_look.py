"""A host of which nothing is due is passed over: what it does is what it did when all were asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.acs import session as s
from moorage.acs.codec import encode
from moorage.acs.messages import (
    AckRequest,
    HeartbeatAckRequest,
    LogsChunk,
    PayloadMessage,
    TaskManifestMessage,
)
from moorage.acs.patience import Patience, Uptime
from moorage.ground.instant import Moment, seconds

ZERO = Moment(0)


class Eager(s.ServerSession):
    """Passes over no tick."""

    def _next_look(self, now):
        return now


STEPS = st.tuples(
    st.sampled_from(
        (
            *(*("tick",) * 6, "connect", "closed", "goodbye", "silent", "beat", "ack", "chunk"),
            *("outbox", "manifest", "gone", "well"),
        )
    ),
    st.integers(0, 6),
    st.sampled_from([0.0, 0.4, 0.5, 1.0, 1.9, 3.0, 5.0, 70.0]),
)
PATIENCES = st.sampled_from(
    [
        Patience(),
        Patience(suspect_after=seconds(60), lost_after=seconds(4)),
        Patience(suspect_after=seconds(1), lost_after=seconds(2), engine_grace=seconds(3)),
    ]
)


def a_payload(number):
    return PayloadMessage(
        message_id=f"p{number}", cluster_arn="c", container_instance_arn="i", seq_num=number
    )


def the_fact(step, number, now, connection):
    def frame(message):
        return s.FrameReceived(frame=encode(message), now=now, connection=connection)

    payloads = tuple(a_payload(one) for one in range(number))
    manifest = TaskManifestMessage(message_id="m", cluster_arn="c", container_instance_arn="i")
    facts = {
        "tick": lambda: s.Tick(now=now, heartbeat_id="h"),
        "connect": lambda: s.Connected(connection=connection + 1, now=now, heartbeat_id="h0"),
        "beat": lambda: frame(HeartbeatAckRequest(message_id="h")),
        "ack": lambda: frame(AckRequest(message_id="m" if number == 6 else f"p{number}")),
        "chunk": lambda: frame(LogsChunk(request_id="r", data=b"x")),
        "outbox": lambda: s.OutboxChanged(payloads=payloads, now=now),
        "manifest": lambda: s.ManifestOffered(manifest=manifest, payloads=payloads, now=now),
        "gone": lambda: s.EngineSeen(gone=True, now=now),
        "well": lambda: s.EngineSeen(gone=False, now=now),
    }
    ended = step in {"closed", "goodbye", "silent"}
    return s.Disconnected(connection=connection, now=now, how=step) if ended else facts[step]()


@given(st.lists(STEPS, max_size=80), PATIENCES, st.booleans())
def test_it_makes_no_difference(steps, patience, engine_gone):
    both = [kind(ZERO, patience, engine_gone=engine_gone) for kind in (s.ServerSession, Eager)]
    now, connection = 0.0, 0
    for step, number, passed in steps:
        now += passed
        fact = the_fact(step, number, Moment(seconds(now)), connection)
        connection += step == "connect"
        one, other = (session.handle(fact) for session in both)
        assert one == other


@pytest.mark.parametrize("connected", [True, False])
def test_an_idle_host_is_looked_at_once_a_heartbeat(connected):
    uptime = Uptime(ZERO)
    session = s.ServerSession(ZERO, uptime=uptime)
    if connected:
        session.handle(s.Connected(connection=1, now=ZERO, heartbeat_id="h"))
    looks = 0
    for tick in range(1, 240):
        now = Moment(seconds(tick / 2))
        uptime.passed(now)
        if session.look_at > now:
            continue
        done = session.handle(s.Tick(now=now, heartbeat_id="h"))
        looks += 1
        if any(isinstance(one, s.SendFrame) for one in done):
            answer = encode(HeartbeatAckRequest(message_id="h"))
            session.handle(s.FrameReceived(frame=answer, now=now, connection=1))
            ack = encode(AckRequest(message_id="m"))
            session.handle(s.FrameReceived(frame=ack, now=now, connection=1))
    assert looks <= (60 if connected else 4)
