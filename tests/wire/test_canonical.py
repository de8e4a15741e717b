import pytest

from moorage.wire.canonical import (
    Credentials,
    basic_date,
    basic_from_http_date,
    canonical_path,
    canonical_query,
    canonical_value,
    parse_basic_date,
    parse_query,
    signing_key,
)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1", "a=1&a=2"),
        ("flag", "flag="),
        ("a=x+y", "a=x%20y"),
        ("a=x%20y", "a=x%20y"),
        ("a=%7e%2f", "a=~%2F"),
        ("a=b=c", "a=b%3Dc"),
        ("a=1&", "=&a=1"),
        ("%C3%A9=%ff", "%C3%A9=%FF"),
        ("dockerVersion=DockerVersion%3A+20.10", "dockerVersion=DockerVersion%3A%2020.10"),
    ],
)
def test_a_query_has_one_canonical_form(raw, canonical):
    assert canonical_query(parse_query(raw)) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/acs/ws", "/acs/ws"),
        ("/a%20b", "/a%2520b"),
        ("/a:b", "/a%3Ab"),
        ("//", "//"),
        ("/a/../b", "/a/../b"),
        ("/\xe9", "/%E9"),
    ],
)
def test_a_path_is_encoded_once_more_and_never_bent(raw, canonical):
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("value", "canonical"),
    [("a", "a"), ("  a  ", "a"), ("a   b", "a b"), ("a\tb", "a b"), ('"a  b"', '"a b"'), ("", "")],
)
def test_spaces_in_a_header_are_made_one(value, canonical):
    assert canonical_value(value) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "20261123", "20261123T031137", "20261323T031137Z", "20261123T036137Z", "20261123T031160Z",
     "２0261123T031137Z", "20261123t031137z", " 20261123T031137Z"],
)  # fmt: skip
def test_what_is_no_basic_date(text):
    assert parse_basic_date(text) is None


def test_a_basic_date_comes_back_as_it_was():
    assert basic_date(parse_basic_date("20240229T235959Z")) == "20240229T235959Z"


@pytest.mark.parametrize(
    ("text", "basic"),
    [
        ("Mon, 23 Nov 2026 03:11:37 GMT", "20261123T031137Z"),
        ("Mon, 23 Nov 2026 03:11:37 -0000", "20261123T031137Z"),
        ("3 Nov 2026 03:11:37 +0000", "20261103T031137Z"),
        ("20261123T031137Z", "20261123T031137Z"),
        ("Mon, 23 Nov 2026 03:11:37 +0100", None),
        ("Mon, 23 Abc 2026 03:11:37 GMT", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_of_http_in_basic_form(text, basic):
    assert basic_from_http_date(text) == basic


def test_the_signing_key_of_the_manual():
    """The worked example of "Create a signed AWS API request"."""
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    key = signing_key(secret, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_credentials_are_printed_without_the_secret():
    credentials = Credentials(access_key_id="AKID", secret_access_key="hush")
    assert "hush" not in f"{credentials} {credentials!r}"
