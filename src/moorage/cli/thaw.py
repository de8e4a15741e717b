"""`moorage thaw`: let the scheduler go on."""

from typing import Annotated

import typer

from moorage.cli.freezes import SCOPE, listed, scope_of, words_of
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.ground.fault import Fault
from moorage.shapes.moorage.freeze import ThawSchedulingRequest, ThawSchedulingResponse

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage thaw default/web")
def thaw(
    scope: Annotated[str, typer.Argument(help=SCOPE)],
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """End the freeze of a cluster or a service; what was changed meanwhile takes effect."""
    cluster, service = scope_of(scope)
    request = ThawSchedulingRequest(cluster=cluster, service=service)
    place = find(data, endpoint, key="root")
    try:
        answer = place.client().call(
            "moorage", OWN_TARGET, "ThawScheduling", request, ThawSchedulingResponse
        )
        left = [one for one in listed(place, cluster) if one.service in {None, service}]
    except Fault as fault:
        fail(str(fault))
    typer.echo(f"{scope} is thawed." if answer.thawed else f"{scope} was not frozen.")
    for one in left:
        typer.echo(f"Still: {words_of(one)}")
