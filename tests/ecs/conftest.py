"""A PostgreSQL server of the tests' own, for what is concurrent there alone."""

from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
