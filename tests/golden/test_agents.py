"""The version before speaks with this one, in both directions: what it said is read and answered.

`agents/COMMIT/` holds what server and agent of that commit said to each other: `api.json` the calls
and `handshakes.json` the queries, `acs.jsonl` and `tcs.jsonl` the frames, as a proxy between the two
recorded them, and one of each message that did not come by, made by that commit's own encoder.
A file is never changed. When a version is released, its own folder is added, and that of the version
before the last one is dropped.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moorage.acs import agent_session, session, telemetry
from moorage.acs.codec import Unreadable, decode_from_agent, decode_from_server
from moorage.acs.messages import AckRequest, HeartbeatAckRequest, NackRequest
from moorage.acs.session import Deliver, Dropped, FrameReceived, SendFrame
from moorage.agent.engine.instructions import SendMessage
from moorage.agent.session.respond import respond
from moorage.ecr.api import ECR
from moorage.ecs.api import ECS
from moorage.gateway.compose import own_api
from moorage.ground.instant import Moment
from moorage.kernel.perform import check
from moorage.wire import json11
from tests.builders import EcsHouse
from tests.gateway.agents_scene import cut, shown, told
from tests.gateway.ground import until

FOLDER = Path(__file__).parent / "agents" / "f4e637b"
APIS = {one.target: one for one in (ECS, ECR, own_api())}
CALLS: list[dict[str, Any]] = json.loads((FOLDER / "api.json").read_text())
HANDSHAKES: dict[str, dict[str, str]] = json.loads((FOLDER / "handshakes.json").read_text())
HERE = Moment(0)


def frames(name: str, direction: str) -> list[str]:
    lines = map(json.loads, (FOLDER / f"{name}.jsonl").read_text().splitlines())
    return [line["frame"] for line in lines if line["direction"] == direction]


def extended(frame: str) -> str:
    """The frame as a later version may say it: with a member that nobody knows here."""
    head, gap, body = frame.rpartition("\r\n\r\n")
    found = json.loads(body)
    found["message"]["saidLater"] = {"of": ["a", "newer", "version"]}
    return f"{head}{gap}{json.dumps(found)}"


def same(read: Any, frame: str) -> bool:
    """Whether what was read, written again, is what was said: nothing of it was lost."""
    said = json.loads(frame.rpartition("\r\n\r\n")[2])["message"]
    return bool(msgspec.json.decode(msgspec.json.encode(read)) == bare(said))


def bare(value: Any) -> Any:
    """Without members that are null, which mean the same as none."""
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if one is not None}
    return [bare(one) for one in value] if isinstance(value, list) else value


def members(value: Any, path: str = "") -> set[str]:
    """The names of all members, with the way to each."""
    if isinstance(value, dict):
        ways = [members(one, f"{path}.{name}") for name, one in value.items()]
        return {f"{path}.{name}" for name in value}.union(*ways)
    if isinstance(value, list):
        return set().union(*(members(one, path) for one in value))
    return set()


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["target"])
def test_every_call_of_the_agent_before_is_read_whole(call: dict[str, Any]) -> None:
    target, _, action = call["target"].partition(".")
    operation = APIS[target].find(action)
    request = json11.decode(json.dumps(call["request"]).encode(), operation.request)
    check(APIS[target], request)
    assert msgspec.json.decode(msgspec.json.encode(request)) == bare(call["request"])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["target"])
def test_every_answer_of_the_server_before_is_read_whole(call: dict[str, Any]) -> None:
    target, _, action = call["target"].partition(".")
    kind = APIS[target].find(action).answer
    later = {**call["response"], "saidLater": {"of": "a newer version"}}
    answer = json11.decode(json.dumps(later).encode(), kind)
    assert msgspec.json.decode(msgspec.json.encode(answer)) == bare(call["response"])


def test_the_agent_before_registers_and_finds_all_that_it_knew_in_the_answer() -> None:
    found = [one for one in CALLS if one["target"].endswith(".RegisterContainerInstance")]
    house = EcsHouse()
    try:
        key = house.host_key("i1")
        for call in found:
            answer = house.ask("RegisterContainerInstance", by=key, **call["request"])
            assert members(call["response"]) <= members(answer)
    finally:
        house.close()


@pytest.mark.parametrize("frame", frames("acs", "server"))
def test_every_message_of_the_server_before_is_read_and_answered(frame: str) -> None:
    message = decode_from_server(frame)
    assert not isinstance(message, Unreadable)
    assert same(message, frame)
    assert decode_from_server(extended(frame)) == message
    response = respond(message)
    # What is not answered at once is answered by the engine, once it is stored, or needs no answer.
    for instruction in response.instructions:
        if isinstance(instruction, SendMessage):
            assert isinstance(instruction.message, AckRequest | HeartbeatAckRequest | NackRequest)
    assert response.events or response.instructions or response.ignored


@pytest.mark.parametrize("frame", frames("acs", "agent"))
def test_every_message_of_the_agent_before_is_read_and_delivered(frame: str) -> None:
    message = decode_from_agent(frame)
    assert not isinstance(message, Unreadable)
    assert same(message, frame)
    assert decode_from_agent(extended(frame)) == message
    server = session.ServerSession(HERE)
    server.handle(session.Connected(connection=1, now=HERE, heartbeat_id="h"))
    done = server.handle(FrameReceived(frame=frame, now=HERE, connection=1))
    assert Deliver(message=message) in done


@pytest.mark.parametrize("frame", frames("tcs", "agent"))
def test_telemetry_of_the_agent_before_is_read(frame: str) -> None:
    found = telemetry.decode_publication(frame)
    assert isinstance(found, telemetry.Published)
    assert same(found.message, frame)
    again = telemetry.decode_publication(extended(frame))
    assert isinstance(again, telemetry.Published)
    assert again.message == found.message


@pytest.mark.parametrize("frame", frames("tcs", "server"))
def test_answers_to_telemetry_of_the_server_before_are_read(frame: str) -> None:
    assert not isinstance(telemetry.decode_answer(frame), Unreadable)
    assert telemetry.decode_answer(extended(frame)) == telemetry.decode_answer(frame)


UNKNOWN = json.dumps({"type": "LaterMessage", "message": {"messageId": "m", "of": "later"}})


def test_an_unknown_message_stays_without_an_answer_and_harms_nothing() -> None:
    """A server may say to an agent of the version before what that one does not know."""
    agent = agent_session.AgentSession()
    agent.handle(session.Tick(now=HERE))
    agent.handle(agent_session.Opened(now=HERE))
    done = agent.handle(FrameReceived(frame=UNKNOWN, now=HERE))
    assert [type(one) for one in done] == [Dropped]
    server = session.ServerSession(HERE)
    server.handle(session.Connected(connection=1, now=HERE, heartbeat_id="h"))
    done = server.handle(FrameReceived(frame=UNKNOWN, now=HERE, connection=1))
    assert not any(isinstance(one, SendFrame | session.CloseConnection) for one in done)
    assert any(isinstance(one, Dropped) for one in done)


@pytest.mark.parametrize("path", HANDSHAKES)
@pytest.mark.parametrize("later", [{}, {"saidLater": "1", "timeline": "x"}])
def test_the_agent_before_is_let_in_and_so_is_the_one_after(
    path: str, later: dict[str, str]
) -> None:
    named = {"containerInstanceArn", "containerInstance"}
    given = {name: one for name, one in HANDSHAKES[path].items() if name not in named}

    async def story(scene: Any) -> None:
        # It registered with a token of its process, and does not name it when it connects.
        scene.change(client_token="t")
        wire = await scene.opened(path=path, **given, **later)
        if path.startswith("/acs"):
            await until(lambda: shown(wire))
        cut(wire)

    told(story)
