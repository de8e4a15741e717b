"""Telemetry: kept and acknowledged, or neither; and a host that went without a word."""

import asyncio
import json

from moorage.acs.telemetry import (
    InstanceStatus,
    InstanceStatusMetadata,
    PublishInstanceStatusRequest,
    PublishMetricsRequest,
    encode_publication,
)
from moorage.gateway.agents import AgentsDoor
from tests.gateway.agents_scene import told
from tests.gateway.ground import until


class Impatient(AgentsDoor):
    telemetry_silence_seconds_max = 0.1


def a_status(status):
    return PublishInstanceStatusRequest(
        metadata=InstanceStatusMetadata(),
        statuses=(InstanceStatus(type="ContainerRuntime", status=status),),
    )


def publish(wire, message):
    text = encode_publication(message, {"host": "x"})
    wire.say({"type": "websocket.receive", "text": text})


def test_a_publication_is_kept_and_acknowledged_and_nonsense_is_not():
    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        wire.say({"type": "websocket.receive", "text": ""})
        wire.say({"type": "websocket.receive", "bytes": b"[" * 100_000})
        publish(wire, a_status("OK"))
        await until(lambda: wire.frames)
        assert [json.loads(one)["type"] for one in wire.frames] == ["AckPublishInstanceStatus"]
        assert scene.row.runtime_status == "OK"

    told(story)


def test_metrics_are_acknowledged_and_touch_no_row():
    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        before = scene.desk.database.writes, scene.desk.database.reads
        publish(wire, PublishMetricsRequest())
        await until(lambda: wire.frames)
        assert (scene.desk.database.writes, scene.desk.database.reads) == before

    told(story)


def test_a_publication_that_is_not_kept_is_not_acknowledged():
    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        scene.desk.database.failing = 1
        publish(wire, a_status("IMPAIRED"))
        publish(wire, a_status("OK"))
        await until(lambda: wire.frames)
        assert len(wire.frames) == 1
        assert scene.row.runtime_status == "OK"

    told(story)


def test_telemetry_of_a_host_that_went_without_a_word_is_closed():
    """A host whose power failed once left its connection open for as long as the server ran."""

    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        await asyncio.wait_for(wire.serving, 5)
        assert wire.closed == [4001]

    told(story, Impatient)
