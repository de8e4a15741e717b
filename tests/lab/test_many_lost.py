"""More hosts lost at once than can be true: the brake; and a zone, which can."""

import pytest

from tests.clients.processes import tell
from tests.lab.scene import Scene

pytestmark = pytest.mark.lab

HELD_SECONDS = 4.0


def test_replacement_holds_when_too_many_are_lost_at_once(scene: Scene):
    """Fault F24: two of three hosts, of both zones; nothing moves until one is back or confirmed."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    lost = lab.hosts[:2]
    for host in lost:
        host.cut()
    for host in lost:
        lab.await_connection(host, there=False, seconds=15)
    tell(scene.says("web", "hosts"))
    scene.holds(lambda: scene.containers() == before, HELD_SECONDS, "nothing is replaced")
    tell(scene.ours("status"))
    lost[1].heal()
    lab.await_connection(lost[1], there=True, seconds=15)
    scene.await_elsewhere("web", 6, lost[0], seconds=10)
    lost[0].heal()
    lab.await_connection(lost[0], there=True, seconds=15)
    scene.await_count("web", 6)


def test_a_person_releases_what_is_held(scene: Scene):
    """Two of three again; each is confirmed as lost, and its tasks run on the one that is left."""
    lab = scene.lab
    scene.service("web", 6)
    lost = lab.hosts[:2]
    for host in lost:
        host.cut()
    for host in lost:
        lab.await_connection(host, there=False, seconds=15)
    for host in lost:
        tell(scene.ours("host", "confirm-lost", host.name))
    scene.await_elsewhere("web", 6, *lost, seconds=10)


def test_a_whole_zone_does_not_hold_it(scene: Scene):
    """Two of three hosts again, but they are all of their zone and the other zone is whole."""
    lab = scene.lab
    scene.service("web", 6)
    lost = lab.hosts[1:]
    for host in lost:
        host.cut()
    scene.await_elsewhere("web", 6, *lost, seconds=25)
