"""Digests: which texts are one, and what the bytes' is."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.digest import DIGEST_LENGTH_MAX, Digest, digest_of, parse_digest

# NIST's test vector for the empty message.
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("algorithm", "hexadecimal"), [("sha256", EMPTY), ("sha512", "0" * 128)])
def test_a_digest(algorithm, hexadecimal):
    digest = parse_digest(f"{algorithm}:{hexadecimal}")
    assert digest == Digest(algorithm=algorithm, hexadecimal=hexadecimal)
    assert str(digest) == f"{algorithm}:{hexadecimal}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        EMPTY,
        f"sha256:{EMPTY.upper()}",
        f"sha256:{EMPTY[:-1]}",
        f"sha256:{EMPTY}0",
        f"sha256:{EMPTY}\n",
        f"sha512:{EMPTY}",
        f"md5:{EMPTY[:32]}",
        f"sha256:{EMPTY}{'0' * DIGEST_LENGTH_MAX}",
    ],
)
def test_no_digest(text):
    assert parse_digest(text) is None


def test_the_empty_bytes():
    assert str(digest_of(b"")) == f"sha256:{EMPTY}"


@given(st.binary(max_size=100), st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_bytes_parses_to_itself(content, algorithm):
    digest = digest_of(content, algorithm)
    assert parse_digest(str(digest)) == digest
    assert digest.hexadecimal == hashlib.new(algorithm, content).hexdigest()
