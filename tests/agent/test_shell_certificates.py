"""The engine's certs.d: written for logins, never over what is somebody else's."""

import logging
import os
from pathlib import Path

import pytest

from moorage.agent.certificates import MARK, Logins, folder_for, write
from moorage.agent.options import AgentOptions
from moorage.agent.trust import Trust
from tests.agent.test_shell_trust import OTHERS, OURS

NAME = "registry.lab:4750"


def options(folder: Path, **more: object) -> AgentOptions:
    return AgentOptions(endpoint="https://registry.lab:4750", data=folder, **more)  # type: ignore[arg-type]


def test_each_name_is_believed_and_a_change_is_followed(tmp_path: Path) -> None:
    names = (NAME, "10.0.0.1:4750", "registry.lab:443")
    done = write(tmp_path, names, OURS.pem)
    assert len(done.written) == 4
    assert not done.left
    path = tmp_path / NAME / "ca.crt"
    assert path.read_text() == MARK + OURS.pem
    assert path.stat().st_mode & 0o444 == 0o444
    assert (tmp_path / "registry.lab" / "ca.crt").exists(), "docker leaves the port of https out"
    assert write(tmp_path, names, OURS.pem).written == ()
    assert len(write(tmp_path, names, OTHERS.pem).written) == 4
    assert path.read_text() == MARK + OTHERS.pem
    assert [one.name for one in path.parent.iterdir()] == ["ca.crt"]


def test_a_file_of_somebody_else_is_left_and_said(tmp_path: Path) -> None:
    path = tmp_path / NAME / "ca.crt"
    path.parent.mkdir()
    path.write_text(OTHERS.pem)
    done = write(tmp_path, (NAME,), OURS.pem)
    assert path.read_text() == OTHERS.pem
    assert not done.written
    assert "left as it is" in done.left[0]
    path.write_text(OURS.pem)
    assert write(tmp_path, (NAME,), OURS.pem).left == (), "it says the same already"


@pytest.mark.parametrize(
    "name", ["../../etc:1", "..:1", "/etc:1", "a/b:1", "host", "", "a\n:1", ":1", "a:", "a:123456"]
)
def test_a_name_is_a_folder_and_nothing_else(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "a" / "b"
    done = write(inside, (name,), OURS.pem)
    assert (done.written, done.left) == ((), ())
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("a file, where a folder belongs")
    done = write(tmp_path, (NAME,), OURS.pem)
    assert "docker login" in done.left[0]


def test_only_the_default_engines_folder_is_taken_unasked(tmp_path: Path) -> None:
    etc = tmp_path / "docker"
    assert folder_for(options(tmp_path), etc) == etc / "certs.d"
    other = options(tmp_path, docker_socket=str(tmp_path / "docker.sock"))
    assert folder_for(other, etc) is None
    assert folder_for(options(tmp_path, no_certs_d=True, certs_d=tmp_path), etc) is None
    given = options(tmp_path, docker_socket="/x", certs_d=tmp_path / "certs")
    assert folder_for(given, etc) == tmp_path / "certs"
    if os.geteuid() != 0:
        etc.mkdir(mode=0o500)
        assert folder_for(options(tmp_path), etc) is None


def test_they_follow_names_and_authorities(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ca.pem").write_text(OURS.pem)
    trust = Trust(tmp_path, "https://registry.lab:4750")
    folder = tmp_path / "certs.d"
    foreign = folder / "other.lab:4750" / "ca.crt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("theirs")
    logins = Logins(folder, trust, (NAME,))
    with caplog.at_level(logging.INFO):
        logins.write()
        logins.add((NAME, "other.lab:4750"))
        trust.keep(OURS.pem + OTHERS.pem)
    assert (folder / NAME / "ca.crt").read_text() == MARK + OURS.pem + OTHERS.pem
    assert foreign.read_text() == "theirs"
    assert caplog.text.count("left as it is") == 1, "what is so already is said once"
    Logins(None, trust, (NAME,)).write()
