"""`moorage restore`, as far as nothing is restored; the rest is shown in tests/clients."""

import msgspec
from typer.testing import CliRunner

from moorage.cli.restore import app
from moorage.gateway.backup import MANIFEST, Manifest

OF_POSTGRESQL = Manifest(
    format=1,
    moorage="0",
    engine="postgresql",
    schema=1,
    layout=1,
    begun_at="",
    finished_at="",
    last_commit=0,
    timeline=0,
    database="moorage-1.db",
    database_bytes=0,
    database_sha256="0",
    blobs=0,
    blob_bytes=0,
    keys=True,
)


def test_the_url_of_a_database_can_be_kept_out_of_the_list_of_processes(tmp_path):
    (tmp_path / MANIFEST).write_bytes(msgspec.json.encode(OF_POSTGRESQL))
    (tmp_path / OF_POSTGRESQL.database).touch()
    words = [str(tmp_path), "--data", str(tmp_path / "new")]
    told = CliRunner().invoke(app, words, env={"MOORAGE_DATABASE": ""})
    assert "Name an empty database" in told.output
    told = CliRunner().invoke(app, words, env={"MOORAGE_DATABASE": "postgresql://u:hush@db/m"})
    assert "is damaged" in told.output.replace("\n", " "), "what comes after the database is named"
    assert "hush" not in told.output
