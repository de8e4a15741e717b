"""`moorage host`: tokens to join with (here), and hosts that have joined (`host_commands.py`)."""

from typing import Annotated

import typer

from moorage.cli import host_commands
from moorage.cli.host_key import rotate_key
from moorage.cli.lengths import seconds_of
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.ground.fault import Fault
from moorage.shapes.moorage.host import CreateJoinTokenRequest, CreateJoinTokenResponse

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Hosts: tokens to join with, drains, losses."
)
host_commands.add_to(app)
app.command("rotate-key", epilog="Example: moorage host rotate-key host-2")(rotate_key)


@app.callback()
def host() -> None:
    """Let hosts join, see where they stand, drain them, and say which are lost."""


@app.command(
    epilog="Example: moorage host token --cluster web --uses 3 --ttl 2h",
)
def token(
    cluster: Annotated[str, typer.Option(help="The cluster that hosts will join.")] = "default",
    uses: Annotated[int, typer.Option(help="How many hosts may join with it.")] = 1,
    ttl: Annotated[str, typer.Option(help="How long it is good: 90s, 15m, 1h, 7d.")] = "1h",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Print a join token; it is shown this once."""
    ttl_seconds = seconds_of(ttl)
    if ttl_seconds is None:
        fail(f"'{ttl}' is no length of time.", "Write it like 90s, 15m, 1h or 7d.")
    place = find(data, endpoint)
    request = CreateJoinTokenRequest(cluster=cluster, uses=uses, ttl_seconds=ttl_seconds)
    try:
        answer = place.client().call(
            "moorage", OWN_TARGET, "CreateJoinToken", request, CreateJoinTokenResponse
        )
    except Fault as fault:
        fail(str(fault))
    typer.echo(answer.token)
