import os
import subprocess

import pytest

import engine
from moorage.gateway import folder


@pytest.fixture
def place(tmp_path):
    folder.prepare(tmp_path)
    return tmp_path


def test_an_engine_that_docker_host_names_is_not_ours_to_start(place):
    said = []
    with pytest.raises(engine.EngineRefused, match="DOCKER_HOST names it"):
        engine.ensure(place, place / "none.sock", said.append)
    assert said == []
    assert not (place / engine.PID_FILE).exists()


@pytest.mark.parametrize("text", ["", "x", "999999999", str(os.getpid())])
def test_a_pid_file_of_nobody_or_of_another_program_names_no_dockerd(place, text):
    (place / engine.PID_FILE).write_text(text)
    assert engine.own_dockerd(place) is None


def test_no_pid_file_names_no_dockerd(place):
    assert engine.own_dockerd(place) is None


def test_what_is_left_of_an_ended_process_is_no_process():
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert engine._process_name(child.pid) == ""


def test_a_dockerd_that_serves_is_kept_and_one_that_ends_is_not(place):
    """A program that ends at once stands for a dockerd that this kernel does not let start."""
    assert not engine._stays(["false"], place, place / "none.sock")
    assert not (place / engine.PID_FILE).exists()


def test_the_ways_to_start_begin_with_the_engines_own_choice():
    assert engine.STARTS[0] == ()
    assert len(set(engine.STARTS)) == len(engine.STARTS)


def test_what_apt_said_is_told(place):
    (place / engine.APT_LOG_FILE).write_text("E: Unable to locate package docker.io\n")
    error = subprocess.CalledProcessError(100, ["apt-get"])
    assert engine.refusal_of_apt(place, error).splitlines() == [
        "apt ended with 100. It says:",
        "E: Unable to locate package docker.io",
    ]
