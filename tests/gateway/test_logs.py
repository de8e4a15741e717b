"""Output for people: who may ask, what is streamed, and that a client which left is noticed."""

import asyncio
import json
from urllib.parse import urlencode

import pytest

from moorage.acs.messages import LogsCancel, LogsChunk, LogsRequest
from moorage.gateway.aws import Door
from moorage.gateway.logs import LogsDoor
from moorage.gateway.output import HostAway, Streams
from moorage.wire.request import Request
from tests.gateway.ground import Desk, until
from tests.house import OTHER, REGION

TASK = f"arn:aws:ecs:{REGION}:111122223333:task/default/" + "a" * 32
INSTANCE = f"arn:aws:ecs:{REGION}:111122223333:container-instance/default/" + "b" * 32
ASKED = {"taskArn": TASK, "instance": INSTANCE, "container": "main"}


class Agents:
    """The hosts, as far as output goes: what they were asked is kept."""

    def __init__(self) -> None:
        self.said = []
        self.streams = Streams(self.said.append)
        self.away = False

    def logs(self, instance, wanted):
        if self.away:
            raise HostAway("The host that has this output is not connected.")
        assert instance == INSTANCE
        return self.streams.open("r", wanted)

    def send(self, data=None, **members):
        self.streams.take(LogsChunk(request_id="r", stream="stdout", data=data, **members))


class Client:
    """ASGI's ends of one request."""

    def __init__(self) -> None:
        self.sent = []
        self.gone = asyncio.Event()
        self.asked = False

    async def receive(self):
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if not self.gone.is_set():  # what is sent to one who left is lost without a word
            self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def lines(self):
        text = b"".join(one["body"] for one in self.sent[1:])
        return [json.loads(line) for line in text.splitlines()]


class Scene:
    def __init__(self) -> None:
        self.desk = Desk()
        self.agents = Agents()
        self.door = LogsDoor(Door(self.desk.ground, ()), self.agents)
        self.client = Client()
        self.key = self.desk.key("root")

    def ask(self, key=None, **members):
        query = urlencode(ASKED | members)
        plain = Request(method="GET", path="/moorage/logs", query=query, headers=(("host", "h"),))
        signed = self.desk.signed(key or self.key, plain, "moorage")
        work = self.door.answer(signed, self.client.receive, self.client.send)
        return asyncio.create_task(work)


def told(story):
    async def run():
        scene = Scene()
        try:
            await story(scene)
        finally:
            scene.desk.close()

    asyncio.run(run())


def test_output_is_streamed_line_by_line_to_its_end():
    async def story(scene):
        task = scene.ask(tail="7")
        await until(lambda: scene.agents.said)
        scene.agents.send(b"one")
        scene.agents.send(b"two", end=True)
        await asyncio.wait_for(task, 5)
        assert scene.client.status == 200
        assert [line["data"] for line in scene.client.lines] == ["b25l", "dHdv"]
        (request,) = scene.agents.said
        assert isinstance(request, LogsRequest)
        assert (request.task_arn, request.container_name) == (TASK, "main")
        assert (request.follow, request.tail_lines) == (False, 7)

    told(story)


def test_a_client_that_left_is_noticed_although_nothing_is_printed():
    """Each `moorage logs -f` that was ended with ctrl-C once kept one of 32 places for ever."""

    async def story(scene):
        task = scene.ask(follow="1")
        await until(lambda: scene.client.sent)
        scene.client.gone.set()
        await asyncio.wait_for(task, 5)
        assert [type(one) for one in scene.agents.said] == [LogsRequest, LogsCancel]

    told(story)


@pytest.mark.parametrize(
    "members",
    [
        {"tail": "x"},
        {"tail": "-1"},
        {"tail": "100001"},
        {"tail": "1" * 5000},
        {"taskArn": "x"},
        {"instance": ""},
        {"container": ""},
        {f"x{number}": "y" for number in range(40)},
    ],
)
def test_what_is_asked_wrongly_is_refused(members):
    async def story(scene):
        await asyncio.wait_for(scene.ask(**members), 5)
        assert scene.client.status == 400
        assert scene.agents.said == []

    told(story)


@pytest.mark.parametrize("kind", ["host", "stranger"])
def test_output_belongs_to_its_account(kind):
    async def story(scene):
        keys = {"host": ("host", INSTANCE), "stranger": ("root", "", OTHER)}
        await asyncio.wait_for(scene.ask(scene.desk.key(*keys[kind])), 5)
        assert scene.client.status == 400
        assert b"AccessDenied" in scene.client.sent[1]["body"]

    told(story)


def test_a_host_that_is_away_is_said_before_anything_is_streamed():
    async def story(scene):
        scene.agents.away = True
        await asyncio.wait_for(scene.ask(), 5)
        assert scene.client.status == 503
        assert b"not connected" in scene.client.sent[1]["body"]

    told(story)


def test_an_error_of_the_host_ends_the_stream():
    async def story(scene):
        task = scene.ask()
        await until(lambda: scene.agents.said)
        scene.agents.streams.fail_all("the host went away")
        await asyncio.wait_for(task, 5)
        assert scene.client.lines == [{"error": "the host went away"}]

    told(story)
