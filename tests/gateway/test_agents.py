"""The agents' websockets: who may open one, what becomes of it, and of the host behind it."""

import asyncio

import pytest

from moorage.acs.codec import encode
from moorage.acs.messages import LogsChunk, LogsRequest
from moorage.ecs.agents import AGENT
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.aws import Door
from moorage.gateway.link import CLOSE_DEREGISTERED
from moorage.gateway.logs import LogsWanted
from moorage.gateway.output import HostAway
from moorage.ground.instant import hours
from moorage.sql.transaction import Change, StoreFailed
from tests.gateway.agents_scene import cut, shown, told
from tests.gateway.ground import Desk, until

# --- handshakes -----------------------------------------------------------------------------------


def test_a_host_connects_and_is_told_its_manifest():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: [type(one).__name__ for one in shown(wire)] == ["TaskManifestMessage"])
        assert (scene.row.connected, scene.row.agent_version) == (True, "1.0")

    told(story)


def test_a_wrong_path_and_a_missing_signature_are_refused():
    async def story(scene):
        assert await scene.refused(path="/other/ws") == (400, "BadRequestException")
        assert await scene.refused(key=False) == (400, "AccessDeniedException")
        too_many = {f"x{number}": "y" for number in range(100)}
        assert await scene.refused(**too_many) == (400, "AccessDeniedException")

    told(story)


@pytest.mark.parametrize("kind", ["operator", "root", "host", "another"])
def test_nobody_speaks_for_a_host_but_its_own_key(kind):
    async def story(scene):
        other = scene.desk.instance("host-2")
        keys = {"another": ("host", other.arn)}
        key = scene.desk.key(*keys.get(kind, (kind, "")))
        for path in ("/acs/ws", "/tcs/ws"):
            assert await scene.refused(key=key, path=path) == (400, "AccessDeniedException")
        assert not scene.row.connected

    told(story)


def test_a_deregistered_host_is_told_so():
    async def story(scene):
        scene.change(status="INACTIVE")
        assert await scene.refused() == (400, "InactiveInstanceException")

    told(story)


def test_a_database_in_trouble_is_no_verdict_on_the_host():
    """A full disk once told agents that their keys were not theirs."""

    async def story(scene):
        scene.desk.database.broken = StoreFailed("The disk is full.")
        assert await scene.refused() == (503, "ServerException")
        scene.desk.database.broken = None
        await scene.opened()

    told(story)


# --- connections ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "how"), [(1000, "goodbye"), (1001, "goodbye"), (1006, "closed"), (4001, "silent")]
)
def test_an_agent_goes(code, how):
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: scene.row.connected)
        cut(wire, code)
        await until(lambda: not scene.row.connected)
        assert scene.row.disconnection == how
        await asyncio.wait_for(wire.serving, 5)

    told(story)


def test_a_second_connection_replaces_the_first_that_nobody_noticed_dead():
    async def story(scene):
        first = await scene.opened()
        second = await scene.opened()
        await asyncio.wait_for(first.serving, 5)
        assert first.closed == [4000]
        await until(lambda: shown(second))
        assert scene.row.connected
        assert second.closed == []

    told(story)


def test_an_agent_that_reads_nothing_any_more_is_lost_and_its_connection_ends():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: scene.row.connected)
        wire.blocked.clear()
        await scene.silent(13)
        await until(lambda: scene.row.lost_at is not None)
        await asyncio.wait_for(wire.serving, 8)

    told(story)


def test_a_lost_hosts_link_makes_way_and_the_host_may_come_back():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: scene.row.connected)
        await scene.silent(13)
        await until(lambda: scene.row.lost_at is not None)
        await asyncio.wait_for(wire.serving, 5)
        await scene.silent(1)
        assert scene.door._links == {}
        wire = await scene.opened()
        await until(lambda: scene.row.connected)
        assert scene.row.lost_at is None
        await until(lambda: shown(wire))

    told(story)


def test_one_hosts_trouble_stops_no_other():
    async def story(scene):
        class Cursed:
            is_over, look_at = False, 0

            def take(self, _):
                raise AssertionError("a bug")

            async def close(self, _):
                return

        scene.door._links = {"arn:cursed": Cursed(), **scene.door._links}
        wire = await scene.opened()
        await until(lambda: wire.frames)
        before = len(wire.frames)
        await scene.silent(6)
        await until(lambda: len(wire.frames) > before, "a heartbeat")

    told(story)


