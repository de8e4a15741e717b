"""The data folder and the vault: made once, private, refused when it is a newer program's."""

import pytest

from moorage.gateway import folder
from moorage.gateway.vault import AesVault
from moorage.ground.chance import SystemChance


def test_a_folder_is_made_once_and_kept(tmp_path):
    data = tmp_path / "data"
    folder.prepare(data)
    key = folder.master_key(data, SystemChance())
    folder.prepare(data)
    assert folder.master_key(data, SystemChance()) == key
    assert (data / "keys" / "master").stat().st_mode & 0o777 == 0o600
    assert (data / "keys").stat().st_mode & 0o777 == 0o700


def test_a_newer_programs_folder_is_refused(tmp_path):
    folder.prepare(tmp_path)
    (tmp_path / "VERSION").write_text("2\n")
    with pytest.raises(folder.FolderRefused, match="newer Moorage"):
        folder.prepare(tmp_path)


def test_a_damaged_master_key_is_refused(tmp_path):
    folder.prepare(tmp_path)
    (tmp_path / "keys" / "master").write_bytes(b"short")
    with pytest.raises(folder.FolderRefused, match="5 bytes"):
        folder.master_key(tmp_path, SystemChance())


def test_a_new_folder_is_its_owners_alone_and_one_that_was_there_stays_as_it_was(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o755)
    for name in ("new", "old"):
        folder.prepare(tmp_path / name)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("new", "old")}
    assert modes == {"new": 0o700, "old": 0o755}


def test_credentials_are_kept_private(tmp_path):
    folder.prepare(tmp_path)
    assert folder.read_credentials(tmp_path, "root") is None
    kept = folder.Credentials(
        account_id="1" * 12, access_key_id="AKIA", secret_access_key="s", region="us-east-1"
    )
    folder.keep_credentials(tmp_path, "root", kept)
    assert folder.read_credentials(tmp_path, "root") == kept
    assert (tmp_path / "keys" / "root.json").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_written_to_no_file_that_lay_there_before(tmp_path):
    """One that somebody laid there is his, with the mode he gave it; a link leads where he likes."""
    path, beside = tmp_path / "master", tmp_path / ".master.new"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    for lay in (lambda: beside.symlink_to(elsewhere), lambda: beside.touch(mode=0o666)):
        lay()
        folder.write_durably(path, b"secret", mode=0o600)
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"secret", 0o600)
        assert (elsewhere.read_bytes(), beside.exists()) == (b"kept", False)


def test_the_vault_opens_only_its_own(tmp_path):
    vault = AesVault(b"a" * 32, SystemChance())
    sealed = vault.seal("secret")
    assert "secret" not in sealed
    assert sealed != vault.seal("secret")
    assert vault.reveal(sealed) == "secret"
    with pytest.raises(AssertionError, match="keys/master"):
        AesVault(b"b" * 32, SystemChance()).reveal(sealed)
