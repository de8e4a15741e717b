"""How an agent's engine is, said over and over: what is no news touches no row."""

import pytest

from moorage.acs.telemetry import (
    InstanceStatus,
    PublishHealthRequest,
    PublishInstanceStatusRequest,
    PublishMetricsRequest,
)
from moorage.ecs.agents import AGENT
from moorage.gateway.link import Link
from tests.gateway.link_scene import Scene, told


def a_status(status, **members):
    engine = InstanceStatus(type="ContainerRuntime", status=status, **members)
    return PublishInstanceStatusRequest(statuses=(engine,))


def real(scene: Scene) -> Link:
    """A link with the handlers of the house."""
    return Link(scene.desk.ground, AGENT, scene.instance)


def test_what_is_no_news_is_known_until_a_connection_is_made():
    async def story(scene):
        link = real(scene)
        assert not link.knows(a_status("OK"))
        await link.publish(a_status("OK", last_updated=1.0))
        assert link.knows(a_status("OK", last_updated=2.0))
        assert not link.knows(a_status("IMPAIRED", status_reason="EngineLost: gone"))
        await link.publish(a_status("IMPAIRED", status_reason="EngineLost: gone"))
        assert scene.desk.row(scene.instance.arn).engine_gone_at is not None
        assert not link.knows(a_status("IMPAIRED", status_reason="ContainerStuck: web"))
        assert not link.knows(a_status("OK"))
        link.wake()
        assert link.knows(a_status("IMPAIRED", status_reason="EngineLost: gone"))
        link.published_by(scene.connect().socket, "key")
        assert not link.knows(a_status("IMPAIRED", status_reason="EngineLost: gone"))
        await link.close(1012)

    told(story)


@pytest.mark.parametrize(
    ("message", "known"), [(PublishMetricsRequest(), True), (PublishHealthRequest(), False)]
)
def test_metrics_are_never_kept_and_health_always(message, known):
    async def story(scene):
        assert scene.link.knows(message) is known

    told(story)


def test_what_was_not_kept_is_news_again():
    async def story(scene):
        link = real(scene)
        scene.desk.database.failing = 1
        with pytest.raises(Exception, match="full"):
            await link.publish(a_status("OK"))
        assert not link.knows(a_status("OK"))
        await link.close(1012)

    told(story)