def test_hosts_of_an_earlier_server_have_time_to_return():
    async def story(scene):
        await scene.door.close()
        lost = scene.desk.instance("lost", lost_at=scene.desk.clock.now())
        gone = scene.desk.instance("gone", status="INACTIVE")
        scene.change(connected=True)
        again = AgentsDoor(scene.desk.ground, Door(scene.desk.ground, ()), AGENT)
        await again.begin()
        assert not scene.row.connected, "nobody decides before that is written"
        assert scene.row.disconnection == "closed"
        assert set(again._links).isdisjoint({lost.arn, gone.arn})
        assert scene.row.lost_at is None
        scene.desk.clock.advance(hours(1))
        await again.tick()
        assert scene.row.lost_at is None, "time in which this server slept counts for nothing"
        await again.close()

    told(story)


def test_a_server_that_starts_on_a_full_disk_keeps_who_is_away_later():
    async def story(scene):
        await scene.door.close()
        scene.change(connected=True)
        again = AgentsDoor(scene.desk.ground, Door(scene.desk.ground, ()), AGENT)
        scene.desk.database.failing = 1
        await again.begin()
        assert scene.row.connected
        await until(lambda: not scene.row.connected)
        await again.close()

    told(story)


def test_an_agent_that_is_faster_than_the_start_stays_connected():
    async def story(scene):
        await scene.door.close()
        scene.change(connected=True)
        scene.door = AgentsDoor(scene.desk.ground, Door(scene.desk.ground, ()), AGENT)
        starting = asyncio.create_task(scene.door.begin())
        scene.desk.database.hold()
        wire = await scene.opened()
        await asyncio.sleep(0.02)
        scene.desk.database.release()
        await starting
        await until(lambda: shown(wire))
        assert scene.row.connected
        await scene.silent(13)
        await until(lambda: scene.row.loss == "silent", "it is watched as any other")

    told(story)


def test_a_change_of_a_host_reaches_its_link_from_any_thread():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: shown(wire))
        change = Change(kind="instance", key=scene.instance.arn)
        writes = scene.desk.database.writes
        await asyncio.to_thread(scene.door.changed, [change, Change(kind="task", key="x")])
        await until(lambda: scene.desk.database.writes == writes + 1)

    told(story)


def test_a_host_that_is_deregistered_while_connected_is_sent_away():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: shown(wire))
        scene.change(status="INACTIVE")
        await until(lambda: wire.closed)
        assert wire.closed == [CLOSE_DEREGISTERED]
        await asyncio.wait_for(wire.serving, 5)
        assert await scene.refused() == (400, "InactiveInstanceException")
        (link,) = scene.door._links.values()
        await until(lambda: link.is_over)
        await scene.silent(1)
        assert scene.door._links == {}

    told(story)


def test_a_commit_after_the_servers_end_wakes_nobody():
    desk = Desk()
    door = AgentsDoor(desk.ground, Door(desk.ground, ()), AGENT)

    async def begin():
        await door.begin()
        await door.close()

    asyncio.run(begin())
    door.changed([Change(kind="instance", key="x")])
    desk.close()


# --- output ---------------------------------------------------------------------------------------


def test_output_of_a_host_that_is_away_is_refused():
    async def story(scene):
        wanted = LogsWanted(instance=scene.instance.arn, task="t", container="main")
        with pytest.raises(HostAway):
            scene.door.logs(scene.instance.arn, wanted)
        cut(await scene.opened())
        await until(lambda: scene.row.disconnected_at is not None)
        with pytest.raises(HostAway):
            scene.door.logs(scene.instance.arn, wanted)

    told(story)


def test_output_comes_over_the_link():
    async def story(scene):
        wire = await scene.opened()
        await until(lambda: shown(wire))
        wanted = LogsWanted(instance=scene.instance.arn, task="t", container="main")
        pieces = scene.door.logs(scene.instance.arn, wanted)
        await until(lambda: isinstance(shown(wire)[-1], LogsRequest))
        request = shown(wire)[-1]
        for chunk in (
            LogsChunk(request_id="another", data=b"not mine"),
            LogsChunk(request_id=request.request_id, stream="stderr", data=b"hello"),
            LogsChunk(request_id=request.request_id, end=True),
        ):
            wire.say({"type": "websocket.receive", "text": encode(chunk)})
        assert [one.data async for one in pieces] == [b"hello", None]

    told(story)
