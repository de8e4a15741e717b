import pytest
from typer.testing import CliRunner

from moorage.cli.down import app
from moorage.cli.engine import EngineSize
from moorage.cli.plan import Plan, keep, shares


def down(place, *words):
    return CliRunner().invoke(app, ["--data", str(place), *words])


def test_where_nothing_runs_nothing_is_stopped(place):
    result = down(place)
    assert result.exit_code == 0
    assert "Nothing runs" in result.stdout
    assert place.exists()


@pytest.mark.parametrize("made", [False, True])
def test_purge_leaves_a_folder_that_up_did_not_make(tmp_path, made):
    folder = tmp_path / "letters"
    if made:
        folder.mkdir()
        (folder / "dear").write_text("mother")
    result = down(folder, "--purge")
    assert result.exit_code == 0
    assert "holds nothing that `up` made" in result.stdout
    assert folder.exists() is made


def test_purge_without_its_engine_keeps_the_data(place, tmp_path):
    """Containers that could not be removed must still be findable by the next try."""
    engine = EngineSize(id="E", version="20.10", cores=2, memory=4096)
    keep(
        Plan(
            data=str(place),
            port=4750,
            docker_socket=str(tmp_path / "none.sock"),
            hosts=shares(engine, 2),
            settle_seconds=5.0,
        )
    )
    result = down(place, "--purge")
    assert result.exit_code == 1
    assert "Containers are left" in result.stderr
    assert place.exists()
