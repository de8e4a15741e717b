"""Cases drawn from one number, laws that judge them, and failures cut down to what they need.

A case is a record whose members are plain values, or tuples of elements each of which may be left
out: whatever is left out, a case is a case (elements name each other by numbers that wrap round).
That is all that replaying and shrinking ask of it. Drawing is done by hand, since it has to cost
less than the code that it judges.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from moorage.ground.chance import SeededChance
from moorage.ground.record import Record, evolve

# How often a failing case is tried anew, to make it smaller.
TRIES_MAX = 600

_T = TypeVar("_T")


class Draw(SeededChance):
    """A seeded source of chance with the few questions that cases ask."""

    def one_of(self, things: Sequence[_T]) -> _T:
        """One of these."""
        return things[self.below(len(things))]

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + self.below(high - low + 1)

    def likely(self, percent: int) -> bool:
        """Whether something happens that does so in that many cases of a hundred."""
        return self.below(100) < percent

    def some(self, most: int, make: Callable[["Draw"], _T]) -> tuple[_T, ...]:
        """Up to `most` things, mostly few."""
        return tuple(make(self) for _ in range(self.below(self.below(most + 1) + 1)))


class Property(Record):
    """Cases of one kind: how one is drawn, what must hold of it, and how it is told.

    `law` asserts, and counts in the Counter what it has looked at.
    """

    name: str
    draw: Callable[[Draw], Any]
    law: Callable[[Any, Counter[str]], None]
    told: Callable[[Any], Iterable[str]]


class Broken(AssertionError):  # noqa: N818 - what is broken is a law
    """A law did not hold; says by which seed, and tells the smallest case that was found."""


def judge(judged: Property, seeds: Iterable[int], tries: int = TRIES_MAX) -> Counter[str]:
    """Judge the case of each seed; answers what was looked at. Raises Broken.

    A case that fails is made smaller in so many `tries`.
    """
    seen: Counter[str] = Counter()
    for seed in seeds:
        case = judged.draw(Draw(seed))
        try:
            judged.law(case, seen)
        except Exception as error:  # noqa: BLE001 - whatever it is, the case is told
            raise Broken(_report(judged, seed, case, error, tries)) from None
        seen["cases"] += 1
    return seen


def add(all_seen: Counter[str], seen: Counter[str]) -> None:
    """Add what one process has seen: what is called the most of something is no sum."""
    for what, count in seen.items():
        most = what.startswith("most ")
        all_seen[what] = max(all_seen[what], count) if most else all_seen[what] + count


def shrunk(case: Any, fails: Callable[[Any], bool], tries: int = TRIES_MAX) -> Any:
    """The smallest case found that still fails: elements are dropped while it does."""
    before = None
    while before != case:
        before = case
        for smaller in _smaller(case):
            if not tries:
                return case
            tries -= 1
            if fails(smaller):
                case = smaller
                break
    return case


def _smaller(case: Any) -> Iterator[Any]:
    """The case with one half of a tuple less, then with one element less, largest cuts first."""
    lists = [name for name in case.__struct_fields__ if isinstance(getattr(case, name), tuple)]
    for divisor in (1, 2, 4):
        for name in lists:
            whole = getattr(case, name)
            size = len(whole) // divisor
            for start in range(0, len(whole), size) if size > 1 else ():
                yield evolve(case, **{name: whole[:start] + whole[start + size :]})
    for name in lists:
        whole = getattr(case, name)
        for at in reversed(range(len(whole))):
            yield evolve(case, **{name: whole[:at] + whole[at + 1 :]})
    for name in lists:
        whole = getattr(case, name)
        for at, element in enumerate(whole):
            for plainer in _plainer(element):
                yield evolve(case, **{name: (*whole[:at], plainer, *whole[at + 1 :])})


def _plainer(element: Any) -> Iterator[Any]:
    """An element with one member as it is where nothing is said."""
    for field in msgspec.structs.fields(element) if isinstance(element, Record) else ():
        known = field.default
        if known is not msgspec.NODEFAULT and getattr(element, field.name) != known:
            yield evolve(element, **{field.name: known})


def _report(judged: Property, seed: int, case: Any, error: Exception, tries: int) -> str:
    kind = type(error)

    def fails(smaller: Any) -> bool:
        try:
            judged.law(smaller, Counter())
        except kind as found:
            return _where(found) == _where(error)
        except Exception:  # noqa: BLE001 - another failure is not the one that is looked for
            return False
        return False

    small = shrunk(case, fails, tries)
    final = error
    try:
        judged.law(small, Counter())
    except Exception as found:  # noqa: BLE001 - it is told below
        final = found
    told = "\n".join(f"  {line}" for line in judged.told(small))
    return (
        f"{judged.name} does not hold for seed {seed}:\n"
        f"  make properties OF={judged.name} SEED={seed}\n{told}\n"
        + "".join(traceback.format_exception(final))
    )


def _where(error: BaseException) -> tuple[str, int]:
    """The line that raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename, last.lineno or 0
