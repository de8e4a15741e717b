"""One host's link: what is done at once in memory, and what is kept, whatever the database does."""

import asyncio
import contextlib

import pytest

from moorage.acs import session
from moorage.acs.codec import encode
from moorage.acs.messages import (
    AckRequest,
    HeartbeatAckRequest,
    TaskStopVerificationAck,
)
from moorage.acs.telemetry import InstanceStatus, PublishInstanceStatusRequest
from moorage.ecs.controllers.assignments import Outgoing
from moorage.ecs.store import container_instances
from moorage.gateway.link import CLOSE_DEREGISTERED
from moorage.gateway.said import SAID_MAX
from moorage.gateway.websocket import FRAMES_WAITING_MAX, Socket
from moorage.ground.record import evolve
from tests.gateway.ground import Handlers, until
from tests.gateway.link_scene import a_manifest, a_payload, shown, table_of, told

HEARTBEAT = encode(HeartbeatAckRequest(message_id="h"))


def a_status(status):
    engine = InstanceStatus(type="ContainerRuntime", status=status)
    return PublishInstanceStatusRequest(statuses=(engine,))


def test_a_connection_is_declared_and_told_what_it_should_hold():
    async def story(scene):
        scene.handlers.outgoing_now = Outgoing(payloads=(a_payload(1),), manifest=a_manifest(2))
        wire = scene.connect(version="1.7")
        await until(lambda: len(shown(wire)) == 2)
        assert scene.handlers.calls == [("connected", "1.7"), ("outgoing", True)]
        assert [one.message_id for one in shown(wire)] == ["p1", "m2"]

    told(story)


def test_a_wake_sends_what_is_new_and_many_wakes_are_one_look():
    async def story(scene):
        wire = scene.connect()
        await until(lambda: ("outgoing", True) in scene.handlers.calls)
        scene.handlers.outgoing_now = Outgoing(payloads=(a_payload(1),))
        for _ in range(100):
            scene.link.wake()
        await until(lambda: shown(wire))
        assert scene.handlers.calls.count(("outgoing", False)) == 1

    told(story)


def test_a_wake_of_a_host_that_is_away_asks_nothing():
    async def story(scene):
        scene.link.wake()
        await asyncio.sleep(0.05)
        assert scene.handlers.calls == []

    told(story)


@pytest.mark.parametrize("handler", ["connected", "lost", "outgoing", "heard"])
def test_what_the_database_refuses_is_kept_later(handler):
    """A full disk at the wrong moment once left a host unknown until it reconnected."""

    async def story(scene):
        scene.handlers.failing[handler] = 1
        scene.handlers.outgoing_now = Outgoing(payloads=(a_payload(1),), manifest=a_manifest(2))
        wire = scene.connect()
        if handler == "lost":
            scene.silent(13)
        if handler == "heard":
            await scene.said(wire, AckRequest(message_id="p1"))
            await until(lambda: ("outgoing", False) in scene.handlers.calls)
            return
        await until(lambda: scene.handlers.names().count(handler) == 2)
        if handler == "outgoing":
            await until(lambda: len(shown(wire)) == 2)
            assert scene.handlers.calls[-1] == ("outgoing", True)

    told(story)


def test_doubt_is_kept_once_and_so_is_its_end():
    async def story(scene):
        wire = scene.connect()
        await until(lambda: "outgoing" in scene.handlers.names())
        scene.silent(10)
        await until(lambda: ("doubted", True) in scene.handlers.calls)
        await scene.link.received(wire.number, HEARTBEAT)
        await scene.link.received(wire.number, HEARTBEAT)
        await until(lambda: ("doubted", False) in scene.handlers.calls)
        scene.silent(5)
        assert scene.handlers.names().count("doubted") == 2

    told(story)


@pytest.mark.parametrize(("how", "grace"), [("closed", 60), ("goodbye", 300)])
def test_an_agent_that_went_has_its_grace(how, grace):
    async def story(scene):
        wire = scene.connect()
        await until(lambda: "outgoing" in scene.handlers.names())
        scene.silent(5)
        scene.drop(wire, how)
        scene.silent(grace - 1)
        await until(lambda: ("disconnected", how) in scene.handlers.calls)
        assert "lost" not in scene.handlers.names()
        scene.silent(1)
        await until(lambda: ("lost", "away") in scene.handlers.calls)
        await until(lambda: scene.link.is_over)

    told(story)


