import signal
import subprocess
import sys

import pytest

from moorage.cli.processes import alive, end, wait_until

WAITS = "import signal, sys; print('moorage', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\n"
    "while True: signal.pause()"
)


@pytest.fixture
def child():
    """Starts a program whose command line names moorage, and waits until it runs."""
    started = []

    def start(program):
        command = [sys.executable, "-c", program, "moorage"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_pid_file_of_a_living_process_names_it(child, tmp_path):
    process = child(WAITS)
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    assert alive(tmp_path / "pid") == process.pid


@pytest.mark.parametrize("text", ["", "nonsense", "999999999\n", "1\n"])
def test_a_pid_file_of_nobody_or_of_another_program_names_none(tmp_path, text):
    """Pids are used again: a stale file must never lead to a stranger's end."""
    (tmp_path / "pid").write_text(text)
    assert alive(tmp_path / "pid") is None


def test_no_pid_file_names_none(tmp_path):
    assert alive(tmp_path / "pid") is None


def test_end_asks_and_waits(child):
    """Nobody has waited for the child yet: what is left of it in /proc is no life."""
    process = child(WAITS)
    assert end(process.pid, 5.0)
    assert process.wait() == -signal.SIGTERM


def test_one_that_is_gone_has_ended(child):
    process = child(WAITS)
    process.kill()
    process.wait()
    assert end(process.pid, 0.1)


def test_one_that_does_not_heed_is_said_to_live_on(child):
    process = child(DEAF)
    assert not end(process.pid, 0.2)
    assert process.poll() is None


def test_wait_until_looks_again_until_it_holds():
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), 5.0)


def test_wait_until_gives_up():
    assert not wait_until(lambda: False, 0.1)
