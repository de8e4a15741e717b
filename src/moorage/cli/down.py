"""`moorage down`: stop what `up` started."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from moorage.cli import engine, plan
from moorage.cli.place import DataOption, data_folder, fail
from moorage.cli.processes import alive, end

STOP_SECONDS_MAX = 40.0
CONTAINER_GRACE_SECONDS = 10
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage down --purge   (removes containers and data too)")
def down(
    data: DataOption = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove the hosts' containers and the data as well.")
    ] = False,
) -> None:
    """Stop server and agents. Containers run on, and are taken up again by the next `up`."""
    place = data_folder(data)
    pid = alive(place / plan.PID_FILE)
    if pid is None:
        typer.echo(f"Nothing runs from {place}.")
    elif _end(pid):
        typer.echo("Stopped server and agents.")
    else:
        typer.secho(f"The supervisor (pid {pid}) does not end.", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    if purge:
        _purge(place)
    elif pid is not None:
        typer.echo("Containers run on; `moorage up` takes them up again, --purge removes them.")


def _end(pid: int) -> bool:
    try:
        return end(pid, STOP_SECONDS_MAX)
    except PermissionError:
        fail(f"Moorage (pid {pid}) was started by another user.", "Run this as that user: sudo ...")


def _purge(place: Path) -> None:
    made = plan.read(place)
    if made is None:
        typer.echo(f"{place} holds nothing that `up` made.")
        return
    socket_path = Path(made.docker_socket)
    for host in made.hosts:
        try:
            found = engine.containers_of(socket_path, f"moorage.host={host.name}")
            for container in found:
                engine.remove_container(
                    socket_path, container, grace_seconds=CONTAINER_GRACE_SECONDS
                )
        except engine.EngineAway as away:
            typer.secho(f"Containers are left: {away}", fg=typer.colors.RED, err=True)
            raise typer.Exit(1) from away
        typer.echo(f"Removed {len(found)} container(s) of {host.name}.")
    shutil.rmtree(place)
    typer.echo(f"Removed {place}.")