def test_a_host_without_its_engine_is_lost_and_returns_on_the_same_connection():
    async def story(scene):
        wire = scene.connect()
        for second in range(60):
            await scene.link.publish(a_status("IMPAIRED"))
            await scene.link.received(wire.number, HEARTBEAT)
            scene.silent(1)
            assert ("lost" in scene.handlers.names()) is False or second == 59
        await until(lambda: ("lost", "engine") in scene.handlers.calls)
        assert scene.link.is_connected
        assert not scene.link.is_over
        await scene.link.publish(a_status("INITIALIZING"))
        await scene.link.publish(a_status("OK"))
        await until(lambda: "returned" in scene.handlers.names())
        assert scene.handlers.names().count("connected") == 1

    told(story)


def test_a_lost_host_is_kept_as_lost_and_not_as_merely_away():
    async def story(scene):
        wire = scene.connect()
        scene.silent(13)
        await until(lambda: "lost" in scene.handlers.names() and wire.closed)
        assert "disconnected" not in scene.handlers.names()
        assert wire.closed == [session.CLOSE_SILENT]
        scene.drop(wire)
        await until(lambda: scene.link.is_over)

    told(story)


def test_a_link_is_not_over_before_the_loss_is_kept():
    async def story(scene):
        scene.desk.database.hold()
        scene.silent(13)
        await asyncio.sleep(0.02)
        assert not scene.link.is_over
        scene.desk.database.release()
        await until(lambda: scene.link.is_over)
        assert scene.handlers.names() == ["lost"]

    told(story)


def test_only_the_newest_standing_is_kept():
    async def story(scene):
        scene.desk.database.failing = 1
        scene.drop(scene.connect("1.0"))
        scene.drop(scene.connect("2.0"))
        scene.connect("3.0")
        await until(lambda: "outgoing" in scene.handlers.names())
        assert scene.handlers.calls[0] == ("connected", "3.0")

    told(story)


@pytest.mark.parametrize("how", ["closed", "silent"])
def test_a_connection_that_came_and_went_while_nothing_was_kept_is_kept_as_that(how):
    """Fences count from the end of the last connection: that of the one before is too early."""

    async def story(scene):
        scene.drop(scene.connect("1.0"))
        await until(lambda: "disconnected" in scene.handlers.names())
        scene.handlers.calls.clear()
        scene.desk.database.hold()
        wire = scene.connect("2.0")
        if how == "silent":
            scene.silent(13)
        scene.drop(wire)
        scene.desk.database.release()
        told_last = {"closed": ("disconnected", "closed"), "silent": ("lost", "silent")}[how]
        await until(lambda: told_last in scene.handlers.calls)
        assert scene.handlers.calls == [("connected", ""), told_last]

    told(story)


def test_a_slow_database_delays_no_heartbeat_and_loses_no_host():
    async def story(scene):
        scene.desk.database.hold()
        wire = scene.connect()
        for second in range(30):
            scene.silent(1)
            await asyncio.wait_for(scene.link.received(wire.number, HEARTBEAT), 1)
            if second % 3 == 0:
                await scene.said(wire, AckRequest(message_id=f"a{second}"))
        await until(lambda: len(wire.frames) >= 6, "a heartbeat each five seconds")
        assert wire.closed == []
        scene.desk.database.release()
        await until(lambda: scene.handlers.names().count("heard") == 10)
        assert "lost" not in scene.handlers.names()

    told(story)


def test_signs_of_life_touch_no_row():
    async def story(scene):
        wire = scene.connect()
        await until(lambda: "outgoing" in scene.handlers.names())
        before = scene.desk.database.writes, scene.desk.database.reads
        for _ in range(20):
            scene.silent(7)  # not long enough to be suspect
            await scene.link.received(wire.number, HEARTBEAT)
        assert (scene.desk.database.writes, scene.desk.database.reads) == before

    told(story)


def test_a_host_that_says_more_than_can_be_kept_is_not_read_on():
    async def story(scene):
        scene.desk.database.hold()
        wire = scene.connect()
        for number in range(SAID_MAX):
            await scene.said(wire, AckRequest(message_id=str(number)))
        one_more = asyncio.create_task(scene.said(wire, AckRequest(message_id="last")))
        await asyncio.sleep(0.05)
        assert not one_more.done()
        scene.desk.database.release()
        await until(lambda: scene.handlers.names().count("heard") == SAID_MAX + 1)
        assert one_more.done()

    told(story)


