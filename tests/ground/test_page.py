"""Paging: no thing twice and none lost, and tokens that serve one question only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.page import TOKEN_LENGTH_MAX, Page, TokenRefused, cut, open_token, seal

KEY = b"k" * 32
BINDING = "000000000000/us-east-1/ListClusters"


@given(st.text(max_size=300), st.text(max_size=50))
def test_a_token_opens_for_its_own_question(after, binding):
    assert open_token(KEY, binding, seal(KEY, binding, Page(after=after))) == Page(after=after)


@pytest.mark.parametrize(
    ("key", "binding", "change"),
    [
        (b"l" * 32, BINDING, str),
        (KEY, BINDING.replace("0", "1"), str),
        (KEY, BINDING, lambda token: "A" + token[1:] if token[0] != "A" else "B" + token[1:]),
        (KEY, BINDING, lambda token: token[:-2]),
        (KEY, BINDING, lambda token: token + "AAAA"),
        (KEY, BINDING, lambda _: ""),
        (KEY, BINDING, lambda _: "not base64 !"),
        (KEY, BINDING, lambda _: "größe"),
        (KEY, BINDING, lambda _: "A" * (TOKEN_LENGTH_MAX + 1)),
    ],
)
def test_any_other_token_is_refused(key, binding, change):
    token = change(seal(KEY, BINDING, Page(after="web")))
    with pytest.raises(TokenRefused):
        open_token(key, binding, token)


@given(st.text(max_size=100))
def test_no_text_breaks_the_door(text):
    with pytest.raises(TokenRefused):
        open_token(KEY, BINDING, text)


def walk(things: list[str], limit: int) -> list[list[str]]:
    pages, page = [], None
    for _ in range(len(things) + 1):
        shown, page = cut(things, str, limit, page)
        pages.append(shown)
        if page is None:
            break
    return pages


@given(st.sets(st.text(max_size=5), max_size=30), st.integers(1, 12))
def test_pages_show_each_thing_once_in_order(things, limit):
    pages = walk(list(things), limit)
    assert [thing for page in pages for thing in page] == sorted(things)
    assert all(len(page) == limit for page in pages[:-1])


def test_a_last_page_that_is_full_has_no_successor():
    assert cut(["a", "b"], str, 2, None) == (["a", "b"], None)
    assert cut([], str, 2, None) == ([], None)
    assert cut(["a", "b", "c"], str, 2, None) == (["a", "b"], Page(after="b"))


def test_what_comes_and_goes_between_pages_hides_nothing_else():
    _, page = cut(["b", "d", "f"], str, 2, None)
    assert cut(["a", "b", "e", "f"], str, 2, page) == (["e", "f"], None)
