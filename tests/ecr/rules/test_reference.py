"""The grammar of /v2/: repositories, tags, digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecr.rules.reference import (
    ManifestReference,
    RepositoryPath,
    parse_reference,
    parse_repository,
)
from moorage.ground.digest import Digest

A64 = "a" * 64


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("app", RepositoryPath(name="app")),
        ("team/app__x--y", RepositoryPath(name="team/app__x--y")),
        (
            "111111111111/us-east-1/team/app",
            RepositoryPath(name="team/app", account="111111111111", region="us-east-1"),
        ),
        ("111111111111/us-east-1", RepositoryPath(name="111111111111/us-east-1")),
        ("11111111111/us-east-1/app", RepositoryPath(name="11111111111/us-east-1/app")),
        ("a", None),
        ("", None),
        ("Team/app", None),
        ("../etc", None),
        ("team/../app", None),
        ("team//app", None),
        ("app/", None),
        ("app\n", None),
        ("app\0", None),
        ("äpp", None),
        ("a" * 257, None),
        ("111111111111/us-east-1/App", None),
    ],
)
def test_repositories(path, expected):
    assert parse_repository(path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latest", ManifestReference(tag="latest")),
        ("_1.2-rc", ManifestReference(tag="_1.2-rc")),
        (
            f"sha256:{A64}",
            ManifestReference(digest=Digest(algorithm="sha256", hexadecimal=A64)),
        ),
        (f"sha256:{A64}0", None),
        (f"sha256:{A64.upper()}", None),
        ("md5:" + "a" * 32, None),
        ("sha256:..", None),
        ("-tag", None),
        (".tag", None),
        ("t" * 301, None),
        ("tag\n", None),
        ("", None),
    ],
)
def test_references(text, expected):
    assert parse_reference(text) == expected


@given(st.text(max_size=400))
def test_whatever_is_parsed_is_safe_as_a_path(text):
    path = parse_repository(text)
    reference = parse_reference(text)
    for name in (path.name if path else "", (reference.tag if reference else "") or ""):
        assert name.isascii()
        assert ".." not in name.split("/")
        assert "\0" not in name
        assert not name.startswith("/")
