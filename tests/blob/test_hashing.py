"""A hash that was cut, saved and resumed is the hash of the whole."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.blob.hashing import ALGORITHMS, HASHES, Hashes, HashlibHasher, LibcryptoHasher, load

HASHLIB = Hashes({})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_libcrypto_is_used_where_it_is(algorithm):
    """Debian and the CI machines have it; without it every resume would read all again."""
    assert isinstance(HASHES.begin(algorithm), LibcryptoHasher)
    assert isinstance(HASHLIB.begin(algorithm), HashlibHasher)


def test_a_library_that_is_missing_or_lacks_the_functions_is_passed_over():
    assert load(("libmoorage-no-such.so", "libc.so.6")) == {}
    assert set(load(("libc.so.6", "libcrypto.so.3"))) in ({"sha256", "sha512"}, set())


def test_an_algorithm_that_is_not_ours_is_our_bug():
    with pytest.raises(AssertionError):
        HASHES.begin("md5")


@pytest.mark.parametrize("hashes", [HASHES, HASHLIB], ids=["libcrypto", "hashlib"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda b: memoryview(bytearray(b))])
@pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 111, 112, 128, 5000])
def test_every_form_of_buffer_is_hashed(hashes, algorithm, form, size):
    text = bytes(index % 251 for index in range(size))
    hasher = hashes.begin(algorithm)
    hasher.update(form(text))
    hasher.update(memoryview(text)[size // 2 :])
    expected = hashlib.new(algorithm, text + text[size // 2 :]).hexdigest()
    assert hasher.hexdigest() == expected
    assert hasher.hexdigest() == expected, "a hash goes on after its digest was asked for"


@pytest.mark.parametrize("hashes", [HASHES, HASHLIB], ids=["libcrypto", "hashlib"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_copy_goes_its_own_way(hashes, algorithm):
    first = hashes.begin(algorithm)
    first.update(b"both")
    second = first.copy()
    second.update(b"second")
    assert first.hexdigest() == hashlib.new(algorithm, b"both").hexdigest()
    assert second.hexdigest() == hashlib.new(algorithm, b"bothsecond").hexdigest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("state", [b"", b"short", b"\0" * 300])
def test_what_is_no_state_is_not_resumed(algorithm, state):
    assert HASHES.resume(algorithm, state) is None
    assert HASHLIB.resume(algorithm, b"\0" * 112) is None


@given(st.sampled_from(ALGORITHMS), st.lists(st.binary(max_size=400), max_size=12))
def test_law_resuming_after_every_cut_is_hashing_the_whole(algorithm, parts):
    hasher = HASHES.begin(algorithm)
    for part in parts:
        hasher.update(part)
        resumed = HASHES.resume(algorithm, hasher.state())
        assert resumed is not None
        hasher = resumed
    assert hasher.hexdigest() == hashlib.new(algorithm, b"".join(parts)).hexdigest()
