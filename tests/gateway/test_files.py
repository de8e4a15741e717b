"""Open files: the limit is raised as far as it goes, and too low a one is told."""

import resource

import pytest

from moorage.gateway.files import OTHER_FILES, allow_files
from moorage.gateway.settings import Settings


def test_the_soft_limit_is_raised_and_no_more_is_said_than_is_true(caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        assert allow_files(Settings(connections=16)) == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caplog.text == ""


@pytest.mark.parametrize(("beyond", "hosts"), [(0, 0), (1000, 500)])
def test_a_hard_limit_that_is_too_low_is_told_with_what_to_do(caplog, beyond, hosts):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = limits[1] - OTHER_FILES - beyond
    try:
        allow_files(Settings(connections=connections))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert f"enough for about {hosts} hosts" in caplog.text
    assert "LimitNOFILE" in caplog.text
