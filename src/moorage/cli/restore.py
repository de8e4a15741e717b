"""`moorage restore`: a data folder made of a backup, while no server runs on it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from moorage.cli.place import fail
from moorage.gateway.backup import Progress
from moorage.gateway.restore import Outcome, RestoreRefused, Wanted
from moorage.gateway.restore import restore as restored
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage restore /backups/moorage --data /var/lib/moorage --replace")
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What moorage backup made.")],
    data: Annotated[Path, typer.Option("--data", help="The data folder to make.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move a data folder that is there aside.")
    ] = False,
    database: Annotated[
        str,
        typer.Option(
            help="An empty postgresql://..., or sqlite; default: SQLite, if it was that.",
            envvar="MOORAGE_DATABASE",  # the server's own: a password stands in no list of processes
        ),
    ] = "",
) -> None:
    """Make a data folder of a backup; everything in it is checked first.

    Stop the server before. The first start on it freezes all clusters until you thaw them.
    """
    console = Console(stderr=True, highlight=False)
    wanted = Wanted(
        source=folder.expanduser().absolute(),
        data=data.expanduser().absolute(),
        replace=replace,
        database=database,
    )
    try:
        with console.status("restore") as status:

            def tell(progress: Progress) -> None:
                status.update(f"{progress.phase}, {progress.done} of {progress.total}")

            outcome = restored(wanted, SystemClock(), SystemChance(), tell)
    except RestoreRefused as refused:
        fail(str(refused))
    _tell(wanted, outcome)


def _tell(wanted: Wanted, outcome: Outcome) -> None:
    made = outcome.manifest
    typer.echo(f"{wanted.data} is as it was at {made.begun_at}: {made.blobs} blobs, all checked.")
    if outcome.aside is not None:
        typer.echo(f"What was there before lies in {outcome.aside}.")
    if outcome.missing:
        typer.echo(f"{len(outcome.missing)} blobs were lost before the backup; push them again.")
    typer.echo(
        "When the server starts on it:\n"
        "  all clusters are frozen: nothing is started, stopped or replaced;\n"
        "  tasks that hosts run and that are newer than the backup are adopted and shown;\n"
        "  hosts that joined after the backup are unknown and must join again.\n"
        "Look at moorage status, then: moorage thaw CLUSTER"
    )
    if wanted.database.startswith("postgres"):
        typer.echo("Start it with the same --database, or set it in moorage.toml.")
