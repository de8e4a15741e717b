"""Which tags are sound, and which a task gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.tags import (
    TAGS_MAX,
    merged,
    refuse_inheritance,
    refuse_tags,
    refuse_untagging,
    task_tags,
)
from moorage.shapes.ecs.tag import Tag

tag = st.builds(Tag, key=st.sampled_from("abcdef"), value=st.text("xy", max_size=2))
tags = st.lists(tag, max_size=6, unique_by=lambda one: one.key)


def table(found):
    return {one.key: one.value for one in found}


@given(before=tags, given_=tags)
def test_what_is_given_goes_before_what_was(before, given_):
    assert table(merged(before, given_)) == table(before) | table(given_)
    assert merged(merged(before, given_), given_) == merged(before, given_)


@given(own=tags, propagated=tags)
def test_a_task_is_told_apart_by_what_ecs_manages(own, propagated):
    found = table(task_tags(own, propagated, cluster="c", service="s"))
    assert found.pop("aws:ecs:clusterName") == "c"
    assert found.pop("aws:ecs:serviceName") == "s"
    assert found == table(propagated) | table(own)
    assert table(task_tags(own, propagated, cluster="", service="")) == found


@pytest.mark.parametrize(
    ("wrong", "sound"),
    [
        ([Tag(key="")], [Tag(key="k")]),
        ([Tag(key="k" * 129)], [Tag(key="k" * 128)]),
        ([Tag(key="k", value="v" * 257)], [Tag(key="k", value="v" * 256)]),
        ([Tag(key="AWS:x")], [Tag(key="awsx")]),
        ([Tag(key="k"), Tag(key="k")], [Tag(key="k"), Tag(key="K")]),
        (
            [Tag(key=f"k{n}") for n in range(TAGS_MAX + 1)],
            [Tag(key=f"k{n}") for n in range(TAGS_MAX)],
        ),
    ],
)
def test_bounds(wrong, sound):
    assert refuse_tags(wrong) is not None
    assert refuse_tags(sound) is None
    assert refuse_tags(None) is None


def numbered(first, last):
    return [Tag(key=f"k{number}") for number in range(first, last)]


def test_a_task_has_as_many_tags_as_any_resource():
    assert refuse_inheritance(numbered(0, TAGS_MAX), numbered(0, TAGS_MAX)) is None
    assert refuse_inheritance(numbered(0, 25), numbered(25, 50)) is None
    assert refuse_inheritance(numbered(0, 25), numbered(25, 51)) is not None


def test_what_aws_has_given_is_not_taken():
    assert refuse_untagging(["team", "awsome"]) is None
    assert refuse_untagging(["team", "aws:ecs:clusterName"]) is not None
    assert refuse_untagging(["AWS:x"]) is not None
