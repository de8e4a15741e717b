"""Waiting until a host is registered: what the handshake says where registering was refused."""

import asyncio

import pytest

from moorage.acs.codec import INACTIVE_INSTANCE, Refusal
from moorage.agent.dial import NotOpened, Opened
from moorage.agent.membership import until_registered
from moorage.agent.options import OptionsRefused


class Socket:
    closed = False

    async def close(self):
        self.closed = True


def waited(refused, dial):
    """Wait for a registration that was made, or refused, with what the handshake comes to."""

    async def wait():
        registering = asyncio.get_running_loop().create_future()
        if refused:
            registering.set_exception(OptionsRefused("no such host"))
        else:
            registering.set_result("arn")
        await until_registered(registering, dial)

    asyncio.run(wait())


def answers(refusal):
    async def dial():
        raise NotOpened("refused", refusal)

    return dial


def test_a_host_that_is_registered_dials_nothing():
    dialled = []
    waited(refused=False, dial=lambda: dialled.append(1))
    assert dialled == []


def test_a_host_that_was_given_up_goes_on():
    waited(refused=True, dial=answers(Refusal(name=INACTIVE_INSTANCE)))


@pytest.mark.parametrize("refusal", [None, Refusal(name="AccessDeniedException")])
def test_any_other_word_of_the_handshake_ends_it(refusal):
    with pytest.raises(NotOpened):
        waited(refused=True, dial=answers(refusal))


def test_a_host_that_is_let_in_was_refused_all_the_same():
    socket = Socket()

    async def dial():
        return Opened(socket=socket, url="ws://here")

    with pytest.raises(OptionsRefused):
        waited(refused=True, dial=dial)
    assert socket.closed