def test_replies_are_sent_and_nonsense_is_dropped():
    async def story(scene):
        scene.handlers.replies = (TaskStopVerificationAck(message_id="m1"),)
        wire = scene.connect()
        for frame in ("", "[", '{"type":"AckRequest","message":' + "[" * 100_000, b"\xff", "{}"):
            await scene.link.received(wire.number, frame)
        await scene.said(wire, AckRequest(message_id="x"))
        await until(lambda: shown(wire))
        assert [one.message_id for one in shown(wire)] == ["m1"]

    told(story)


def test_nonsense_is_told_once_a_connection(caplog):
    async def story(scene):
        for _ in range(2):
            wire = scene.connect()
            for frame in ("", "[", "{}"):
                await scene.link.received(wire.number, frame)

    told(story)
    assert sum("was not understood" in line for line in caplog.messages) == 2


def test_a_second_connection_replaces_the_first():
    async def story(scene):
        first = scene.connect("1.0")
        second = scene.connect("2.0")
        await until(lambda: first.closed)
        assert first.closed == [session.CLOSE_REPLACED]
        scene.drop(first)
        await scene.said(first, AckRequest(message_id="late"))
        await scene.said(second, AckRequest(message_id="now"))
        await until(lambda: "heard" in scene.handlers.names())
        assert scene.link.is_connected
        assert [call[1] for call in scene.handlers.calls if call[0] == "heard"] == ["now"]
        assert "disconnected" not in scene.handlers.names()

    told(story)


def test_a_goodbye_is_told_from_a_cut():
    async def story(scene):
        scene.drop(scene.connect(), "goodbye")
        await until(lambda: "disconnected" in scene.handlers.names())
        assert ("disconnected", "goodbye") in scene.handlers.calls

    told(story)


def test_a_deregistered_host_is_sent_away():
    async def story(scene):
        wire = scene.connect()
        await until(lambda: "outgoing" in scene.handlers.names())

        def deregister(call):
            row = container_instances.get(call.tx, scene.instance.arn)
            container_instances.write(call.tx, evolve(row, status="INACTIVE"))

        scene.desk.house.write(deregister)
        scene.link.wake()
        await until(lambda: wire.closed)
        assert wire.closed == [CLOSE_DEREGISTERED]

    told(story)


def test_a_fault_of_ours_in_one_handler_stops_nothing_else():
    async def story(scene):
        class Broken(Handlers):
            def heard(self, call, arn, message):
                if message.message_id == "bad":
                    raise AssertionError("a bug")
                return super().heard(call, arn, message)

        scene.handlers = Broken()
        scene.link._table = table_of(scene.handlers)
        wire = scene.connect()
        await scene.said(wire, AckRequest(message_id="bad"))
        await scene.said(wire, AckRequest(message_id="good"))
        await until(lambda: ("heard", "good") in scene.handlers.calls)

    told(story)


@pytest.mark.parametrize(("is_kept", "calls"), [(False, [("disconnected", "closed")]), (True, [])])
def test_after_a_restart_a_host_has_time_to_come_back(is_kept, calls):
    async def story(scene):
        scene.link.expect(scene.instance, is_kept=is_kept)
        await until(lambda: scene.handlers.calls == calls)
        scene.silent(59)
        await asyncio.sleep(0.02)
        assert scene.handlers.calls == calls
        scene.silent(1)
        await until(lambda: ("lost", "away") in scene.handlers.calls)

    told(story)


# --- a peer that does not read --------------------------------------------------------------------


def test_a_peer_that_takes_nothing_is_given_up_and_its_host_still_lost():
    """A stopped agent once blocked the link in the middle of a send: it was never lost."""

    async def story(scene):
        wire = scene.connect()
        await until(lambda: wire.frames)
        wire.blocked.clear()
        for number in range(FRAMES_WAITING_MAX + 10):
            wire.socket.frame(str(number))
        assert scene.given_up == 1
        scene.silent(13)
        await until(lambda: "lost" in scene.handlers.names())

    told(story)


def test_frames_of_a_socket_that_failed_are_swallowed():
    async def story(scene):
        async def broken(_):
            raise OSError

        socket = Socket(broken, lambda: None)
        socket.frame("a")
        await asyncio.sleep(0.01)
        socket.frame("b")
        socket.close(1000)
        socket.gone()
        with contextlib.suppress(asyncio.CancelledError):
            await socket._writer

    told(story)
