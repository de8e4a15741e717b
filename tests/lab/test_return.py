"""Hosts that come back: what they keep, what goes, and when they are not trusted."""

import pytest

from tests.clients.processes import tell
from tests.lab.scene import Scene

pytestmark = pytest.mark.lab


def test_an_older_revision_is_always_surplus(scene: Scene):
    """Fault F19: a service is updated while a host is away; what the host brings back is too old."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[0]
    old = scene.where("web")["h1"]
    host.cut()
    scene.await_elsewhere("web", 6, host, seconds=20)
    newer = lab.register("web", {"image": lab.images["shell"], "environment": [
        {"name": "VERSION", "value": "2"}]})  # fmt: skip
    lab.ecs.update_service(service="web", taskDefinition=newer)
    scene.says("web", "has started", 10)
    lab.steady("web")
    new = {x for host in lab.hosts[1:] for x in scene.where("web")[host.name]}
    host.heal()
    lab.await_connection(host, there=True, seconds=15)
    scene.await_count("web", 6)
    after = {x for found in scene.where("web").values() for x in found}
    assert after == new
    assert not after & old


def test_a_host_that_returns_keeps_what_ran_longest(scene: Scene):
    """Nothing distinguishes the tasks but how long they ran: the replacements go."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    host = lab.hosts[1]
    host.cut()
    scene.await_elsewhere("web", 6, host, seconds=20)
    assert len(scene.containers()) > 6
    host.heal()
    lab.await_connection(host, there=True, seconds=15)
    scene.await_count("web", 6)
    assert scene.containers() == before


def test_a_host_that_was_lost_twice_takes_nothing_back(scene: Scene):
    """Flapping: after its second return its tasks are the surplus, and it gets none for a while."""
    lab = scene.lab
    lab.server.restart(flapping_window_seconds=600, flapping_rest_seconds=25)
    lab.await_connected(3)
    scene.service("web", 6)
    host = lab.hosts[0]
    for _ in range(2):
        host.cut()
        scene.await_elsewhere("web", 6, host, seconds=30)
        host.heal()
        lab.await_connection(host, there=True, seconds=15)
        scene.await_count("web", 6)
    tell(scene.ours("host", "list"))
    assert scene.where("web")["h1"] == set()
    lab.ecs.update_service(service="web", desiredCount=8)
    scene.await_count("web", 8)
    assert scene.where("web")["h1"] == set()
