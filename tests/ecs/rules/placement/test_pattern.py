"""Patterns: the same as Python's own expressions where both read them, and never slow."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.placement.pattern import BadPattern, Pattern, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("a", "ab", False),
        ("^a$", "a", True),
        ("a*", "", True),
        ("a*", "aaa", True),
        ("a+", "", False),
        ("a?b", "b", True),
        ("(ab)+", "abab", True),
        ("(?:ab|cd)+", "abcd", True),
        ("a{2}", "aa", True),
        ("a{2}", "aaa", False),
        ("a{2,}", "aaaa", True),
        ("a{0}", "", True),
        ("a{1,3}", "aaaa", False),
        ("(a|b{2}){2}", "bba", True),
        ("[a-c]+", "abc", True),
        ("[^a-c]+", "abc", False),
        ("[]]", "]", True),
        ("[a-]", "-", True),
        (r"[\d.]+", "1.2", True),
        (r"\d\D\w\W\s\S", "1a_- x", True),
        (r"g2\.x", "g2.x", True),
        (r"\t", "\t", True),
        ("a.c", "abc", True),
        ("a.c", "a\nc", False),
        ("a*?b", "aab", True),
        ("(a*)*", "aaa", True),
        ("(a|)b", "b", True),
        ("é+", "éé", True),
        ("(?i)G2\\.x[a-c]", "g2.XB", True),
        ("(?i)[^a]", "A", False),
        ("(?i)", "", True),
        (r"\p{Lower}+\P{Alpha}\p{Upper}", "ab1C", True),
        (r"\p{Digit}\p{Alnum}\p{Space}\p{XDigit}\p{Punct}", "1z f!", True),
        (r"\pL+", "éa", True),
        (r"[\p{Upper}_]+", "A_B", True),
        (r"[\p{Upper}_]+", "a", False),
    ],
)
def test_patterns(pattern, text, expected):
    compiled = compile_pattern(pattern)
    assert isinstance(compiled, Pattern), compiled
    assert compiled.matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "(",
        ")",
        "[",
        "[a",
        "[z-a]",
        "[[a]]",
        "[a&&b]",
        "a{",
        "a{x}",
        "a{2,1}",
        "a{1000}",
        "a**",
        "\\",
        r"\1",
        r"\bx",
        "(?=a)",
        "a^b",
        "(^a)",
        "a$b",
        r"\p{Greek}",
        r"\p{",
        r"\p",
        "a(?i)b",
        "(?<name>a)",
        "a" * 257,
        "((((a{99}){99}){99}){99})",
        "((((){256}){256}){256}){256}",
        ".{0,250}.{0,250}",
        "(" * 40 + "a" + ")" * 40,
    ],
)
def test_what_is_no_pattern(pattern):
    assert isinstance(compile_pattern(pattern), BadPattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)*b", ".*.*.*.*.*.*.*.*b"])
def test_patterns_that_ruin_backtracking_are_walked_in_linear_time(pattern):
    compiled = compile_pattern(pattern)
    assert isinstance(compiled, Pattern)
    assert not compiled.matches("a" * 255)


def test_more_values_than_moves_are_kept_match_all_the_same():
    compiled = compile_pattern("(.{1,90})x")
    assert isinstance(compiled, Pattern)
    for number in range(0x4E00, 0x4E00 + 5000):
        assert compiled.matches(f"{chr(number)}x")
        assert not compiled.matches(f"{chr(number)}y")


PIECES = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", r"\d", "x*", "b+", "a?"])


@given(
    st.lists(PIECES, max_size=6).map("".join),
    st.text(alphabet="abx1", max_size=8),
)
def test_it_agrees_with_python_where_both_read_it(pattern, text):
    compiled = compile_pattern(pattern)
    assert isinstance(compiled, Pattern)
    assert compiled.matches(text) is (re.fullmatch(pattern, text) is not None)


@given(st.text(alphabet="ab()[]{}*+?|\\.^$-,12", max_size=30), st.text(alphabet="ab1", max_size=9))
def test_no_pattern_raises(pattern, text):
    compiled = compile_pattern(pattern)
    if isinstance(compiled, Pattern):
        assert compiled.matches(text) in {True, False}
