"""A PostgreSQL server of the tests' own, for what must hold on both databases."""

from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
