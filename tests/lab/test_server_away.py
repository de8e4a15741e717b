"""The server dies, hangs, is restored from a backup, or is away: what runs goes on (I1, I10, I15)."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.clients.processes import tell, until
from tests.lab.lab import Lab
from tests.lab.scene import Scene, since

pytestmark = pytest.mark.lab

KILLS = 6
AWAY_SECONDS = 30.0
PAUSED_SECONDS = 10.0
ASKERS = 8


class Askers:
    """Clients that register one definition after another; `told` are those that were acknowledged."""

    def __init__(self, lab: Lab, prefix: str) -> None:
        self.told: set[str] = set()
        self.failed: list[str] = []
        self._lab = lab
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(lab.client("ecs"), f"{prefix}-{number}"))
            for number in range(ASKERS)
        ]

    def _ask(self, ecs, family: str) -> None:
        container = {"name": "main", "image": "none", "memory": 16}
        while not self._over.is_set():
            try:
                made = ecs.register_task_definition(family=family, containerDefinitions=[container])
                self.told.add(made["taskDefinition"]["taskDefinitionArn"])
            except (BotoCoreError, ClientError) as error:
                self.failed.append(str(error))
                self._over.wait(0.05)
        ecs.close()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    def lost(self) -> set[str]:
        pages = self._lab.ecs.get_paginator("list_task_definitions").paginate()
        return self.told - {arn for page in pages for arn in page["taskDefinitionArns"]}


def test_a_server_killed_again_and_again_forgets_nothing_it_acknowledged(scene: Scene):
    """Fault F02: SIGKILL at random moments, under load, while a service grows and shrinks."""
    lab = scene.lab
    scene.service("web", 4)
    chance = random.Random(time.time_ns())
    askers = Askers(lab, "kept")
    with askers.at_work():
        for number in range(KILLS):
            wanted = 4 + 3 * (number % 2)
            lab.ecs.update_service(service="web", desiredCount=wanted)
            threading.Event().wait(chance.uniform(0.05, 1.5))
            lab.server.kill()
            lab.server.start()
            assert lab.service("web")["desiredCount"] == wanted
    lab.await_connected(3)
    tell(f"{KILLS} kills, {len(askers.told)} acknowledged, {len(askers.failed)} failed, 0 lost")
    assert askers.told
    assert not askers.lost()
    lab.steady("web")
    scene.await_count("web", 7)


def test_a_server_that_is_told_to_end_cuts_no_request(scene: Scene):
    """Fault F04: SIGTERM during requests and a deployment; what was begun is answered."""
    lab = scene.lab
    scene.service("web", 3)
    before = scene.containers()
    askers = Askers(lab, "polite")
    with askers.at_work():
        until(lambda: len(askers.told) > ASKERS, 20, "requests are under way")
        lab.server.stop()
        lab.server.start()
    cut = [said for said in askers.failed if "Could not connect" not in said]
    assert not cut, cut
    assert not askers.lost()
    lab.await_connected(3)
    assert scene.containers() == before


def test_a_server_that_hangs_takes_no_host_for_lost_when_it_wakes(scene: Scene):
    """Fault F03: SIGSTOP for longer than any host may be silent: its own gap counts for nothing."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    lab.server.pause()
    scene.holds(lambda: scene.containers() == before, PAUSED_SECONDS, "containers run on")
    lab.server.resume()
    lab.await_connected(3)
    scene.holds(lambda: scene.containers() == before, 4, "nothing is replaced")
    assert {x["connectivity"] for x in lab.running("web")} == {"CONNECTED"}


