"""The AWS configuration belongs to its user: one section is written, every other line stays."""

import configparser

import pytest
from typer.testing import CliRunner

from moorage.cli.place import find
from moorage.cli.profile import _merge, app, config_members

MEMBERS = {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:4750"}
THEIRS = """# my own notes
[default]
region = eu-west-1
s3 =
  max_concurrent_requests = 20

[profile work]
sso_session=corp
; a comment of mine
[sso-session corp]
sso_region = eu-west-1
"""


def merged(path, section="profile moorage", members=None):
    _merge(path, section, members or MEMBERS)
    return path.read_text()


def test_a_first_file_is_made_for_its_owner_only(tmp_path):
    path = tmp_path / "aws" / "config"
    assert merged(path) == (
        "[profile moorage]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:4750\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_other_line_stays(tmp_path):
    path = tmp_path / "config"
    path.write_text(THEIRS)
    text = merged(path)
    assert text.startswith(THEIRS.rstrip())
    assert text.endswith("endpoint_url = http://127.0.0.1:4750\n")


def test_twice_is_once(tmp_path):
    path = tmp_path / "config"
    path.write_text(THEIRS)
    assert merged(path) == merged(path)


def test_our_section_is_replaced_where_it_stands_between_others(tmp_path):
    path = tmp_path / "config"
    path.write_text(
        "[profile a]\nregion = x\n[profile moorage]\nregion = old\ncli_pager = less\n"
        "[profile b]\nregion = y\n"
    )
    merged(path)
    parsed = configparser.RawConfigParser()
    parsed.read(path)
    assert dict(parsed["profile moorage"]) == MEMBERS
    assert parsed["profile a"]["region"] == "x"
    assert parsed["profile b"]["region"] == "y"


def test_a_profile_whose_name_only_begins_alike_is_another(tmp_path):
    path = tmp_path / "config"
    path.write_text("[profile moorage-2]\nregion = z\n")
    assert "[profile moorage-2]\nregion = z" in merged(path)


def installed(place, home, name="moorage"):
    environment = {"HOME": str(home), "PATH": str(home)}
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment[variable] = None
    return CliRunner().invoke(app, ["install", name, "--data", str(place)], env=environment)


def test_install_writes_both_files(place, tmp_path):
    assert installed(place, tmp_path).exit_code == 0
    config, credentials = configparser.RawConfigParser(), configparser.RawConfigParser()
    config.read(tmp_path / ".aws" / "config")
    credentials.read(tmp_path / ".aws" / "credentials")
    assert config["profile moorage"]["endpoint_url"] == "http://127.0.0.1:4750"
    assert dict(credentials["moorage"]) == {
        "aws_access_key_id": "AKIAROOT",
        "aws_secret_access_key": "root/secret+key",
    }


@pytest.mark.parametrize("name", ["default", "a]b", "", "a b", "x\ny"])
def test_a_name_that_would_do_harm_is_refused(place, tmp_path, name):
    assert installed(place, tmp_path, name).exit_code == 1
    assert not (tmp_path / ".aws").exists()


def test_a_profile_says_whom_to_trust_where_there_is_tls(secure_place):
    members = config_members(find(secure_place, None, key="root"))
    assert members["ca_bundle"] == str(secure_place / "keys" / "ca.pem")
    assert members["endpoint_url"].startswith("https://")
