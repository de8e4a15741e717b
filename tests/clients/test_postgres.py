"""The main story with PostgreSQL instead of SQLite; and a database that crashes in between."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place, now, page
from tests.clients.processes import Server, let_pass, tell, until
from tests.postgres import PostgresServer

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


class Writer:
    """Creates services all the time, and remembers what was answered, and when."""

    def __init__(self, place: Place, definition: str) -> None:
        self.ecs = place.client("ecs")
        self.definition = definition
        self.kept: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.answered_at = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            name = f"written-{number:05}"
            try:
                self.ecs.create_service(
                    serviceName=name, taskDefinition=self.definition, desiredCount=0
                )
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                self.refused.append((status, error.response["Error"]["Code"]))
                let_pass(0.02)
            else:
                self.kept.append(name)
                self.answered_at = now()


@pytest.fixture
def own_database() -> Iterator[PostgresServer]:
    """A PostgreSQL server that forgets nothing, for one test to crash."""
    folder = Path(tempfile.mkdtemp(prefix="moorage-postgres-"))
    try:
        server = PostgresServer(folder, durable=True)
        server.start()
        yield server
        server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def test_a_database_that_crashes_in_a_deployment_loses_nothing(
    clients_engine, folder, tmp_path, own_database: PostgresServer
):
    """PostgreSQL ends in immediate mode while replicas are replaced, and comes back (F07).

    Answers meanwhile are 503 and named; the server is back within 5 s of the database; what was
    acknowledged before is there, and the deployment comes to its end.
    """
    database = own_database
    place = Place(Server(tmp_path / "data", "--database", database.create()), clients_engine)
    try:
        place.server.start()
        place.add_hosts(2)
        uri = place.repository("web")
        place.login()
        for version in ("1", "2"):
            place.sample(f"crash-sample:{version}", folder / f"crash-{version}", version)
            place.push(f"crash-sample:{version}", f"{uri}:{version}")
        old = place.register("web", {"image": f"{uri}:1"})
        new = place.register("web", {"image": f"{uri}:2"})
        place.ecs.create_service(serviceName="web", taskDefinition=old, desiredCount=3)
        place.steady("web")
        with Writer(place, old) as writer:
            until(lambda: writer.kept, 10, "writes are acknowledged")
            place.ecs.update_service(service="web", taskDefinition=new)
            let_pass(0.4)
            database.stop("immediate")
            until(lambda: writer.refused, 10, "a refusal")
            let_pass(1.0)
            database.start()
            began = now()
            until(lambda: writer.answered_at > began, 10, "a write is acknowledged again")
            back_seconds = writer.answered_at - began
            tell(f"the first write after {back_seconds:.2f} s, {len(writer.refused)} refused")
            done = place.steady("web")
        assert back_seconds < 5
        assert set(writer.refused) == {(503, "ServiceUnavailableException")}
        assert done["taskDefinition"].endswith(new)
        pages = place.ecs.get_paginator("list_services").paginate()
        names = {arn.rpartition("/")[2] for one in pages for arn in one["serviceArns"]}
        assert set(writer.kept) <= names
        until(lambda: len(place.containers()) == 3, 20, "three containers", place.containers)
        assert '"level":"error"' not in place.server.log.read_text()
        place.clear()
    finally:
        place.close()
