"""`moorage freeze`: hold the scheduler still, for a while and for a reason."""

from typing import Annotated

import typer

from moorage.cli.freezes import SCOPE, scope_of, words_of
from moorage.cli.lengths import seconds_of
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.ground.fault import Fault
from moorage.shapes.moorage.freeze import FreezeSchedulingRequest, FreezeSchedulingResponse

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage freeze default/web --reason 'moving the rack' --for 2h")
def freeze(
    scope: Annotated[str, typer.Argument(help=SCOPE)],
    reason: Annotated[str, typer.Option(help="Why, for those who will ask.")],
    length: Annotated[
        str, typer.Option("--for", help="How long: 90s, 15m, 2h, 7d; else until thawed.")
    ] = "",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Start, stop and replace nothing of a cluster or a service; what runs runs on."""
    cluster, service = scope_of(scope)
    duration_seconds = seconds_of(length) if length else None
    if length and duration_seconds is None:
        fail(f"'{length}' is no length of time.", "Write it like 90s, 15m, 2h or 7d.")
    request = FreezeSchedulingRequest(
        cluster=cluster, service=service, reason=reason, duration_seconds=duration_seconds
    )
    place = find(data, endpoint, key="root")
    try:
        answer = place.client().call(
            "moorage", OWN_TARGET, "FreezeScheduling", request, FreezeSchedulingResponse
        )
    except Fault as fault:
        fail(str(fault))
    if answer.freeze is not None:
        typer.echo(words_of(answer.freeze))
