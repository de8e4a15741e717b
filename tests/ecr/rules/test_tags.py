"""Tags of repositories."""

import pytest

from moorage.ecr.rules.tags import merged, unsound_tags
from moorage.shapes.ecr.tag import Tag


@pytest.mark.parametrize(
    ("pairs", "sound"),
    [
        ([], True),
        ([("a", "1"), ("b", "")], True),
        ([("k" * 128, "v" * 256)], True),
        ([("k" * 129, "")], False),
        ([("k", "v" * 257)], False),
        ([("", "v")], False),
        ([("a", "1"), ("a", "2")], False),
        ([("aws:x", "1")], False),
        ([("AWS:x", "1")], False),
    ],
)
def test_which_are_sound(pairs, sound):
    assert (unsound_tags([Tag(key=key, value=value) for key, value in pairs]) is None) is sound


def test_later_tags_lie_over_earlier_ones():
    before = [Tag(key="a", value="1"), Tag(key="b", value="2")]
    given = [Tag(key="b", value="3"), Tag(key="c", value=None)]
    assert merged(before, given) == [
        Tag(key="a", value="1"),
        Tag(key="b", value="3"),
        Tag(key="c", value=""),
    ]
