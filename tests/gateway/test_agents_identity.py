"""Who may open a host's websockets: the newest key, and the process that registered last."""

import asyncio
import logging

import pytest

from moorage.iam.keys import bind
from moorage.iam.store import access_keys
from tests.gateway.agents_scene import told
from tests.gateway.ground import until


@pytest.mark.parametrize("path", ["/acs/ws", "/tcs/ws"])
def test_a_key_that_was_replaced_opens_nothing_and_is_told_so(path, caplog):
    async def story(scene):
        new = scene.desk.key("host", scene.instance.arn)
        scene.desk.house.write(lambda call: bind(call.tx, new.access_key_id, scene.instance.arn))
        with caplog.at_level(logging.WARNING):
            assert await scene.refused(path=path) == (400, "ReplacedKeyException")
        assert "was replaced" in caplog.text
        scene.key = new
        await scene.opened(path=path)

    told(story)


def test_old_connections_live_on_when_the_key_changes():
    async def story(scene):
        wire = await scene.opened()
        new = scene.desk.key("host", scene.instance.arn)
        scene.desk.house.write(lambda call: bind(call.tx, new.access_key_id, scene.instance.arn))
        await scene.silent(2)
        await asyncio.sleep(0.05)
        assert not any(one["type"] == "websocket.close" for one in wire.sent)
        keys = scene.desk.house.read(
            lambda call: access_keys.of_instance(call.tx, scene.instance.arn)
        )
        assert [one.replaced for one in keys if one.id == scene.key.access_key_id] == [True]

    told(story)


def test_a_second_agent_of_one_identity_is_kept_out_and_the_first_undisturbed(caplog):
    """A machine was cloned (F27); each process of our agent registers with a token of its own."""

    async def story(scene):
        scene.change(client_token="first")
        wire = await scene.opened(clientToken="first")
        with caplog.at_level(logging.WARNING):
            refused = await scene.refused(clientToken="second")
        assert refused == (400, "SecondAgentException")
        assert "second agent" in caplog.text
        assert not any(one["type"] == "websocket.close" for one in wire.sent)
        # The same process, on another connection: the one before has broken unnoticed.
        again = await scene.opened(clientToken="first")
        await until(lambda: any(one["type"] == "websocket.close" for one in wire.sent))
        assert not any(one["type"] == "websocket.close" for one in again.sent)

    told(story)
