"""Freezes that hold whatever befalls hosts, and what is told of a task that stopped."""

import pytest

from tests.clients.processes import tell, until
from tests.lab.scene import Scene

pytestmark = pytest.mark.lab


def test_a_frozen_service_is_left_as_it_is_until_it_is_thawed(scene: Scene):
    """A container ends and a host is lost: nothing is started, and reports are still accepted."""
    lab = scene.lab
    tasks = scene.service("web", 6)
    scene.service("free", 3)
    scene.ours("freeze", "default/web", "--reason", "moving the rack", "--for", "1h")
    host = lab.hosts[0]
    last = scene.containers(lab.hosts[1])
    container = next(x for x, arn in last.items() if arn in {t["taskArn"] for t in tasks})
    scene.tell_to_end(lab.hosts[1], container)
    lab.stopped(last[container])
    before = scene.where("web")
    host.cut()
    scene.await_elsewhere("free", 3, host, seconds=20)
    lab.ecs.update_service(service="web", desiredCount=8)
    scene.holds(lambda: scene.where("web") == before, 4, "nothing of it moves")
    said = scene.ours("status")
    assert "moving the rack" in said, said
    scene.ours("thaw", "default/web")
    scene.await_elsewhere("web", 8, host, seconds=15)
    host.heal()
    lab.await_connection(host, there=True, seconds=15)
    scene.await_count("web", 8)


def test_a_task_that_stopped_tells_its_story(scene: Scene):
    """The last lines, the exit code, and the chain of causes."""
    lab = scene.lab
    tasks = scene.service("web", 3)
    ran = scene.containers(lab.hosts[0])
    container, arn = next((x, a) for x, a in ran.items() if a in {t["taskArn"] for t in tasks})
    scene.tell_to_end(lab.hosts[0], container)
    lab.stopped(arn)
    until(lambda: "as told" in scene.ours("explain", "task", arn), 15, "its last lines are there",
          lambda: scene.ours("explain", "task", arn))  # fmt: skip
    said = scene.ours("explain", "task", arn)
    tell(said)
    assert "here" in said
    assert "7" in said
    assert "h1" in said
