"""`moorage up` for others, too: what cannot be meant is refused before anything is started."""

import pytest
import typer

from moorage.cli.up import _heard


@pytest.mark.parametrize(
    ("listen", "names", "told"),
    [
        ("0.0.0.0:4750", [], "--public-name"),
        ("10.0.0.5", [], "ADDRESS:PORT"),
        ("10.0.0.5:4750", ["two words"], "public name"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, capsys, listen, names, told):
    with pytest.raises(typer.Exit):
        _heard(tmp_path, listen, 4750, names)
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("listen", "names", "heard"),
    [(None, [], "127.0.0.1:4751"), ("0.0.0.0:80", ["a.lab"], "0.0.0.0:80")],
)
def test_loopback_is_the_default(tmp_path, listen, names, heard):
    settings = _heard(tmp_path, listen, 4751, names)
    assert (settings.listen, settings.public_names) == (heard, tuple(names))


def test_the_folder_s_own_settings_count(tmp_path):
    (tmp_path / "moorage.toml").write_text('public_names = ["a.lab"]\n')
    assert _heard(tmp_path, "0.0.0.0:80", 4750, []).public_names == ("a.lab",)
