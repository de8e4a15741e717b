"""Writes docs/reference/command-line.md and settings.md, from the commands and settings themselves.

python tools/reference.py            writes the pages
python tools/reference.py --check    fails where a page is stale
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from moorage.cli import up
from moorage.cli.main import COMMANDS, EPILOG
from moorage.gateway.settings import BOUNDS, ENVIRONMENT_PREFIX, FILE_NAME, REASONS, Settings
from pages import publish

VALUES = {"<path>": "PATH", "<int>": "N", "<float>": "N", "<int range>": "N"}
# Only asked how an option's type is called: which command it belongs to does not matter.
CONTEXT = typer.Context(typer.main.get_command(up.app))
WRITTEN = "<!-- Written by `make matrix` from the code; not by hand. -->"
COMMAND_LINE_HEAD = f"""# Command line

{WRITTEN}

`moorage COMMAND [OPTIONS]`. {EPILOG}

Commands find the server through `--data DIR` (else `$MOORAGE_DATA`, else `.moorage` in the folder
where they are typed), where the operator's key lies, or through `--endpoint URL` with the key from
`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
"""
SETTINGS_HEAD = f"""# Settings

{WRITTEN}

What `moorage serve` can be told. A value comes from a flag of `serve` where there is one, else from
the environment (`{ENVIRONMENT_PREFIX}` and the name in capitals), else from `{FILE_NAME}` in the
data folder (or the file that `--config` names), else it is the default. `moorage settings` shows
each value and where it came from. A name that is not known, or a value out of range, is refused
when the server starts. Lists are parted by commas in the environment and are lists in the file.

`moorage up` starts its server with a `settle_seconds` of 5 unless `--settle-seconds` says otherwise.
"""


def command_line() -> str:
    """The page on the commands."""
    table = [
        f"| [`{name}`](#moorage-{name.replace(' ', '-')}) | {line} |"
        for name, (_, line) in COMMANDS.items()
    ]
    sections = [section for name in COMMANDS for section in commands_of(name)]
    head = [COMMAND_LINE_HEAD, "| command | what it does |", "|---|---|", *table, ""]
    return "\n".join([*head, *sections])


def commands_of(name: str) -> Iterator[str]:
    """The sections of a subcommand: a heading, and one section for each command in its group."""
    command: Any = typer.main.get_command(importlib.import_module(COMMANDS[name][0]).app)
    inner = getattr(command, "commands", None)
    if inner is None:
        yield section(f"## moorage {name}", f"moorage {name}", command)
        return
    yield f"## moorage {name}\n\n{COMMANDS[name][1]}\n"
    for word, one in inner.items():
        yield section(f"### moorage {name} {word}", f"moorage {name} {word}", one)


def section(heading: str, call: str, command: Any) -> str:
    """One command: what it promises, its words and options, its example."""
    parameters = [one for one in command.params if one.name != "help"]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    words = " ".join([call, *(one.metavar or (one.name or "").upper() for one in arguments)])
    lines = [heading, "", f"`{words}{' [OPTIONS]' if options else ''}`", ""]
    lines += [inspect.cleandoc(command.help or ""), ""]
    if options:
        lines += ["| option | meaning | default |", "|---|---|---|", *map(row, options), ""]
    example = (command.epilog or "").removeprefix("Example: ")
    return "\n".join([*lines, f"Example: `{example}`", ""])


def row(option: Any) -> str:
    """A row of a table of options."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    flag = bool(getattr(option, "is_flag", False))
    words = "" if flag else f" {VALUES.get(option.display_type(CONTEXT), 'TEXT')}"
    empty = flag or option.default in (None, "", ()) or callable(option.default)
    required = " Required." if option.required else ""
    shown = "" if empty else f"`{option.default}`"
    return f"| {names}{words} | {cell(option.help or '')}{required} | {shown} |"


def cell(text: str) -> str:
    """A text as it may stand in a table's cell."""
    return text.replace("|", "\\|")


def settings() -> str:
    """The page on the settings."""
    defaults, bounds = Settings(), {name: (low, high) for name, low, high in BOUNDS}
    lines = [
        SETTINGS_HEAD,
        "| setting | default | bounds | what it is for |",
        "|---|---|---|---|",
    ]
    for name, reason in REASONS.items():
        low_high = "{:,} to {:,}".format(*bounds[name]) if name in bounds else ""
        lines.append(
            f"| `{name}` | {shown_default(getattr(defaults, name))} | {low_high} | {reason} |"
        )
    return "\n".join([*lines, ""])


def shown_default(value: object) -> str:
    """A default as it would be written in the settings file; nothing where there is none."""
    if value in ("", (), {}):
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(publish({"command-line.md": command_line(), "settings.md": settings()}))
