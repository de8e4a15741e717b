"""A heartbeat says which one was answered last: so an agent learns that it was heard of, and when."""

from moorage.acs import session as s
from moorage.acs.codec import decode_from_server, encode
from moorage.acs.messages import HeartbeatAckRequest, HeartbeatMessage
from moorage.ground.instant import Moment, seconds


def at(count: float) -> Moment:
    return Moment(seconds(count))


def beats(done: list[s.ServerInstruction]) -> list[tuple[str | None, str | None]]:
    found = [decode_from_server(one.frame) for one in done if isinstance(one, s.SendFrame)]
    return [(one.message_id, one.answered) for one in found if isinstance(one, HeartbeatMessage)]


def answer(session: s.ServerSession, name: str | None, second: float, connection: int = 1) -> None:
    frame = encode(HeartbeatAckRequest(message_id=name))
    session.handle(s.FrameReceived(frame=frame, now=at(second), connection=connection))


def until(session: s.ServerSession, first: int, last: int) -> list[tuple[str | None, str | None]]:
    found = []
    for second in range(first, last + 1):
        found += beats(session.handle(s.Tick(now=at(second), heartbeat_id=f"h{second}")))
    return found


def test_it_names_the_newest_answer_of_this_connection():
    session = s.ServerSession(at(0))
    opened = session.handle(s.Connected(connection=1, now=at(0), heartbeat_id="h0"))
    assert beats(opened) == [("h0", None)]
    assert until(session, 1, 5) == [("h5", None)], "nothing was answered yet"
    answer(session, "h0", 5.1)
    answer(session, None, 5.2)
    assert until(session, 6, 10) == [("h10", "h0")]
    answer(session, "h10", 10.1)
    again = session.handle(s.Connected(connection=2, now=at(11), heartbeat_id="h11"))
    assert beats(again) == [("h11", None)]
    answer(session, "h10", 11.1, connection=1)
    assert until(session, 12, 16) == [("h15", None)], "what an old connection brings is nothing"
