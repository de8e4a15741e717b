"""Text of others on a terminal."""

import pytest

from moorage.cli.plain import STAND_IN, plain


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (None, ""),
        ("a host, été, 日本\t.", "a host, été, 日本\t."),
        ("\x1b[2J", f"{STAND_IN}[2J"),
        ("\x9b2J\x07\r\n\x00", f"{STAND_IN}2J{STAND_IN * 4}"),
        ("live\u202eevil", f"live{STAND_IN}evil"),
        ("\ud800", STAND_IN),
    ],
)
def test_what_is_not_to_be_seen_is_marked(told, shown):
    assert plain(told) == shown
