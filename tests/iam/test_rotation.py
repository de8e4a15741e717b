"""A host changes its key, as its requests are signed and verified: at no time is none good."""

from collections.abc import Iterator
from typing import Any

import pytest

from moorage.iam.keys import UNUSED_KEY_LIFE, bind
from moorage.wire.canonical import Credentials
from tests.iam.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def rotated(world: World, key: Credentials) -> Credentials:
    answer = world.do(key, "moorage", "RotateHostKey")
    return Credentials(
        access_key_id=answer["accessKeyId"], secret_access_key=answer["secretAccessKey"]
    )


def said(world: World, key: Credentials) -> str:
    return str(world.ask(key, "ecs", "DiscoverPollEndpoint").code)


def test_the_first_use_of_the_new_key_ends_the_old_one(world: World) -> None:
    old = world.one
    new = rotated(world, old)
    assert said(world, old) == ""
    assert said(world, new) == ""
    assert said(world, old) == "ReplacedKeyException"
    assert world.instance_of(new) == world.instance_of(old)
    assert said(world, rotated(world, new)) == ""


def test_a_wrong_signature_is_no_use(world: World) -> None:
    new = rotated(world, world.one)
    guessed = Credentials(access_key_id=new.access_key_id, secret_access_key="guessed")
    assert said(world, guessed) == "InvalidSignatureException"
    assert said(world, world.one) == ""


def test_an_answer_that_was_lost_locks_nobody_out(world: World) -> None:
    """The agent died before it had stored the new key."""
    lost = rotated(world, world.one)
    world.house.clock.advance(UNUSED_KEY_LIFE)
    assert said(world, lost) == "UnrecognizedClientException"
    assert said(world, world.one) == ""
    assert said(world, rotated(world, world.one)) == ""


def test_a_key_that_was_forgotten_while_it_was_verified_ends_no_other(world: World) -> None:
    """Asked for twice: the first answer is used while the second forgets it."""
    first, second = rotated(world, world.one), rotated(world, world.one)
    instance = world.instance_of(world.one)
    world.house.write(lambda call: bind(call.tx, first.access_key_id, instance))
    assert said(world, world.one) == ""
    assert said(world, second) == ""


@pytest.mark.parametrize("service", ["ecs", "ecr"])
def test_a_replaced_key_reads_nothing(world: World, service: str) -> None:
    old = world.one
    token: Any = world.do(old, "ecr", "GetAuthorizationToken")
    assert token["authorizationData"]
    said(world, rotated(world, old))
    action = {"ecs": "DiscoverPollEndpoint", "ecr": "GetAuthorizationToken"}[service]
    answer = world.ask(old, service, action)
    assert answer.code == "ReplacedKeyException"
    assert "join with a new token" in answer.body["message"]
