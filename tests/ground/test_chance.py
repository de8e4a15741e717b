"""Chance: the shapes of what it gives, and that a seed repeats itself."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.chance import Chance, SeededChance, SystemChance

SOURCES = pytest.mark.parametrize(
    "chance", [SystemChance(), SeededChance(7)], ids=["system", "seed"]
)


@SOURCES
@pytest.mark.parametrize("digits", [1, 7, 32, 64])
def test_hex_has_its_digits(chance, digits):
    assert re.fullmatch(f"[0-9a-f]{{{digits}}}", chance.hex(digits))


@SOURCES
def test_tokens_and_octets_have_their_size(chance):
    assert len(chance.octets(16)) == 16
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,64}", chance.token(32))


@SOURCES
def test_numbers_keep_to_their_range(chance):
    for _ in range(100):
        assert 2.0 <= chance.uniform(2.0, 3.0) <= 3.0
        assert chance.below(3) in {0, 1, 2}


@SOURCES
def test_a_shuffle_loses_nothing_and_leaves_the_original(chance):
    things = list(range(50))
    shuffled = chance.shuffled(things)
    assert things == list(range(50))
    assert sorted(shuffled) == things
    assert shuffled != things


def draw(chance: Chance) -> tuple[object, ...]:
    return (
        chance.hex(32),
        chance.token(8),
        chance.octets(8),
        chance.uniform(0, 1),
        chance.below(1000),
        chance.shuffled(range(9)),
    )


@given(st.integers(0, 2**32))
def test_a_seed_repeats_itself(seed):
    assert draw(SeededChance(seed)) == draw(SeededChance(seed))


def test_seeds_differ_and_the_system_never_repeats():
    assert draw(SeededChance(1)) != draw(SeededChance(2))
    assert draw(SystemChance()) != draw(SystemChance())
