"""Runs the contract of port Database on each adapter."""

from pathlib import Path

import pytest

from tests.contract.database import DatabaseContract, DurableDatabaseContract
from tests.contract.database_copy import CopyContract
from tests.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]


class TestSQLiteFile(CopyContract, DurableDatabaseContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        folder = tmp_path / "a folder?mode=memory&x=%20#"
        folder.mkdir()
        return f"sqlite:///{folder}/moorage.db"


class TestSQLiteMemory(CopyContract, DatabaseContract):
    @pytest.fixture
    def url(self) -> str:
        return "sqlite://:memory:"


@pytest.mark.postgres
class TestPostgreSQL(CopyContract, DurableDatabaseContract):
    @pytest.fixture
    def url(self, postgres_server: PostgresServer) -> str:
        return postgres_server.create()
