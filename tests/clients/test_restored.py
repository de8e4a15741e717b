"""A server that comes back with an old database: what runs stays, is shown, and waits for a person."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.place import Place, page
from tests.clients.processes import MOORAGE, ROOT, Server, let_pass, until
from tests.clients.test_backup import backup, moorage

pytestmark = [pytest.mark.clients, pytest.mark.engine]

HELD_SECONDS = 5.0


@pytest.fixture
def own_place(clients_engine, tmp_path) -> Iterator[Place]:
    """A server with two hosts of its own."""
    place = Place(Server(tmp_path / "data"), clients_engine)
    try:
        place.server.start()
        place.add_hosts(2)
        yield place
        place.clear()
    finally:
        place.close()


@pytest.mark.parametrize("told", ["by moorage restore", "by the hosts"])
def test_an_old_database_stops_nothing_and_converges_once_thawed(own_place: Place, folder, told):
    """A backup, then a deployment, a scale up and a new service; then the backup is restored.

    The hosts alone know better where somebody copied files by hand: they tell what they have seen.
    """
    place = own_place
    uri = place.repository("web")
    place.login()
    for version in ("1", "2"):
        place.sample(f"old-sample:{version}", folder / f"old-{version}", version)
        place.push(f"old-sample:{version}", f"{uri}:{version}")
    port = [{"containerPort": 8080}]
    old = place.register("web", {"image": f"{uri}:1", "portMappings": port})
    place.ecs.create_service(serviceName="web", taskDefinition=old, desiredCount=2)
    place.steady("web")
    target = folder / told.replace(" ", "-")
    done = backup(place, target)
    assert done.returncode == 0, done.stderr
    new = place.register("web", {"image": f"{uri}:2", "portMappings": port})
    place.ecs.update_service(service="web", taskDefinition=new, desiredCount=3)
    place.steady("web")
    place.ecs.create_service(serviceName="later", taskDefinition=new, desiredCount=1)
    place.steady("later")
    until(lambda: len(place.containers()) == 4, 20, "four containers", place.containers)
    before = place.containers()
    known = {task["taskArn"] for task in place.tasks()}
    place.server.stop()
    data = str(place.server.data)
    done = moorage("restore", str(target), "--data", data, "--replace")
    assert done.returncode == 0, done.stderr
    if told == "by the hosts":
        (place.server.data / "RESTORED").unlink()
    place.server.start()
    place.await_connected(2)
    until(
        lambda: known <= {task["taskArn"] for task in place.tasks() if _runs(task)},
        10,
        "what runs is adopted",
        place.story,
    )
    let_pass(HELD_SECONDS)
    assert place.containers() == before
    [alone] = [task for task in place.tasks() if task["group"] == "service:later"]
    assert "startedBy" in alone
    status = " ".join(place.server.command("status").split())
    assert "restored from" in status
    looked = subprocess.run(
        [*MOORAGE, "doctor", "--data", data], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "frozen are the clusters default" in " ".join(looked.stdout.split())
    assert any("has adopted" in text for text in place.messages("web"))
    place.server.command("thaw", "default")
    place.steady("web")
    until(lambda: len(place.containers()) == 3, 30, "surplus goes", place.containers)
    assert all("version 1" in (page(task) or "") for task in place.running("web"))
    assert len(place.running("web")) == 2
    place.ecs.stop_task(task=alone["taskArn"])
    assert place.stopped(alone["taskArn"])["stoppedReason"]
    again = place.register("web", {"image": f"{uri}:1"})
    assert int(again.rpartition(":")[2]) > int(new.rpartition(":")[2])


def _runs(task: dict) -> bool:
    return task["lastStatus"] == "RUNNING"
