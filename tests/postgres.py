"""A PostgreSQL server of the tests' own: made in a temporary folder, heard on a Unix socket alone.

Import the fixtures into a conftest.py. `postgres_server` runs for the session and makes empty
databases; `postgres_url` is the URL of one made for the test that asks.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

BINARIES = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"
START_SECONDS_MAX = 60


class PostgresServer:
    """A server in a folder of its own; durability is off unless `durable`."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self._numbers = count(1)
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._run(
            "initdb", "--pgdata", str(folder / "db"), "--username", USER, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip
        settings = [
            "listen_addresses=''",
            f"unix_socket_directories='{folder}'",
            "max_connections=60",
            f"fsync={'on' if durable else 'off'}",
        ]
        with (folder / "db" / "postgresql.conf").open("a") as config:
            config.write("\n".join(settings) + "\n")

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._ctl("start", "--log", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop; `immediate` is a crash."""
        self._ctl("stop", "--mode", mode)

    def url(self, database: str = "postgres") -> str:
        """The libpq URL of a database."""
        return f"postgresql:///{database}?host={self.folder}&user={USER}"

    def create(self, template: str = "template1") -> str:
        """Make a database, empty or as the one named is; returns its URL."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as link:
            link.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def _ctl(self, verb: str, *arguments: str) -> None:
        pgdata = str(self.folder / "db")
        self._run("pg_ctl", verb, "--pgdata", pgdata, "--wait", "--silent", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(BINARIES / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", USER, "--", *command]
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=START_SECONDS_MAX, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server for the session."""
    folder = Path(tempfile.mkdtemp(prefix="moorage-postgres-"))
    try:
        server = PostgresServer(folder)
        server.start()
        yield server
        server.stop("immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres_server.create()
