"""The grammars of names, each with its edges."""

import pytest

from moorage.ground import names


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ab", True),
        ("team/app", True),
        ("a.b_c-d/e0", True),
        ("a__b", True),
        ("a---b", True),
        ("a___b", False),
        ("a..b", False),
        ("a" * 256, True),
        ("a", False),
        ("a" * 257, False),
        ("Team/app", False),
        ("team//app", False),
        ("/app", False),
        ("app/", False),
        ("app.", False),
        ("-app", False),
        ("app\n", False),
        ("größe", False),
    ],
)
def test_repository_names(text, good):
    assert names.is_repository_name(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("latest", True),
        ("v1.2-rc_3", True),
        ("_x", True),
        ("A" * 300, True),
        ("A" * 301, False),
        ("", False),
        (".x", False),
        ("-x", False),
        ("a b", False),
        ("a/b", False),
        ("v1\n", False),
    ],
)
def test_tags(text, good):
    assert names.is_tag(text) is good


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (names.RESOURCE_NAME, ["a", "A-b_9", "x" * 255], ["", "a b", "a/b", "x" * 256, "ä"]),
        (names.FAMILY, ["web"], ["web:1"]),
        (names.CONTAINER_NAME, ["web"], ["web!"]),
        (names.ACCOUNT, ["000000000000"], ["00000000000", "0000000000000", "a" * 12, "٠" * 12]),
        (
            names.REGION,
            ["us-east-1", "us-gov-west-1"],
            ["us", "us-east", "US-EAST-1", "us-east-10"],
        ),
        (names.ATTRIBUTE_NAME, ["ecs.os-type", "a/b", "a\\b"], ["", "a b", "x" * 129]),
        (names.ATTRIBUTE_VALUE, ["a b", "x@y:z", "\\"], ["", "a,b", "x" * 129, " a", "a ", " "]),
    ],
)
def test_patterns(pattern, good, bad):
    assert [text for text in good if not pattern.fullmatch(text)] == []
    assert [text for text in bad if pattern.fullmatch(text)] == []
