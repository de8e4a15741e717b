"""`moorage serve uninstall`: the server is no service of this machine any more."""

import typer

from moorage.cli.install import steps
from moorage.cli.install.server import NAME
from moorage.cli.install.systemd import HostSystemd

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage serve uninstall")
def uninstall() -> None:
    """Stop the server and remove its unit; its data folder stays, and tasks run on."""
    steps.uninstall(HostSystemd(), NAME)
