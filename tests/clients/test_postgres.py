"""The main story once more on PostgreSQL: create, update, delete, and a server killed between."""

from collections.abc import Iterator

import pytest

from tests.clients.place import Place, page
from tests.clients.processes import Server, until

pytestmark = [pytest.mark.clients, pytest.mark.engine, pytest.mark.postgres]


@pytest.fixture
def on_postgres(clients_engine, tmp_path, postgres_url) -> Iterator[Place]:
    """A server that keeps its records in PostgreSQL, with two hosts."""
    place = Place(Server(tmp_path / "data", "--database", postgres_url), clients_engine)
    try:
        place.server.start()
        place.add_hosts(2)
        yield place
        place.clear()
    finally:
        place.close()


def test_the_main_story_on_postgresql(on_postgres: Place, folder):
    """Push, create, update, kill a container, kill the server, delete: as on SQLite."""
    place = on_postgres
    uri = place.repository("web")
    place.login()
    for version in ("1", "2"):
        place.sample(f"pg-sample:{version}", folder / f"pg-{version}", version)
        place.push(f"pg-sample:{version}", f"{uri}:{version}")
    port = [{"containerPort": 8080}]
    old = place.register("web", {"image": f"{uri}:1", "portMappings": port})
    new = place.register("web", {"image": f"{uri}:2", "portMappings": port})
    place.ecs.create_service(serviceName="web", taskDefinition=old, desiredCount=3)
    place.steady("web")
    until(lambda: all("version 1" in (page(t) or "") for t in place.running("web")), 5, "pages")
    place.ecs.update_service(service="web", taskDefinition=new)
    place.server.kill()
    place.server.start()
    place.steady("web")
    assert all("version 2" in (page(task) or "") for task in place.running("web"))
    [victim, *_] = place.running("web")
    place.docker("kill", place.container(victim)["Id"])
    assert place.stopped(victim["taskArn"])["stopCode"] == "EssentialContainerExited"
    place.steady("web")
    place.ecs.update_service(service="web", desiredCount=0)
    until(lambda: not place.running("web"), 30, "nothing runs")
    place.ecs.delete_service(service="web")
    until(lambda: place.service("web")["status"] == "INACTIVE", 20, "the service is gone")
