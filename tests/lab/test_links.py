"""Links that are cut one way, slow, narrow, lossy, or that break again and again: F21 and F22."""

import pytest

from tests.clients.processes import tell, until
from tests.lab.host import INWARD, OUTWARD
from tests.lab.scene import Scene
from tests.lab.wire import Weather

pytestmark = pytest.mark.lab

LOOKED_SECONDS = 12.0


@pytest.mark.parametrize("way", [OUTWARD, INWARD])
def test_a_link_that_is_cut_one_way_is_a_lost_host(scene: Scene, way: str):
    """A host that hears and is not heard, and one that is heard and does not hear."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[1]
    host.cut(way)
    scene.await_elsewhere("web", 6, host, seconds=25)
    assert host.engine.processes()
    host.heal()
    lab.await_connection(host, there=True, seconds=20)
    scene.await_count("web", 6)


@pytest.mark.parametrize(
    "weather",
    [
        Weather(delay=0.3, jitter=0.2),
        Weather(delay=0.05, rate=125_000),
        Weather(reset_after=(3, 6)),
    ],
    ids=["300 ms, more or less 200", "1 Mbit/s", "reset each 3 to 6 s"],
)
def test_a_bad_link_is_no_lost_host(scene: Scene, weather: Weather):
    """Nothing is replaced; and a service that grows does so there too."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[0]
    host.slow(lab.server.address, weather)
    lab.await_connection(host, there=True, seconds=20)
    before = scene.containers()
    scene.holds(lambda: scene.containers() == before, LOOKED_SECONDS, "nothing moves")
    lab.ecs.update_service(service="web", desiredCount=9)
    until(lambda: len(lab.running("web")) == 9, 60, "nine run", lambda: lab.messages("web")[:5])
    assert before.items() <= scene.containers().items()
    tell(f"{weather}: {len(lab.on(host, 'web'))} of 9 run there")


@pytest.mark.parametrize("hundredths", [10, 30])
def test_lost_packets_are_no_lost_host(scene: Scene, hundredths: int):
    """Of a hundred packets so many are lost, each way; at the durations of loss that are usual."""
    lab = scene.lab
    lab.server.restart(suspect_seconds=8, lost_seconds=12, reconnect_window_seconds=0)
    lab.await_connected(3)
    scene.service("web", 6)
    before = scene.containers()
    host = lab.hosts[0]
    host.lose(hundredths)
    scene.holds(lambda: scene.containers() == before, LOOKED_SECONDS, "nothing moves")
