"""A host stays itself: its folder is lost, copied, its key is changed; what runs there runs on."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.place import Place
from tests.clients.processes import Host, Server, let_pass, until
from tests.engine import Engine

pytestmark = [pytest.mark.clients, pytest.mark.engine]

SLEEP = ["/bin/sh", "-c", "sleep 100000"]
WAIT_SECONDS = 40
# Numbers that no other test's hosts on this engine reach: these join without --new-host.
LONE, RESTORED, TWIN = 101, 102, 103


@pytest.fixture(scope="module")
def lone(clients_engine: Engine, folder: Path) -> Iterator[Place]:
    """A server of its own with one host, on which a service of two tasks runs."""
    server = Server(folder / "lone")
    place = Place(server, clients_engine)
    try:
        server.start()
        host = Host(server, clients_engine.socket, LONE, "--cpu", "2048", "--memory", "1024")
        host.is_new = False
        host.start(server.token())
        place.hosts.append(host)
        place.await_connected(1)
        uri = place.repository("tools")
        place.login()
        image = place.push("moorage-test/busybox:1", f"{uri}:1")
        definition = place.register("stays", {"image": image, "command": SLEEP})
        place.ecs.create_service(serviceName="stays", taskDefinition=definition, desiredCount=2)
        place.steady("stays")
        yield place
        place.clear()
    finally:
        place.close()


def mine(place: Place) -> dict[str, str]:
    """The containers of this place's host that run, and when each began."""
    (instance,) = {one["containerInstanceArn"] for one in place.instances()}
    label = f"label=moorage.instance={instance}"
    ids = place.docker("ps", "--quiet", "--no-trunc", "--filter", label).split()
    shown = json.loads(place.docker("inspect", *ids)) if ids else []
    return {one["Id"]: one["State"]["StartedAt"] for one in shown}


def key_of(folder: Path) -> str:
    kept: dict[str, str] = json.loads((folder / "identity.json").read_text())
    return kept["access_key_id"]


def steady(place: Place, before: dict[str, str]) -> None:
    """Nothing was started, stopped, doubled or lost."""
    place.steady("stays")
    assert mine(place) == before
    assert len(place.instances()) == 1
    assert len(place.tasks(desiredStatus="RUNNING")) == 2
    assert place.tasks(desiredStatus="STOPPED") == []


def change_key(place: Place) -> None:
    (host,) = place.hosts
    key = key_of(host.folder)
    place.server.command("host", "rotate-key", host.name)
    until(lambda: key_of(host.folder) != key, 10, "the host has another key", host.tail)


def test_its_key_is_changed_and_its_connection_lives_on(lone: Place) -> None:
    (host,) = lone.hosts
    before, said = mine(lone), len(host.log.read_text())
    change_key(lone)
    steady(lone, before)
    told = host.log.read_text()[said:]
    assert "this host has a new key" in told
    assert "connection to the server has ended" not in told


def test_its_folder_is_lost_and_it_is_the_same_host_at_once(lone: Place) -> None:
    (host,) = lone.hosts
    before = mine(lone)
    (arn,) = {one["containerInstanceArn"] for one in lone.instances()}
    host.kill()
    shutil.rmtree(host.folder)
    began = time.monotonic()
    host.start(lone.server.token())
    until(lambda: f"again as {arn}" in host.tail(), WAIT_SECONDS, "it joined again", host.tail)
    lone.await_connected(1)
    assert time.monotonic() - began < WAIT_SECONDS / 2, "it waits for no patience with the lost"
    steady(lone, before)


def test_its_folder_is_restored_from_before_and_the_key_in_it_is_good_no_more(lone: Place) -> None:
    (host,) = lone.hosts
    before = mine(lone)
    old = Host(lone.server, lone.engine.socket, RESTORED)
    old.folder = host.folder.with_name("restored")
    shutil.copytree(host.folder, old.folder)
    change_key(lone)
    old.start()
    try:
        until(lambda: "was replaced by a newer one" in old.tail(), WAIT_SECONDS, "told", old.tail)
        steady(lone, before)
    finally:
        old.stop()


def test_its_folder_is_copied_and_the_second_agent_waits_until_the_first_is_gone(
    lone: Place,
) -> None:
    (host,) = lone.hosts
    before = mine(lone)
    twin = Host(lone.server, lone.engine.socket, TWIN)
    twin.folder = host.folder.with_name("twin")
    shutil.copytree(host.folder, twin.folder)
    said = len(host.log.read_text())
    twin.start()
    try:
        until(lambda: "machine cloned" in twin.tail(), WAIT_SECONDS, "the twin is told", twin.tail)
        assert "is refused: Another agent" in lone.server.log.read_text()
        # Long enough for whoever would heal, report or take the place of the other.
        let_pass(12)
        steady(lone, before)
        assert host.log.read_text()[said:] == ""
        host.stop()
        until(
            lambda: "connected to the server" in twin.tail(),
            2 * WAIT_SECONDS,
            "the twin is the host now",
            twin.tail,
        )
        lone.await_connected(1)
        steady(lone, before)
    finally:
        twin.stop()
        host.start()
    lone.await_connected(1)
    steady(lone, before)


def test_no_other_machine_takes_its_name(lone: Place) -> None:
    (host,) = lone.hosts
    before = mine(lone)
    other = Host(lone.server, lone.engine.socket, LONE)
    other.folder = host.folder.with_name("other")
    other.log = host.log.with_name("other.log")
    other.start(lone.server.token())
    until(other.ended, WAIT_SECONDS, "it gives up", other.tail)
    assert "is connected to the cluster default already" in other.tail()
    steady(lone, before)
