"""What every install and uninstall does with a unit, once it is known what the unit runs."""

from pathlib import Path
from typing import NoReturn

import typer

from moorage.cli.install.systemd import (
    SECRETS,
    SECRETS_MODE,
    UNIT_MODE,
    UNITS,
    Systemd,
    SystemdRefused,
)
from moorage.cli.install.unit import Unit, environment, text
from moorage.cli.place import fail


def show(unit: Unit) -> None:
    """Print the unit's file to standard output, and nothing else there."""
    typer.echo(text(unit, _secrets(unit.name)), nl=False)


def demand(systemd: Systemd, unit: Unit) -> None:
    """Go on where systemd runs; else say so, show what would be done, and end."""
    if systemd.runs():
        return
    typer.secho(
        "moorage: systemd does not run on this machine, so nothing was installed.",
        err=True,
        fg=typer.colors.RED,
    )
    typer.echo(f"Where it runs, this would be written to {UNITS / unit.file}:\n", err=True)
    show(unit)
    typer.echo(f"\nand then: systemctl daemon-reload; systemctl enable --now {unit.file}", err=True)
    raise typer.Exit(1)


def install(systemd: Systemd, unit: Unit) -> None:
    """Write the unit, enable it and start it, or start it again as it is now."""
    try:
        if unit.secrets:
            systemd.write(_secrets(unit.name), environment(unit.secrets), SECRETS_MODE)
        systemd.write(UNITS / unit.file, text(unit, _secrets(unit.name)), UNIT_MODE)
        systemd.control("daemon-reload")
        systemd.control("enable", unit.file)
        systemd.control("restart", unit.file)
    except SystemdRefused as refused:
        _give_up(refused)
    typer.echo(
        f"{unit.file} runs, and will after each start of this machine. Its log: journalctl -u "
        f"{unit.name} -f"
    )


def uninstall(systemd: Systemd, name: str) -> None:
    """Stop the unit and remove it; its data stays."""
    path = UNITS / f"{name}.service"
    if not systemd.runs():
        fail(
            "systemd does not run on this machine.",
            f"Where it runs: systemctl disable --now {path.name}; rm {path}; "
            "systemctl daemon-reload",
        )
    try:
        if path.exists():
            systemd.control("disable", "--now", path.name)
        there = systemd.remove(path)
        systemd.remove(_secrets(name))
        systemd.control("daemon-reload")
    except SystemdRefused as refused:
        _give_up(refused)
    typer.echo(f"{path.name} is removed." if there else f"{path.name} was not installed.")


def _secrets(name: str) -> Path:
    return SECRETS / f"{name}.env"


def _give_up(refused: SystemdRefused) -> NoReturn:
    fail(str(refused))
