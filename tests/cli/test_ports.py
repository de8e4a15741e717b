import os
import socket

import pytest

from moorage.cli.ports import holder_of


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_listening_process_is_named(family, address):
    with socket.socket(family) as listening:
        listening.bind((address, 0))
        listening.listen()
        port = listening.getsockname()[1]
        told = holder_of(port)
    assert told is not None
    assert told.endswith(f"(pid {os.getpid()})")
    assert holder_of(port) is None


def test_a_port_that_is_bound_but_not_listened_on_is_nobodys():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert holder_of(bound.getsockname()[1]) is None


def test_a_connection_to_a_port_does_not_hold_it():
    """The client's end has a port of its own, on which nobody listens."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        assert holder_of(client.getsockname()[1]) is None
