"""`moorage settings`: every setting, its value and where it came from."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from moorage.cli.place import DataOption, data_folder, fail
from moorage.gateway.settings import REASONS, SettingsRefused, load

# The password in postgresql://user:password@host/name, or in its query.
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*:)[^@\s]*(?=@)|([?&]password=)[^&\s]*")
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: MOORAGE_SETTLE_SECONDS=10 moorage settings")
def settings(
    data: DataOption = None,
    config: Annotated[Path | None, typer.Option(help="A settings file elsewhere.")] = None,
) -> None:
    """Show every setting of the server, its value, where it came from and what it is for."""
    try:
        sourced = load({"data": str(data_folder(data))}, os.environ, config)
    except SettingsRefused as refused:
        fail(str(refused))
    table = Table("setting", "value", "from", "what it is for")
    for name, source in sourced.sources.items():
        value = getattr(sourced.settings, name)
        table.add_row(name, shown(value), source, REASONS[name])
    Console().print(table)


def shown(value: object) -> str:
    """A value as people may see it: lists in a line, tables by their names, no password of a URL."""
    listed = list(value) if isinstance(value, (tuple, dict)) else None
    text = str(value) if listed is None else ", ".join(listed)
    return _PASSWORD.sub(r"\1\2...", text)
