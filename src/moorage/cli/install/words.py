"""What was typed after `install`, as the words of the command that a unit runs.

The options are those of the command itself, read by its own parser, so that both agree for ever.
"""

import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from moorage.ground.record import Record


class Given(Record):
    """What was typed: every option's value by its name, and those that differ, spelled out."""

    values: dict[str, Any]
    spelled: tuple[tuple[str, tuple[str, ...]], ...]

    def words(self, leave_out: Collection[str] = ()) -> tuple[str, ...]:
        """The options that differ from their defaults, in the command's own order."""
        return tuple(
            word for name, words in self.spelled if name not in leave_out for word in words
        )


def parsed(app: typer.Typer, name: str, words: Sequence[str]) -> Given:
    """The options of the command `name` as it would read them; refuses what it would refuse."""
    command: Any = get_command(app)
    context = command.make_context(f"moorage {name} install", list(words))
    found: list[tuple[str, tuple[str, ...]]] = []
    for option in command.params:
        value = context.params.get(option.name)
        if value is not None and value != option.get_default(context):
            found.append((option.name, _words(option, value)))
    return Given(values=dict(context.params), spelled=tuple(found))


def moorage() -> tuple[str, ...]:
    """The program that runs now, by its full path."""
    script = Path(sys.executable).with_name("moorage")
    found = str(script) if script.exists() else shutil.which("moorage")
    return (found,) if found else (sys.executable, "-m", "moorage.cli.main")


def _words(option: Any, value: Any) -> tuple[str, ...]:
    """One option as words; paths are made absolute, for a unit runs in no folder of one's own."""
    flag: str = option.opts[0]
    if option.is_flag:
        return (flag,)
    found: list[str] = []
    for one in value if isinstance(value, list | tuple) else (value,):
        found += [flag, str(one.expanduser().absolute()) if isinstance(one, Path) else str(one)]
    return tuple(found)
