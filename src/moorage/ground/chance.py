"""Port Chance, the system's source of chance, and a seeded one for tests and the simulator.

The one file that may be random. Ids and tokens come from here, so that one seed repeats a run.
"""

import random
import secrets
from collections.abc import Sequence
from typing import Protocol, TypeVar

_T = TypeVar("_T")


class Chance(Protocol):
    """Where ids, tokens, jitter and shuffles come from."""

    def hex(self, digits: int) -> str:
        """`digits` random lower-case hex digits; 32 of them name tasks and instances."""
        ...

    def token(self, size_bytes: int) -> str:
        """An unguessable URL-safe text made of `size_bytes` random bytes."""
        ...

    def octets(self, size_bytes: int) -> bytes:
        """`size_bytes` unguessable random bytes."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`: jitter."""
        ...

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        ...

    def shuffled(self, things: Sequence[_T]) -> list[_T]:
        """A new list with the same things in a random order."""
        ...


class SystemChance:
    """The operating system's randomness."""

    def __init__(self) -> None:
        """Open the system's source."""
        self._random = random.SystemRandom()

    def hex(self, digits: int) -> str:
        """`digits` random lower-case hex digits."""
        return secrets.token_hex((digits + 1) // 2)[:digits]

    def token(self, size_bytes: int) -> str:
        """An unguessable URL-safe text."""
        return secrets.token_urlsafe(size_bytes)

    def octets(self, size_bytes: int) -> bytes:
        """Unguessable random bytes."""
        return secrets.token_bytes(size_bytes)

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._random.uniform(low, high)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return self._random.randrange(limit)

    def shuffled(self, things: Sequence[_T]) -> list[_T]:
        """A new list with the same things in a random order."""
        return self._random.sample(things, len(things))


class SeededChance:
    """The peer of SystemChance that repeats itself: never a source of secrets."""

    def __init__(self, seed: int) -> None:
        """Begin the sequence that `seed` names."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable by intention

    def hex(self, digits: int) -> str:
        """`digits` lower-case hex digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def token(self, size_bytes: int) -> str:
        """A text of twice `size_bytes` hex digits."""
        return self.hex(2 * size_bytes)

    def octets(self, size_bytes: int) -> bytes:
        """`size_bytes` repeatable bytes."""
        return self._random.randbytes(size_bytes)

    def uniform(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return self._random.uniform(low, high)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return self._random.randrange(limit)

    def shuffled(self, things: Sequence[_T]) -> list[_T]:
        """A new list with the same things in the sequence's order."""
        return self._random.sample(things, len(things))
