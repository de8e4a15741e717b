"""Settings: flags over environment over file over default, and refusals that name the source."""

import pytest

from moorage.gateway.settings import REASONS, Settings, SettingsRefused, load


def test_every_setting_has_its_reason():
    assert set(REASONS) == set(Settings.__struct_fields__)


def test_each_source_overrides_the_one_below(tmp_path):
    (tmp_path / "moorage.toml").write_text(
        "settle_seconds = 1\nheader_seconds = 2\nconnections = 64"
    )
    environment = {"MOORAGE_SETTLE_SECONDS": "3", "MOORAGE_HEADER_SECONDS": "4"}
    sourced = load({"data": str(tmp_path), "settle_seconds": 5.0}, environment)
    told = sourced.settings
    assert (told.settle_seconds, told.header_seconds, told.connections) == (5.0, 4.0, 64)
    assert sourced.sources["settle_seconds"] == "--settle-seconds"
    assert sourced.sources["header_seconds"] == "MOORAGE_HEADER_SECONDS"
    assert sourced.sources["connections"] == str(tmp_path / "moorage.toml")
    assert sourced.sources["regions"] == "default"


def test_lists_come_from_the_environment_with_commas(tmp_path):
    environment = {"MOORAGE_DATA": str(tmp_path), "MOORAGE_REGIONS": "us-east-1, eu-west-1"}
    assert load({}, environment).settings.regions == ("us-east-1", "eu-west-1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("settle_second = 1", "there is no setting settle_second"),
        ("settle_seconds = 'soon'", "settle_seconds"),
        ("settle_seconds = -1", "must be between"),
        ("stopped_task_retention_hours = 0.5", "must be between 1"),
        ("regions = []", "regions"),
        ("not toml", "moorage.toml"),
    ],
)
def test_a_bad_setting_is_refused_by_name(tmp_path, content, said):
    (tmp_path / "moorage.toml").write_text(content)
    with pytest.raises(SettingsRefused, match=said):
        load({"data": str(tmp_path)}, {})


def test_a_named_file_must_be_there(tmp_path):
    with pytest.raises(SettingsRefused, match="no such file"):
        load({}, {}, tmp_path / "absent.toml")
