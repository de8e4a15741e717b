"""A value comes from a flag, else from the environment, else from the file, else it is the default."""

import pytest
from typer.testing import CliRunner

from moorage.cli.settings import app, shown
from moorage.gateway.settings import REASONS, Settings, SettingsRefused, load


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "moorage.toml").write_text(
        'settle_seconds = 11.0\nconnections = 99\nregions = ["eu-west-1", "us-east-1"]\n'
    )
    return tmp_path


def test_each_source_is_before_the_next(folder):
    environment = {"MOORAGE_SETTLE_SECONDS": "12", "MOORAGE_HEADER_SECONDS": "7"}
    flags = {"data": str(folder), "header_seconds": 8.0}
    found = load(flags, environment)
    shown = {name: getattr(found.settings, name) for name in found.sources}
    picked = ("header_seconds", "settle_seconds", "connections", "log_file_mib")
    assert [(shown[name], found.sources[name]) for name in picked] == [
        (8.0, "--header-seconds"),
        (12.0, "MOORAGE_SETTLE_SECONDS"),
        (99, str(folder / "moorage.toml")),
        (16, "default"),
    ]
    assert found.settings.regions == ("eu-west-1", "us-east-1")


def test_lists_are_parted_by_commas_in_the_environment(tmp_path):
    environment = {"MOORAGE_PUBLIC_NAMES": "a:1, b:2,", "MOORAGE_DATA": str(tmp_path)}
    assert load({}, environment).settings.public_names == ("a:1", "b:2")


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MOORAGE_SETTLE_SECONDS": "soon"}, "MOORAGE_SETTLE_SECONDS"),
        ({"MOORAGE_SETTLE_SECONDS": "-1"}, "MOORAGE_SETTLE_SECONDS"),
        ({"MOORAGE_STOPPED_TASK_RETENTION_HOURS": "0.5"}, "between 1 and"),
        ({"MOORAGE_REGIONS": ","}, "at least one"),
        ({"MOORAGE_CONNECTIONS": "1"}, "connections"),
        ({"MOORAGE_INSECURE": "perhaps"}, "MOORAGE_INSECURE"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_source(tmp_path, environment, named):
    with pytest.raises(SettingsRefused, match=named):
        load({"data": str(tmp_path)}, environment)


@pytest.mark.parametrize(
    ("text", "named"),
    [("settle_secnds = 1\n", "settle_secnds"), ("= 1\n", "toml"), ("listen = 5\n", "listen")],
)
def test_a_file_with_a_mistake_is_refused(tmp_path, text, named):
    (tmp_path / "moorage.toml").write_text(text)
    with pytest.raises(SettingsRefused, match=named):
        load({"data": str(tmp_path)}, {})


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(SettingsRefused, match="no such file"):
        load({"data": str(tmp_path)}, {}, tmp_path / "none.toml")


def test_each_setting_has_its_reason():
    assert set(REASONS) == set(Settings.__struct_fields__)


def test_the_defaults_can_be_used(tmp_path):
    found = load({"data": str(tmp_path)}, {}).settings
    assert found == Settings(data=str(tmp_path))


def test_the_command_shows_where_each_came_from(folder):
    environment = {"COLUMNS": "200", "MOORAGE_SETTLE_SECONDS": "12"}
    result = CliRunner().invoke(app, ["--data", str(folder)], env=environment)
    assert result.exit_code == 0
    assert "MOORAGE_SETTLE_SECONDS" in result.stdout
    for name in REASONS:
        assert name in result.stdout


def test_the_command_refuses_what_the_server_refuses(tmp_path):
    (tmp_path / "moorage.toml").write_text("connections = 1\n")
    result = CliRunner().invoke(app, ["--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "connections" in result.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("postgresql://moorage:s3cret@db:5432/moorage", "postgresql://moorage:...@db:5432/moorage"),
        ("postgresql://moorage@db/moorage", "postgresql://moorage@db/moorage"),
        ("postgresql://db/m?user=a&password=s3cret", "postgresql://db/m?user=a&password=..."),
        ("postgresql://db/m?password=s3cret&x=1", "postgresql://db/m?password=...&x=1"),
        ("postgresql://db:5432/m", "postgresql://db:5432/m"),
        ("127.0.0.1:4750", "127.0.0.1:4750"),
        (("a:1", "b:2"), "a:1, b:2"),
        (40.0, "40.0"),
    ],
)
def test_a_password_is_not_shown(value, text):
    assert shown(value) == text
