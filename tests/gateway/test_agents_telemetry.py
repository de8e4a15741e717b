"""Telemetry: kept and acknowledged, or neither; and a host that went without a word."""

import asyncio
import json

from moorage.acs.codec import encode
from moorage.acs.messages import HeartbeatAckRequest
from moorage.acs.telemetry import (
    InstanceStatus,
    InstanceStatusMetadata,
    PublishInstanceStatusRequest,
    PublishMetricsRequest,
    encode_publication,
)
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.link import CLOSE_DEREGISTERED
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


def test_a_second_telemetry_socket_ends_the_first():
    async def story(scene):
        first = await scene.opened(path="/tcs/ws")
        second = await scene.opened(path="/tcs/ws")
        await asyncio.wait_for(first.serving, 5)
        assert first.closed == [4000]
        publish(second, a_status("OK"))
        await until(lambda: second.frames)
        assert second.closed == []

    told(story)


def test_a_deregistered_hosts_telemetry_is_closed_too():
    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        scene.change(status="INACTIVE", connected=False)
        await asyncio.wait_for(wire.serving, 5)
        assert wire.closed == [CLOSE_DEREGISTERED]
        await scene.silent(1)
        assert scene.door._links == {}

    told(story)


def test_an_agent_with_another_key_ends_the_telemetry_of_the_one_before_it():
    """A key that was replaced went on reporting for as long as its socket lived."""

    async def story(scene):
        await scene.opened()
        before = await scene.opened(path="/tcs/ws")
        await scene.opened()
        assert before.closed == [], "the same key may connect again"
        await scene.opened(key=scene.desk.key("host", scene.instance.arn))
        await asyncio.wait_for(before.serving, 5)
        assert before.closed == [4000]

    told(story)


def test_a_silent_hosts_telemetry_ends_with_its_loss():
    async def story(scene):
        wire = await scene.opened(path="/tcs/ws")
        await scene.opened()
        await scene.silent(13)
        await asyncio.wait_for(wire.serving, 5)
        assert wire.closed == [4001]
        await until(lambda: scene.row.loss == "silent")

    told(story)


def test_an_engine_that_is_gone_is_told_by_telemetry_and_loses_the_host_in_time():
    async def story(scene):
        await scene.opened()
        telemetry = await scene.opened(path="/tcs/ws")
        publish(telemetry, a_status("IMPAIRED"))
        await until(lambda: scene.row.engine_gone_at is not None)
        (link,) = scene.door._links.values()
        for _ in range(61):
            await link.received(1, encode(HeartbeatAckRequest(message_id="h")))
            await scene.silent(1)
        await until(lambda: scene.row.lost_at is not None)
        assert (scene.row.loss, scene.row.connected) == ("engine", True)
        publish(telemetry, a_status("OK"))
        await until(lambda: scene.row.lost_at is None)
        assert (scene.row.engine_gone_at, scene.row.connected) == (None, True)

    told(story)
