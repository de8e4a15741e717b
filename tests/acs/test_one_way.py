"""F21: a cable that is cut in one direction; both ends notice, and both come back when it heals.

The server hears an agent that does not hear it, or the reverse. What counts is an answer: an agent
that goes on talking, and answers nothing, cannot be told what to do.
"""

import pytest

from moorage.acs import session as s
from moorage.acs.agent_session import (
    AgentFact,
    AgentSession,
    Closed,
    Dial,
    DialFailed,
    Opened,
    Said,
)
from moorage.acs.codec import encode
from moorage.acs.messages import HeartbeatAckRequest, HeartbeatMessage, LogsChunk
from moorage.acs.session import Tick
from moorage.ground.instant import Moment, seconds

ZERO = Moment(0)


def at(count: float) -> Moment:
    return Moment(seconds(count))


class Pipe:
    """Both machines and what lies between them; time passes in seconds, each way may be cut."""

    def __init__(self) -> None:
        self.server = s.ServerSession(ZERO)
        self.agent = AgentSession()
        self.now = 0
        self.number = 0
        self.cut_to_agent = self.cut_to_server = False
        self.said: list[tuple[int, s.ServerInstruction]] = []
        self._agent(Tick(now=ZERO))

    def run(self, until: int, chatty: bool = False) -> None:
        while self.now < until:
            self.now += 1
            if chatty and self.agent.connected and not self.cut_to_server:
                chunk = encode(LogsChunk(request_id="r", data=b"x"))
                self._server(s.FrameReceived(frame=chunk, now=at(self.now), connection=self.number))
            self._server(s.Tick(now=at(self.now), heartbeat_id=f"h{self.now}"))
            self._agent(Tick(now=at(self.now)))

    def _server(self, fact: s.ServerFact) -> None:
        for one in self.server.handle(fact):
            self.said.append((self.now, one))
            if self.cut_to_agent:
                continue
            if isinstance(one, s.SendFrame):
                self._agent(s.FrameReceived(frame=one.frame, now=at(self.now)))
            if isinstance(one, s.CloseConnection):
                self._agent(Closed(now=at(self.now), code=one.code))

    def _agent(self, fact: AgentFact) -> None:
        for one in self.agent.handle(fact):
            if isinstance(one, Dial):
                self._dial()
            elif isinstance(one, s.Deliver) and isinstance(one.message, HeartbeatMessage):
                answer = HeartbeatAckRequest(message_id=one.message.message_id)
                self._agent(Said(message=answer, now=at(self.now)))
            elif self.cut_to_server:
                continue
            elif isinstance(one, s.SendFrame):
                frame = s.FrameReceived(frame=one.frame, now=at(self.now), connection=self.number)
                self._server(frame)
            elif isinstance(one, s.CloseConnection):
                how = "silent" if one.code == s.CLOSE_SILENT else "goodbye"
                ended = s.Disconnected(connection=self.number, now=at(self.now), how=how)
                self._server(ended)

    def _dial(self) -> None:
        if self.cut_to_agent or self.cut_to_server:
            self._agent(DialFailed(now=at(self.now)))
            return
        self.number += 1
        self._agent(Opened(now=at(self.now)))
        self._server(s.Connected(connection=self.number, now=at(self.now), heartbeat_id="h"))

    def seen(self, kind: type) -> list[int]:
        return [second for second, one in self.said if isinstance(one, kind)]


@pytest.mark.parametrize("chatty", [False, True])
@pytest.mark.parametrize("way", ["cut_to_agent", "cut_to_server"])
def test_a_one_way_cut_is_noticed_on_both_ends_and_heals(way, chatty):
    """Lost within 13 s of the last answer; where the agent goes on talking, once it gives up."""
    pipe = Pipe()
    pipe.run(30, chatty=chatty)
    setattr(pipe, way, True)
    pipe.run(100, chatty=chatty)
    (lost,) = pipe.seen(s.DeclareLost)
    talks_on = chatty and way == "cut_to_agent"
    assert lost - 30 <= (24 if talks_on else 13)
    assert pipe.server.connection is None
    assert not pipe.agent.connected
    setattr(pipe, way, False)
    pipe.run(120, chatty=chatty)
    assert pipe.agent.connected
    assert pipe.server.loss is None
    pipe.run(300, chatty=chatty)
    assert len(pipe.seen(s.DeclareLost)) == 1, "and it stays"


def test_a_host_that_only_talks_is_no_host():
    """An old agent that keeps the connection and never answers is found out all the same."""
    session = s.ServerSession(ZERO)
    session.handle(s.Connected(connection=1, now=ZERO, heartbeat_id="h0"))
    chunk = encode(LogsChunk(request_id="r", data=b"x"))
    lost = []
    for second in range(1, 40):
        session.handle(s.FrameReceived(frame=chunk, now=at(second), connection=1))
        done = session.handle(s.Tick(now=at(second), heartbeat_id="h"))
        lost += [second for one in done if isinstance(one, s.DeclareLost)]
    assert lost == [24]
