"""Fixtures for the agent's tests."""

from tests.engine import engine, engine_socket

__all__ = ["engine", "engine_socket"]
