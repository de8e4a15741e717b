"""`moorage agent uninstall`: the agent is no service of this machine any more."""

import typer

from moorage.cli.install import steps
from moorage.cli.install.agent import NAME
from moorage.cli.install.systemd import HostSystemd

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage agent uninstall")
def uninstall() -> None:
    """Stop the agent and remove its unit; containers run on, and its data folder stays."""
    steps.uninstall(HostSystemd(), NAME)
    typer.echo(
        "Its containers run on. To have the tasks moved first, drain the host (moorage host drain "
        "NAME); to forget it, remove it at the server (moorage host remove NAME)."
    )
