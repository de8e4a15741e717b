"""Hosts that fall silent, go, or are thrown out: what becomes of them and of their tasks."""

import time

import pytest

from tests.clients.processes import tell, until
from tests.lab.scene import NEVER_TWO, Scene, since

pytestmark = pytest.mark.lab

DETECTED_SECONDS_MAX = 13.0
ELSEWHERE_SECONDS_MAX = 18.0
HARMLESS_SECONDS = 5.0
SURPLUS_SECONDS_MAX = 5.0  # and the stopTimeout
STOP_TIMEOUT_SECONDS = 2
IGNORES_SIGTERM = {"command": ["/bin/sleep", "86400"], "stopTimeout": STOP_TIMEOUT_SECONDS}


def test_a_host_cut_off_is_found_and_its_tasks_run_elsewhere(scene: Scene):
    """Fault F18, and the first figures of the issue, at the default durations of loss.

    After its start the server gives hosts time to come back; that time is none here.
    """
    lab = scene.lab
    lab.server.restart(suspect_seconds=8, lost_seconds=12, reconnect_window_seconds=0)
    lab.await_connected(3)
    scene.service("web", 6, container=IGNORES_SIGTERM)
    host = lab.hosts[0]
    before, mine = scene.containers(), scene.where("web")["h1"]
    assert mine
    host.cut()
    scene.holds(lambda: scene.containers() == before, HARMLESS_SECONDS, "nothing moves so soon")
    host.heal()
    scene.holds(lambda: scene.containers() == before, 2, "nothing moves after that")
    host.cut()
    began = time.monotonic()
    lab.await_connection(host, there=False, seconds=DETECTED_SECONDS_MAX)
    detected = since(began)
    scene.await_elsewhere("web", 6, host, seconds=ELSEWHERE_SECONDS_MAX - detected)
    elsewhere = since(began)
    gone = {x["connectivity"] for x in lab.tasks(serviceName="web") if x["lastStatus"] == "RUNNING"}
    assert gone == {"CONNECTED", "DISCONNECTED"}
    assert mine == set(host.engine.processes())  # nobody told them to stop
    host.heal()
    began = time.monotonic()
    scene.await_count("web", 6, STOP_TIMEOUT_SECONDS + SURPLUS_SECONDS_MAX)
    tell(f"cut off: detected {detected:.1f} s, elsewhere {elsewhere:.1f} s, "
         f"surplus gone {since(began):.1f} s after the link's return")  # fmt: skip
    lab.steady("web")


def test_a_short_silence_changes_nothing(scene: Scene):
    """Fault F19: a cable that is out for less than `lost_seconds`; no container comes or goes."""
    scene.service("web", 6)
    before = scene.containers()
    scene.lab.hosts[1].cut()
    scene.holds(lambda: scene.containers() == before, 1.5, "all containers as they were")
    scene.lab.hosts[1].heal()
    scene.holds(lambda: scene.containers() == before, 7, "all containers as they were")
    assert all(one["agentConnected"] for one in scene.lab.instances())


def test_an_agent_that_crashes_or_is_upgraded_moves_nothing_within_its_grace(scene: Scene):
    """Closed: 9 s here; a goodbye: 16 s. Nothing is placed there meanwhile; then it is as lost."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    crashed, upgraded = lab.hosts[1], lab.hosts[2]
    crashed.kill("agent")
    upgraded.stop("agent")
    began = time.monotonic()
    for host in (crashed, upgraded):
        lab.await_connection(host, there=False, seconds=4)
    lab.ecs.update_service(service="web", desiredCount=8)
    until(lambda: len(scene.containers()) == 8, 5, "two more run", scene.containers)
    new = scene.containers().keys() - before.keys()
    assert new <= scene.containers(lab.hosts[0]).keys()
    grown = scene.containers()
    scene.holds(lambda: scene.containers() == grown, 7 - since(began), "nothing moves at first")
    scene.await_elsewhere("web", 8, crashed, seconds=12)
    assert 8.5 <= since(began) <= 15
    upgraded.start_agent(lab.server.url)
    lab.await_connection(upgraded, there=True, seconds=10)
    assert since(began) < 16
    assert grown.items() >= scene.containers(upgraded).items()
    crashed.start_agent(lab.server.url)
    lab.await_connection(crashed, there=True, seconds=10)
    scene.await_count("web", 8)


def test_who_may_run_twice_is_replaced_and_who_may_not_waits(scene: Scene):
    """Never two wait for the host, for a person's word, or for their tag; others wait if tagged so."""
    lab, wait = scene.lab, {"moorage:on-host-loss": "wait"}
    replace = {"moorage:on-host-loss": "replace"}
    kinds = {"often": (None, {}), "never-two": (NEVER_TWO, {}),
             "daring": (NEVER_TWO, replace), "patient": (None, wait)}  # fmt: skip
    for name, (bounds, tags) in kinds.items():
        scene.service(name, 3, bounds, tags=tags)
    host = lab.hosts[0]
    before = {name: scene.where(name)["h1"] for name in kinds}
    assert all(before.values())
    host.cut()
    for name in ("often", "daring"):
        scene.await_elsewhere(name, 3, host, seconds=20)
    for name in ("never-two", "patient"):
        gone = [x for x in lab.tasks(serviceName=name) if x["connectivity"] == "DISCONNECTED"]
        assert len(gone) == len(before[name])
        assert {x["lastStatus"] for x in gone} == {"RUNNING"}
        tell(scene.says(name, "h1"))
        assert scene.elsewhere(name, host) == 3 - len(before[name])
    host.heal()
    lab.await_connection(host, there=True, seconds=15)
    for name in kinds:
        scene.await_count(name, 3)
        lab.steady(name)
    for name in ("never-two", "patient"):
        assert scene.where(name)["h1"] == before[name]
    host.cut()
    lab.await_connection(host, there=False, seconds=15)
    tell(scene.ours("host", "confirm-lost", "h1"))
    for name in ("never-two", "patient"):
        scene.await_elsewhere(name, 3, host, seconds=10)


def test_a_host_thrown_out_stops_its_tasks_when_it_is_told(scene: Scene):
    """Deregistered by force while it is cut off; never two are replaced at once, as it was said."""
    lab = scene.lab
    scene.service("single", 6, NEVER_TWO)
    host = lab.hosts[2]
    assert scene.where("single")["h3"]
    host.cut()
    arn = lab.instance(host)["containerInstanceArn"]
    lab.ecs.deregister_container_instance(containerInstance=arn, force=True)
    scene.await_elsewhere("single", 6, host, seconds=10)
    assert host.engine.processes()
    host.heal()
    until(lambda: not host.engine.processes(), 20, "its containers are gone", host.tails)
    lab.rejoin(host)
