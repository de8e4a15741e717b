from pathlib import Path

import pytest
import typer

from moorage.cli.place import data_folder, fail, find


def test_a_folder_names_its_server_and_its_keys(place):
    assert find(place, None).access_key_id == "AKIAOPERATOR"
    root = find(place, None, key="root")
    assert (root.endpoint, root.access_key_id) == ("http://127.0.0.1:4750", "AKIAROOT")
    assert (root.region, root.account) == ("us-east-1", "123456789012")


def test_the_option_is_before_the_environment_and_that_before_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOORAGE_DATA", raising=False)
    assert data_folder(None) == tmp_path / ".moorage"
    monkeypatch.setenv("MOORAGE_DATA", "elsewhere")
    assert data_folder(None) == tmp_path / "elsewhere"
    assert data_folder(Path("given")) == tmp_path / "given"


def test_what_a_server_says_is_shown_and_does_nothing(capsys):
    with pytest.raises(typer.Exit):
        fail("refused:\n\x1b[2J no")
    assert capsys.readouterr().err == "moorage: refused:\n\ufffd[2J no\n"


def test_a_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(Path("~/moorage")) == tmp_path / "moorage"


def test_an_empty_folder_ends_with_advice(tmp_path, capsys):
    with pytest.raises(typer.Exit) as ended:
        find(tmp_path, None)
    told = capsys.readouterr().err
    assert ended.value.exit_code == 1
    assert "No server is known" in told
    assert "moorage up" in told


def test_a_server_elsewhere_takes_its_key_from_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found = find(None, "http://10.0.0.1:4750")
    assert (found.endpoint, found.access_key_id) == ("http://10.0.0.1:4750", "AKIA1")
    assert (found.secret_access_key, found.region) == ("secret", "eu-west-1")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert find(None, "http://10.0.0.1:4750").region == "eu-north-1"


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_key_that_is_missing_is_named(monkeypatch, capsys, missing):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv(missing)
    with pytest.raises(typer.Exit):
        find(None, "http://10.0.0.1:4750")
    assert missing in capsys.readouterr().err


def test_a_folder_says_whom_to_trust_over_https_and_only_then(place):
    assert find(place, None).authorities == ""
    bundle = place / "keys" / "ca.pem"
    bundle.write_text("PEM")
    assert find(place, None).authorities == ""
    (place / "run" / "address").write_text("https://127.0.0.1:4750\n")
    assert find(place, None).authorities == str(bundle)
    bundle.unlink()
    assert find(place, None).authorities == "", "every system trusts it"


def test_a_server_elsewhere_is_trusted_as_aws_s_clients_are_told(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    assert find(None, "https://registry.lab").authorities == ""
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/ca.pem")
    assert find(None, "https://registry.lab").authorities == "/etc/ca.pem"


def test_a_bundle_that_cannot_be_used_ends_a_stream_s_command(secure_place, capsys):
    (secure_place / "keys" / "ca.pem").write_text("nothing")
    with pytest.raises(typer.Exit):
        find(secure_place, None).connector()
    assert str(secure_place / "keys" / "ca.pem") in capsys.readouterr().err
