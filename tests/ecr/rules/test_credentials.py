"""Login tokens as docker shows them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecr.rules.credentials import encode_credentials, password_hash, password_of


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_what_was_given_is_found_again(password):
    assert password_of(f"Basic {encode_credentials(password)}") == password


def basic(text):
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic %%%",
        "Bearer " + encode_credentials("x"),
        basic(b"AWS"),
        basic(b"AWS:"),
        basic(b"root:x"),
        basic(b"\xff\xff:x"),
        basic(b"AWS:" + b"x" * 8192),
    ],
)
def test_other_credentials_are_none(header):
    assert password_of(header) is None


@given(st.text())
def test_no_header_makes_it_raise(header):
    found = password_of(header)
    assert found is None or isinstance(found, str)


def test_the_hash_is_no_password():
    assert "secret" not in password_hash("secret")
    assert password_hash("secret") != password_hash("secrets")