def test_while_the_server_is_away_hosts_heal_fence_and_stop_nothing(scene: Scene):
    """Away for 30 s: no container stops by that; what exits is run again in place; fences hold.

    `healed` ends by itself and is up again before the server is; `left` is tagged not to be healed;
    `fenced` is tagged to be stopped by its host; `quiet` is touched by nobody.
    """
    lab = scene.lab
    tags = {"healed": {}, "left": {"moorage:heal": "off"}, "quiet": {},
            "fenced": {"moorage:fence": "true"}}  # fmt: skip
    tasks = {name: scene.service(name, 3, tags=given) for name, given in tags.items()}
    ran = scene.containers()
    quiet = {x: arn for x, arn in ran.items() if arn in {t["taskArn"] for t in tasks["quiet"]}}
    victims = {}
    lab.server.kill()
    began = time.monotonic()
    for name in ("healed", "left"):
        host = lab_host(scene, tasks[name][0]["taskArn"], ran)
        container = next(x for x, arn in ran.items() if arn == tasks[name][0]["taskArn"])
        victims[name] = host, container
        scene.tell_to_end(host, container)
    host, container = victims["healed"]
    until(lambda: container in host.engine.tasks(), 20, "it runs again", host.tails)
    tell(f"healed in place {since(began):.1f} s after the server went")
    fenced = {t["taskArn"] for t in tasks["fenced"]}
    until(lambda: not fenced & set(scene.containers().values()), 20, "fences hold", host.tails)
    tell(f"fenced {since(began):.1f} s after the server went")
    rest = max(0.1, AWAY_SECONDS - since(began))
    scene.holds(lambda: quiet.items() <= scene.containers().items(), rest, "nothing else stops")
    assert victims["left"][1] not in scene.containers()
    assert quiet.items() <= scene.containers().items()
    lab.server.start()
    lab.await_connected(3)
    for name in tags:
        lab.steady(name)
    now = scene.containers()
    assert quiet.items() <= now.items()
    assert now[container] == tasks["healed"][0]["taskArn"]
    for arn in fenced:
        assert "Fenced" in lab.describe(arn)[0]["stoppedReason"]
    assert lab.describe(tasks["left"][0]["taskArn"])[0]["containers"][0]["exitCode"] == 7


def test_a_fenced_service_is_replaced_only_once_its_host_has_stopped_it(scene: Scene):
    """A host is cut off: at no moment do more of a fenced service run than it desires."""
    lab = scene.lab
    scene.service("fenced", 6, tags={"moorage:fence": "true"})
    host = lab.hosts[0]
    mine = len(lab.on(host, "fenced"))
    assert mine
    host.cut()
    began = time.monotonic()
    until(lambda: not host.engine.processes(), 20, "the host has stopped them", host.tails)
    stopped = since(began)
    scene.await_elsewhere("fenced", 6, host, seconds=40)
    tell(f"fenced: stopped by the host {stopped:.1f} s, elsewhere {since(began):.1f} s")
    assert max(scene.watch.counts("fenced", began)) <= 6
    host.heal()
    lab.await_connection(host, there=True, seconds=15)
    lab.steady("fenced")
    assert max(scene.watch.counts("fenced", began)) <= 6


def test_a_server_restored_from_a_backup_stops_nothing(scene: Scene, tmp_path: Path):
    """Its hosts have seen later than it has: it freezes, adopts what runs, says so, and is thawed."""
    lab = scene.lab
    scene.service("old", 3)
    scene.ours("backup", str(tmp_path / "backup"))
    newer = scene.service("new", 3)
    lab.ecs.update_service(service="old", desiredCount=1)
    scene.await_count("old", 1)
    before = scene.containers()
    lab.server.stop()
    scene.ours("restore", str(tmp_path / "backup"), "--replace")
    scene.watch.forget()
    lab.server.start()
    lab.await_connected(3)
    scene.holds(lambda: scene.containers() == before, 4, "nothing starts, nothing stops")
    tell(scene.ours("status"))
    adopted = {x["taskArn"] for x in lab.tasks() if x["lastStatus"] == "RUNNING"}
    assert {x["taskArn"] for x in newer} <= adopted
    tell(scene.ours("thaw", "default"))
    lab.steady("old")
    scene.await_count("old", 3)
    assert scene.containers().items() >= before.items()
    for task in newer:
        lab.ecs.stop_task(task=task["taskArn"], reason="the test is over")


def lab_host(scene: Scene, arn: str, ran: dict[str, str]):
    """The host whose engine runs a task, without asking the server."""
    ids = {x for x, task in ran.items() if task == arn}
    return next(host for host in scene.lab.hosts if ids & host.engine.tasks().keys())
