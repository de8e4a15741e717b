"""Image references, and the names that stand for a digest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.agent.runtime.reference import (
    alias,
    local_names,
    named_digest,
    parse_reference,
    spellings,
)

HEX = "a" * 64
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "host", "path", "tag", "digest"),
    [
        ("busybox", "", "busybox", "", ""),
        ("busybox:1", "", "busybox", "1", ""),
        ("team/web:1", "", "team/web", "1", ""),
        ("localhost/web", "localhost", "web", "", ""),
        ("host:4750/web", "host:4750", "web", "", ""),
        ("host:4750/a/b/c:v1", "host:4750", "a/b/c", "v1", ""),
        ("docker.io/library/x", "docker.io", "library/x", "", ""),
        (f"h.example/web@{DIGEST}", "h.example", "web", "", DIGEST),
        (f"h.example/web:2@{DIGEST}", "h.example", "web", "2", DIGEST),
    ],
)
def test_a_reference_has_parts(text: str, host: str, path: str, tag: str, digest: str) -> None:
    found = parse_reference(text)
    assert found is not None
    assert (found.host, found.path, found.tag, found.digest) == (host, path, tag, digest)
    assert str(found) == text


@pytest.mark.parametrize(
    "text", ["", "a b", "web:", "web@sha256:12", "web@", "host:1/", "/", "x" * 2000, "web@latest"]
)
def test_what_is_no_reference_is_none(text: str) -> None:
    assert parse_reference(text) is None
    assert spellings(text) == (text,)
    assert local_names(text, DIGEST) == ()


def test_a_digest_has_two_spellings() -> None:
    assert spellings(f"h:1/web:9@{DIGEST}") == (f"h:1/web@{DIGEST}", f"h:1/web:sha256-{HEX}")
    assert spellings("h:1/web:9") == ("h:1/web:9",)
    assert spellings(f"web@sha512:{HEX}{HEX}") == (f"web@sha512:{HEX}{HEX}",)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("h:1/web:9", ("h:1/web:9", f"h:1/web:sha256-{HEX}")),
        ("h:1/web", ("h:1/web:latest", f"h:1/web:sha256-{HEX}")),
        (f"h:1/web@{DIGEST}", (f"h:1/web:sha256-{HEX}",)),
    ],
)
def test_what_was_fetched_gets_its_names(name: str, names: tuple[str, ...]) -> None:
    assert local_names(name, DIGEST) == names


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_an_alias_leads_back_to_its_digest(hexadecimal: str) -> None:
    reference = parse_reference(f"h:1/a/b@sha256:{hexadecimal}")
    assert reference is not None
    assert named_digest(alias(reference)) == str(reference)
    assert named_digest("h:1/a/b:1") == ""
