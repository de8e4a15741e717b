"""Links that are cut one way, slow, narrow, lossy, or that break again and again: F21 and F22."""

import pytest

from tests.clients.processes import tell, until
from tests.lab.host import INWARD, OUTWARD
from tests.lab.scene import Scene
from tests.lab.wire import Weather

pytestmark = pytest.mark.lab

LOOKED_SECONDS = 13.0


def test_a_link_that_is_cut_one_way_is_a_lost_host(scene: Scene):
    """One host hears and is not heard, the other is heard and does not hear; they are one zone."""
    lab = scene.lab
    scene.service("web", 6)
    unheard, deaf = lab.hosts[1:]
    unheard.cut(OUTWARD)
    deaf.cut(INWARD)
    scene.await_elsewhere("web", 6, unheard, deaf, seconds=30)
    for host in (unheard, deaf):
        assert host.engine.processes()
        host.heal()
    for host in (unheard, deaf):
        lab.await_connection(host, there=True, seconds=20)
    scene.await_count("web", 6)


def test_bad_links_are_no_lost_hosts(scene: Scene):
    """Slow and narrow, reset again and again, and lossy: each host has another, at usual durations.

    Nothing is replaced; and a service that grows does so on all of them.
    """
    lab = scene.lab
    lab.server.restart(suspect_seconds=8, lost_seconds=12, reconnect_window_seconds=0)
    lab.await_connected(3)
    scene.service("web", 6)
    slow, broken, lossy = lab.hosts
    slow.slow(lab.server.address, Weather(delay=0.3, jitter=0.2, rate=125_000))
    broken.slow(lab.server.address, Weather(reset_after=(3, 6)))
    lossy.lose(20)
    before = scene.containers()
    scene.holds(lambda: scene.containers() == before, LOOKED_SECONDS, "nothing moves")
    lab.ecs.update_service(service="web", desiredCount=12)
    until(lambda: len(lab.running("web")) == 12, 60, "twelve run", lambda: lab.messages("web")[:5])
    assert before.items() <= scene.containers().items()
    tell(f"on bad links: {[len(lab.on(host, 'web')) for host in lab.hosts]}")
