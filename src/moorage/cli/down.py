"""`moorage down`: stop what `up` started."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from moorage.agent.engine.labels import LABEL_INSTANCE
from moorage.agent.options import OptionsRefused
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
    try:
        for host in made.hosts:
            # By the instance, not by its name: other installations may share this engine.
            label = f"{LABEL_INSTANCE}={plan.instance_of(place, host) or 'none'}"
            found = engine.containers_of(socket_path, label)
            for container in found:
                engine.remove_container(
                    socket_path, container, grace_seconds=CONTAINER_GRACE_SECONDS
                )
            typer.echo(f"Removed {len(found)} container(s) of {host.name}.")
    except (engine.EngineAway, OptionsRefused) as refused:
        fail(f"Containers are left: {refused}", f"{place} is kept, so that they can be found.")
    shutil.rmtree(place)
    typer.echo(f"Removed {place}.")
