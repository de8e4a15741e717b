"""`moorage serve install`: the server as a service of this machine."""

from pathlib import Path
from typing import Annotated

import typer

from moorage.cli import serve as command
from moorage.cli.install import steps
from moorage.cli.install.systemd import HostSystemd, Systemd
from moorage.cli.install.unit import Unit
from moorage.cli.install.words import Given, moorage, parsed

NAME = "moorage"
DATA = Path("/var/lib/moorage")
STOP_SECONDS = 60
OUT_OF_MEMORY = -900
# The URL of a database holds a password: it stands in no unit, and in no list of processes.
SECRETS = {"database": "MOORAGE_DATABASE"}
app = typer.Typer(add_completion=False)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: moorage serve install --listen 0.0.0.0:4750 --public-name registry.lab",
)
def install(
    context: typer.Context,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the unit, and do nothing.")
    ] = False,
) -> None:
    """Run the server as a service of systemd: the options are those of moorage serve."""
    run(context.args, HostSystemd(), only_print=only_print)


def run(words: list[str], systemd: Systemd, *, only_print: bool = False) -> None:
    """Install the server that `words` describe on the machine of `systemd`."""
    unit = unit_of(parsed(command.app, "serve", words))
    if only_print:
        steps.show(unit)
        return
    steps.demand(systemd, unit)
    steps.install(systemd, unit)


def unit_of(given: Given) -> Unit:
    """The unit of a server with these options; its data lies in /var/lib/moorage by default."""
    data = () if given.values.get("data") else ("--data", str(DATA))
    return Unit(
        name=NAME,
        description="Moorage server: control plane and registry",
        command=(*moorage(), "serve", *data, *given.words(SECRETS)),
        after=("network-online.target", "postgresql.service"),
        kill_mode="mixed",
        out_of_memory=OUT_OF_MEMORY,
        stop_seconds=STOP_SECONDS,
        reload=True,
        secrets=tuple(
            (variable, str(value))
            for name, variable in SECRETS.items()
            if (value := given.values.get(name))
        ),
    )
