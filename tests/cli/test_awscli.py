"""Debian's AWS CLI 2.9 ignores AWS_ENDPOINT_URL and would talk to Amazon: it must be noticed."""

import pytest

from moorage.cli.awscli import heeds_endpoint, parse_version, warning


@pytest.mark.parametrize(
    ("version", "heeds"),
    [
        ((1, 28, 99), False),
        ((1, 29, 0), True),
        ((1, 46, 3), True),
        ((2, 9, 19), False),
        ((2, 12, 99), False),
        ((2, 13, 0), True),
        ((2, 30, 1), True),
        ((3, 0, 0), True),
    ],
)
def test_versions_that_heed_the_endpoint(version, heeds):
    assert heeds_endpoint(version) is heeds


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0 source/x86_64.debian.12", (2, 9, 19)),
        ("aws-cli/1.46.3 Python/3.11.7 Linux/6.18 botocore/1.43.62", (1, 46, 3)),
        ("something else", None),
        ("", None),
    ],
)
def test_what_aws_prints(text, version):
    assert parse_version(text) == version


def an_aws(folder, text, exit_code=0):
    program = folder / "aws"
    program.write_text(f"#!/bin/sh\necho '{text}'\nexit {exit_code}\n")
    program.chmod(0o755)
    return program


def test_an_old_one_on_the_path_is_warned_of_by_name(tmp_path, monkeypatch):
    program = an_aws(tmp_path, "aws-cli/2.9.19 Python/3.11.2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    told = warning()
    assert told is not None
    assert str(program) in told
    assert "2.9.19" in told


def test_a_new_one_is_not(tmp_path, monkeypatch):
    an_aws(tmp_path, "aws-cli/2.15.0 Python/3.11.2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert warning() is None


def test_one_that_says_nothing_of_itself_is_left_alone(tmp_path, monkeypatch):
    an_aws(tmp_path, "no version here", exit_code=1)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert warning() is None


def test_none_on_the_path_needs_no_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert warning() is None
