"""Listings: pages by token, bounds, and tokens of another question."""

import pytest

from moorage.ground.fault import Validation
from moorage.ground.record import Record
from moorage.kernel.paging import Listing
from tests.house import OTHER, House


class ListThingsRequest(Record):
    kind: str | None = None
    next_token: str | None = None
    max_results: int | None = None


@pytest.fixture
def house():
    made = House([])
    yield made
    made.close()


def page(house, request, things, **members):
    def work(call):
        listing = Listing(call, request, limit=3, most=5, refused=Validation)
        return listing.cut(things, str)

    return house.read(work, operation="ListThings", **members)


def test_pages_follow_each_other_to_the_end(house):
    things = list("abcdefgh")
    seen, token = page(house, ListThingsRequest(), things)
    while token:
        more, token = page(house, ListThingsRequest(next_token=token), things)
        seen += more
    assert seen == things


@pytest.mark.parametrize("asked", [0, -1, 6])
def test_a_page_has_bounds(house, asked):
    with pytest.raises(Validation, match="between 1 and 5"):
        page(house, ListThingsRequest(max_results=asked), ["a"])


def test_a_token_serves_its_own_question_only(house):
    _, token = page(house, ListThingsRequest(kind="x"), list("abcdef"))
    with pytest.raises(Validation, match="Invalid token"):
        page(house, ListThingsRequest(kind="y", next_token=token), list("abcdef"))
    with pytest.raises(Validation, match="Invalid token"):
        page(house, ListThingsRequest(kind="x", next_token=token), list("abcdef"), account=OTHER)
    with pytest.raises(Validation, match="Invalid token"):
        page(house, ListThingsRequest(kind="x", next_token="no token"), list("abcdef"))
