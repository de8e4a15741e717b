"""Into which folders a backup goes; the rest of it is shown on a running server (tests/clients)."""

import os
from pathlib import Path

import pytest

from moorage.gateway.backup import BEGUN, prepare_target
from moorage.ground.fault import Validation

NOBODY = 65_534


def somebody_elses(tmp_path: Path) -> Path:
    """A folder of another user: for who is not root, one of root's."""
    if os.geteuid() != 0:
        return Path("/usr")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    return theirs


def test_a_folder_of_our_own_is_closed_to_others(tmp_path):
    made = prepare_target(str(tmp_path / "a" / "b"), tmp_path / "data")
    assert made.stat().st_mode & 0o777 == 0o700
    assert (made / BEGUN).stat().st_mode & 0o777 == 0o600
    assert prepare_target(str(made), tmp_path / "data") == made


def test_no_backup_goes_into_a_folder_of_another_user(tmp_path):
    """Who owns it could put another database in the place of ours, for the next restore."""
    theirs = somebody_elses(tmp_path)
    before = sorted(theirs.iterdir())
    link = tmp_path / "link"
    link.symlink_to(theirs)
    for target in (theirs, link):
        with pytest.raises(Validation, match="belongs to another user"):
            prepare_target(str(target), tmp_path / "data")
    assert sorted(theirs.iterdir()) == before


@pytest.mark.parametrize("text", ["data", "data/in", "."])
def test_nor_in_or_around_the_data_folder_by_any_way(tmp_path, text):
    (tmp_path / "data").mkdir()
    (tmp_path / "way").symlink_to(tmp_path)
    with pytest.raises(Validation, match="one in the other"):
        prepare_target(str(tmp_path / "way" / text), tmp_path / "data")
    with pytest.raises(Validation, match="no absolute path"):
        prepare_target(text, tmp_path / "data")
