import contextlib
import socket
import ssl
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moorage.cli import doctor
from moorage.cli.plan import Plan, keep
from moorage.gateway.tls import server_context
from moorage.ground.instant import hours, later
from tests.certificates import Office

CONNECTIONS_MAX = 100


def a_plan(place, port):
    return Plan(data=str(place), port=port, docker_socket="/none", hosts=(), settle_seconds=5.0)


def test_a_folder_that_is_not_there_is_fine(tmp_path):
    assert doctor._folder(tmp_path / "none").verdict == "good"


def test_a_folder_of_another_kind_is_not(tmp_path):
    (tmp_path / "letters").mkdir()
    assert doctor._folder(tmp_path / "letters").verdict == "bad"


def test_a_folder_of_ours_is_good(place):
    assert doctor._folder(place).verdict == "good"


def test_a_folder_of_a_newer_program_is_told(place):
    (place / "VERSION").write_text("2\n")
    found = doctor._folder(place)
    assert (found.verdict, "layout 2" in found.what) == ("bad", True)


def test_a_restored_folder_is_told_until_its_first_start(place):
    assert doctor._restored(place).verdict == "good"
    (place / "RESTORED").write_text("{}")
    found = doctor._restored(place)
    assert (found.verdict, "restored from a backup" in found.what) == ("mind", True)


def test_a_master_key_that_others_can_read_is_told_with_its_cure(place):
    key = place / "keys" / "master"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    found = doctor._folder(place)
    assert found.verdict == "bad"
    assert found.advice == f"chmod 600 {key}"
    key.chmod(0o600)
    assert doctor._folder(place).verdict == "good"


def test_a_taken_port_is_named_with_its_holder(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        keep(a_plan(place, taken.getsockname()[1]))
        found = doctor._port(place)
    assert found.verdict == "mind"
    assert "(pid " in found.what
    assert "--port" in found.advice
    assert doctor._port(place).verdict == "good"


def test_no_engine_is_bad_and_says_what_to_install(tmp_path):
    found = doctor._engine(tmp_path / "none.sock")
    assert found.verdict == "bad"
    assert "docker.io" in found.advice


@pytest.mark.parametrize(
    ("version", "broken"),
    [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 0), False)],
)
def test_versions_with_the_wal_reset_bug(version, broken):
    assert (doctor.SQLITE_BROKEN_SINCE <= version < doctor.SQLITE_MENDED) is broken


def test_disk_is_measured_where_the_folder_will_be(tmp_path):
    assert str(tmp_path) in doctor._disk(tmp_path / "not" / "yet").what


def test_the_command_fails_where_anything_is_bad(place, tmp_path):
    arguments = ["--data", str(place), "--docker", str(tmp_path / "none.sock")]
    result = CliRunner().invoke(doctor.app, arguments, env={"COLUMNS": "300"})
    assert result.exit_code == 1
    assert "no engine answers" in result.stdout
    assert Path(place).name in result.stdout


@contextlib.contextmanager
def serving(place, files):
    """A server that shows these files, in a thread; the folder says that it is there."""
    context = server_context(files.certificate, files.key)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        context.wrap_socket(listening, server_side=True) as secured,
    ):

        def serve():
            with contextlib.suppress(OSError):
                for _ in range(CONNECTIONS_MAX):
                    with contextlib.suppress(ssl.SSLError):
                        secured.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        (place / "run" / "address").write_text(f"https://127.0.0.1:{secured.getsockname()[1]}\n")
        (place / "keys" / "ca.pem").write_text(files.authority.read_text())
        try:
            yield
        finally:
            secured.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize(
    ("age_days", "names", "verdict", "told"),
    [
        (0, (), "good", "is good until"),
        (80, (), "mind", "ends at"),
        (91, (), "bad", "expired"),
        (0, ("other.test",), "bad", "not valid for"),
    ],
)
def test_the_certificate_is_looked_at_as_clients_do(
    place, tmp_path, age_days, names, verdict, told
):
    office = Office(1)
    made = later(office.now, -hours(24 * age_days))
    with serving(place, office.write(tmp_path / "given", *names, now=made)):
        found = doctor._certificate(place, office.now)
    assert (found.verdict, told in found.what) == (verdict, True), found


def test_a_certificate_of_somebody_else_is_bad(place, tmp_path):
    office = Office(1)
    with serving(place, office.write(tmp_path / "given")):
        (place / "keys" / "ca.pem").write_text(Office(2).authority.certificate)
        found = doctor._certificate(place, office.now)
    assert found.verdict == "bad"
    assert str(place / "keys" / "ca.pem") in found.what


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("http://127.0.0.1:4750", "good"),
        ("http://10.0.0.5:4750", "mind"),
        ("https://127.0.0.1:1", "mind"),
    ],
)
def test_what_shows_no_certificate_is_told(place, address, verdict):
    (place / "run" / "address").write_text(address + "\n")
    assert doctor._certificate(place, Office(1).now).verdict == verdict


@pytest.mark.parametrize("name", ["server-key.pem", "operator.json", "root.json"])
def test_a_key_that_others_can_read_is_told(place, name):
    for other in (place / "keys").iterdir():
        other.chmod(0o600)
    key = place / "keys" / name
    key.write_text("key")
    key.chmod(0o644)
    assert doctor._folder(place).advice == f"chmod 600 {key}"
