"""Which tags may move."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.mutability import matches, may_move, unsound_filters
from moorage.ground.instant import Instant
from moorage.shapes.ecr.repository import ImageTagMutabilityExclusionFilter


def repository(mutability, *filters):
    return Repository(
        account="111111111111",
        region="us-east-1",
        name="app",
        arn="arn",
        created_at=Instant(0),
        mutability=mutability,
        exclusion_filters=[
            ImageTagMutabilityExclusionFilter(filter_type="WILDCARD", filter=one) for one in filters
        ],
    )


@pytest.mark.parametrize(
    ("mutability", "filters", "tag", "expected"),
    [
        ("MUTABLE", (), "v1", True),
        ("IMMUTABLE", (), "v1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "dev-1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev-*",), "v1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("a*", "latest"), "latest", True),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "v1", False),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "dev", True),
    ],
)
def test_tags_that_move(mutability, filters, tag, expected):
    assert may_move(repository(mutability, *filters), tag) is expected


@pytest.mark.parametrize(
    ("mutability", "filters", "sound"),
    [
        ("MUTABLE", (), True),
        ("MUTABLE", ("a",), False),
        ("IMMUTABLE", ("a",), False),
        ("IMMUTABLE_WITH_EXCLUSION", (), False),
        ("IMMUTABLE_WITH_EXCLUSION", ("a*b*",), True),
        ("IMMUTABLE_WITH_EXCLUSION", ("a*b*c*",), False),
        ("MUTABLE_WITH_EXCLUSION", ("a", "a"), False),
        ("MUTABLE_WITH_EXCLUSION", tuple("abcde"), True),
        ("MUTABLE_WITH_EXCLUSION", tuple("abcdef"), False),
    ],
)
def test_filters_and_words_agree(mutability, filters, sound):
    assert (unsound_filters(mutability, filters) is None) is sound


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_wildcard_stands_for_any_text(pattern, text):
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, text) is bool(re.fullmatch(expression, text))


def test_matching_takes_linear_time():
    assert not matches("*a" * 60 + "b", "a" * 300)
