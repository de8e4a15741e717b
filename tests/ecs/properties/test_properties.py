"""A sample of the cases that `make properties` judges, and what a failure says."""

import pytest

from moorage.ground.record import Record
from tests.ecs.properties.drawing import Broken, Draw, Property, judge, shrunk
from tests.ecs.properties.table import PROPERTIES

# How many cases of each are judged here; other seeds than the first of a whole run.
SAMPLE = {"place": 3000, "reconcile": 3000, "transactions": 15}
FIRST = 5_000_001
# What once failed. 510: of two tasks that were to leave a drained host one had no place elsewhere, an
# other of the service made room in its stead, and the service said that it lacked room all the same.
KEPT = (("transactions", 510),)


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_a_sample_holds(name):
    seen = judge(PROPERTIES[name], range(FIRST, FIRST + SAMPLE[name]))
    assert seen["cases"] == SAMPLE[name]


@pytest.mark.parametrize(("name", "seed"), KEPT)
def test_what_was_found_once_stays_mended(name, seed):
    assert judge(PROPERTIES[name], [seed])["cases"] == 1


class Basket(Record):
    """A case to shrink."""

    fruits: tuple[str, ...]
    number: int = 0


def no_plum(case, seen):
    seen["fruits"] += len(case.fruits)
    assert "plum" not in case.fruits, "a plum"


def a_basket(draw):
    return Basket(fruits=draw.some(9, lambda one: one.one_of(("plum", "pear", "fig"))))


BASKETS = Property(name="baskets", draw=a_basket, law=no_plum, told=lambda case: case.fruits)


def test_a_failure_says_its_seed_and_tells_the_smallest_case():
    with pytest.raises(Broken, match="a plum") as caught:
        judge(BASKETS, range(1, 1000))
    said = str(caught.value).splitlines()
    seed = said[0].rpartition(" ")[2].rstrip(":")
    assert said[:3] == [
        f"baskets does not hold for seed {seed}:",
        f"  make properties OF=baskets SEED={seed}",
        "  plum",
    ]
    assert said[3].startswith("Traceback")
    with pytest.raises(Broken):
        judge(BASKETS, [int(seed)])


def test_what_is_needed_to_fail_stays():
    case = Basket(fruits=("fig", "plum", "pear", "plum", "fig"))
    small = shrunk(case, lambda one: one.fruits.count("plum") == 2)
    assert small == Basket(fruits=("plum", "plum"))
    assert shrunk(case, lambda one: "plum" in one.fruits, tries=0) == case


def test_one_seed_is_one_case():
    for known in PROPERTIES.values():
        assert known.draw(Draw(41)) == known.draw(Draw(41))
        assert any(known.draw(Draw(41)) != known.draw(Draw(seed)) for seed in range(42, 50))
