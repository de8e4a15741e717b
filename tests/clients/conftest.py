"""One engine, one server and three hosts for all tests here; logs stand under each failure."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.desk import Desk, furnish
from tests.clients.place import Place
from tests.clients.processes import Server
from tests.engine import Engine
from tests.postgres import PostgresServer, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

HOSTS = 3
CONTAINERS_SHOWN = "20"
CONTAINER = "{{.Names}} {{.Image}} {{.Status}}"
# Whatever the tests did, no request and no controller failed by a fault of the program's.
FAULT_OF_OURS = '"level":"error","logger":"moorage.'
PLACE = pytest.StashKey[Place]()


@pytest.fixture(scope="package")
def clients_engine() -> Iterator[Engine]:
    """An engine apart from that of other tests, which remove whatever runs on theirs."""
    own = Engine()
    try:
        own.start()
        own.busybox()
        yield own
    finally:
        own.purge()


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """Where the data folders of this package lie."""
    with tempfile.TemporaryDirectory(prefix="moorage-clients-") as made:
        yield Path(made)


@pytest.fixture(scope="package")
def shared_place(clients_engine: Engine, folder: Path) -> Iterator[Place]:
    """The server and its three hosts."""
    server = Server(folder / "data")
    place = Place(server, clients_engine)
    try:
        server.start()
        place.add_hosts(HOSTS)
        yield place
    finally:
        place.close()
    assert not [line for line in server.log.read_text().splitlines() if FAULT_OF_OURS in line]


@pytest.fixture(scope="package")
def postgres_place(
    clients_engine: Engine, folder: Path, postgres_server: PostgresServer
) -> Iterator[Place]:
    """The same with PostgreSQL, for the stories that are told on both databases."""
    server = Server(folder / "postgres", "--database", postgres_server.create())
    place = Place(server, clients_engine)
    try:
        server.start()
        place.add_hosts(HOSTS)
        yield place
    finally:
        place.close()
    assert not [line for line in server.log.read_text().splitlines() if FAULT_OF_OURS in line]


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server without an engine, for what boto3 alone can show; furnished once for all."""
    made = Desk(Server(tmp_path_factory.mktemp("desk") / "data"))
    try:
        made.open()
        furnish(made)
        yield made
    finally:
        made.close()
    assert not [line for line in made.server.log.read_text().splitlines() if FAULT_OF_OURS in line]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `both_databases` runs on each."""
    if metafunc.definition.get_closest_marker("both_databases") is not None:
        postgres = pytest.param("postgres_place", marks=pytest.mark.postgres, id="postgresql")
        sqlite = pytest.param("shared_place", id="sqlite")
        metafunc.parametrize("place", [sqlite, postgres], indirect=True)


@pytest.fixture
def images(place: Place, folder: Path) -> dict[str, str]:
    """Images in the registry, by short names: two versions of the web page, and a bare shell."""
    if not place.images:
        uri = place.repository("web")
        place.login()
        for version in ("1", "2"):
            place.sample(f"sample:{version}", folder / f"sample-{version}", version)
            place.images[f"web:{version}"] = place.push(f"sample:{version}", f"{uri}:{version}")
        tools = place.repository("tools")
        place.images["shell"] = place.push("moorage-test/busybox:1", f"{tools}:1")
    return place.images


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The shared place (on SQLite unless told otherwise), with nothing running in it."""
    shared: Place = request.getfixturevalue(getattr(request, "param", "shared_place"))
    request.node.stash[PLACE] = shared
    yield shared
    shared.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Put the logs of server and hosts, and what runs, under a failure."""
    report = yield
    place = item.stash.get(PLACE, None)
    if report.failed and place is not None:
        for title, tell in {
            "server and hosts": place.tails,
            "services and tasks": place.story,
            "containers": lambda: place.docker(
                "ps", "--last", CONTAINERS_SHOWN, "--format", CONTAINER
            ),
        }.items():
            try:
                report.sections.append((title, tell()))
            except Exception as error:  # noqa: BLE001 - the failure itself is to be shown, not this
                report.sections.append((title, f"cannot be told: {error!r}"))
    return report
