"""Each subcommand explains itself, with an example that is a command of ours."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from moorage.cli.main import COMMANDS, usage

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def moorage(*words):
    return subprocess.run(
        [sys.executable, "-m", "moorage.cli.main", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def commands(name):
    """Every command under a subcommand: itself, or those of its group, by the words that call it."""
    app = importlib.import_module(COMMANDS[name][0]).app
    found = typer.main.get_command(app)
    inner = getattr(found, "commands", {})
    return {(name, word): one for word, one in inner.items()} or {(name,): found}


def test_usage_lists_every_command_with_its_line():
    text = usage()
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in text
        assert line in text


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_command_the_program_explains_itself(words):
    done = moorage(*words)
    assert (done.returncode, done.stdout) == (0, usage())


def test_a_misspelt_command_gets_a_hint():
    done = moorage("statsu")
    assert done.returncode == 2
    assert "Did you mean status?" in done.stderr


def test_nothing_near_gets_no_hint():
    done = moorage("zzz")
    assert done.returncode == 2
    assert "Did you mean" not in done.stderr


def test_the_version_is_the_projects():
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    assert moorage("--version").stdout == f"moorage {version}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    for words, command in commands(name).items():
        example = f"Example: {'moorage ' + ' '.join(words)}"
        assert command.help, words
        assert command.epilog, words
        assert " ".join(words) in command.epilog, (words, example)
        assert command.epilog.startswith("Example: "), words


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name):
    for words, command in commands(name).items():
        for parameter in command.params:
            if parameter.name != "help":
                assert getattr(parameter, "help", None), (words, parameter.name)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_well(name):
    app = importlib.import_module(COMMANDS[name][0]).app
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout
