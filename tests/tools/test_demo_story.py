import sys

import pytest
from rich.console import Console

from demo_story import Commands, DemoFailed, Step, Story, last_lines, spelled
from moorage.ground.clock import ManualClock
from moorage.ground.instant import seconds

ENVIRONMENT = {"PATH": "/bin:/usr/bin"}


@pytest.fixture
def told(tmp_path):
    """A story, its clock, and what has been shown of it."""
    file = (tmp_path / "shown").open("w+")
    clock = ManualClock()
    story = Story(Console(file=file, width=80, force_terminal=False), clock)

    def shown():
        file.flush()
        return (tmp_path / "shown").read_text()

    yield story, clock, shown
    file.close()


def test_steps_have_numbers_and_times(told):
    story, clock, shown = told
    with story.step("first"):
        clock.advance(seconds(1.25))
    with story.step("second") as step:
        step.title = "second, as it turned out"
        step.say("with a [line] below")
    story.end("all in all")
    lines = [line.rstrip() for line in shown().splitlines()]
    assert lines[0].startswith(" 1. first ")
    assert lines[0].endswith(" 1.2 s")
    assert lines[1].startswith(" 2. second, as it turned out ")
    assert lines[2] == "    with a [line] below"
    assert lines[3].endswith(" 1.2 s")


def test_a_step_that_fails_says_so_and_passes_the_reason_on(told):
    story, _, shown = told

    def fail():
        with story.step("broken") as step:
            step.say("$ what was typed")
            raise DemoFailed("no luck")

    with pytest.raises(DemoFailed, match="no luck"):
        fail()
    assert " 1. broken: failed" in shown()
    assert "$ what was typed" in shown()


def test_a_command_is_shown_and_its_output_answered():
    step = Step("s")
    assert Commands(ENVIRONMENT).run(step, ["echo", "a b"]) == "a b\n"
    assert step.lines == ["$ echo 'a b'"]


def test_what_is_handed_to_a_command_is_shown_nowhere():
    step = Step("s")
    commands = Commands(ENVIRONMENT)
    assert commands.run(step, ["cat"], hidden_input="password") == "password"
    assert "password" not in "".join(step.lines)


def test_a_command_sees_only_the_environment_that_it_is_given(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    printed = Commands(ENVIRONMENT).run(Step("s"), ["env"])
    assert "AWS_PROFILE" not in printed


def test_a_command_that_fails_is_told_with_its_last_lines():
    with pytest.raises(DemoFailed, match=r"(?s)ended with 3.*out of order") as failed:
        Commands(ENVIRONMENT).run(Step("s"), ["sh", "-c", "echo out of order >&2; exit 3"])
    assert "sh -c" in str(failed.value)


def test_a_command_that_does_not_end_is_ended():
    with pytest.raises(DemoFailed, match=r"did not end within 0\.2 s"):
        Commands(ENVIRONMENT).run(Step("s"), ["sleep", "20"], seconds_max=0.2)


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(DemoFailed, match="no-such-program"):
        Commands(ENVIRONMENT).run(Step("s"), ["no-such-program"])


def test_programs_below_here_go_by_their_short_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [f"{tmp_path}/.venv/bin/aws", "ecs", "x y", sys.executable]
    assert spelled(command) == f".venv/bin/aws ecs 'x y' {sys.executable}"


def test_the_end_of_a_log(tmp_path):
    (tmp_path / "log").write_text('1\n2\n{"code": "ok"}\n3\n')
    assert last_lines(tmp_path / "log", 2) == ["2", "3"]
    assert last_lines(tmp_path / "none") == []
