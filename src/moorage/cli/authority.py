"""`moorage authority`: who signs this server's certificate, and one authority after another."""

from typing import Annotated, TypeVar

import msgspec
import typer

from moorage.cli.handshake import NotShown, shown_by
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.ground.fault import Fault
from moorage.ground.instant import from_epoch, iso
from moorage.ground.record import Record
from moorage.shapes.moorage.authority import (
    DescribeAuthorityRequest,
    DescribeAuthorityResponse,
    FinishAuthorityRotationRequest,
    FinishAuthorityRotationResponse,
    RotateAuthorityRequest,
    RotateAuthorityResponse,
)

_A = TypeVar("_A", bound=Record)
SOURCES = {
    "own": "Moorage's own authority signs the server's certificate.",
    "given": "The server's certificate was given to it, with the authority that clients trust.",
    "system": "The server's certificate was given to it; clients trust it by their systems.",
    "none": "The server speaks plain http: nothing is signed.",
}
STAGES = {
    "rotating": "A rotation is under way: the new authority is told to everybody, the old one "
    "signs. Hand the new bundle (keys/ca.pem) to docker and AWS clients elsewhere, then: "
    "moorage authority finish",
    "leaving": "The new authority signs; whoever knows only the old one can still verify. When "
    "everybody has the new one: moorage authority finish",
}
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show and rotate the authority that signs this server's certificate.",
)


@app.callback()
def authority() -> None:
    """Show and rotate the authority that signs this server's certificate."""


@app.command(epilog="Example: moorage authority show")
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show whom clients are to trust, until when, and where a rotation stands."""
    place = find(data, endpoint)
    answer = _call(
        place, "DescribeAuthority", DescribeAuthorityRequest(), DescribeAuthorityResponse
    )
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    _tell(place, answer)


@app.command(epilog="Example: moorage authority rotate; moorage authority show")
def rotate(data: DataOption = None, endpoint: EndpointOption = None) -> None:
    """Make a new authority beside the old one; hosts are told, and nothing else changes yet."""
    place = find(data, endpoint)
    answer = _call(place, "RotateAuthority", RotateAuthorityRequest(), RotateAuthorityResponse)
    _tell(place, answer.authority)


@app.command(
    epilog="Example: moorage authority finish   (twice: the new one signs; the old one goes)"
)
def finish(
    force: Annotated[
        bool, typer.Option("--force", help="Although connected hosts have not confirmed.")
    ] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Take the next step: the new authority signs; once more, and the old one is trusted no longer."""
    place = find(data, endpoint)
    request = FinishAuthorityRotationRequest(force=force or None)
    answer = _call(place, "FinishAuthorityRotation", request, FinishAuthorityRotationResponse)
    _tell(place, answer.authority)


def _call(place: Place, operation: str, request: Record, response: type[_A]) -> _A:
    try:
        return place.client().call("moorage", OWN_TARGET, operation, request, response)
    except Fault as fault:
        fail(str(fault))


def _tell(place: Place, told: DescribeAuthorityResponse | None) -> None:
    assert told is not None, "the answer to each step says how it stands"
    typer.echo(SOURCES[told.source or "none"])
    for one in told.certificates or []:
        ends = iso(from_epoch(one.not_after or 0))
        typer.echo(f"  {one.role:8} {one.subject}, until {ends}, hash {one.hash}")
    if told.leaves_at is not None:
        typer.echo(
            f"  The one that is leaving goes by itself at {iso(from_epoch(told.leaves_at))}."
        )
    if told.stage in STAGES:
        typer.echo(STAGES[told.stage])
    waited = ", ".join(
        one.name or one.container_instance_arn or "" for one in told.waiting_for or []
    )
    if waited:
        typer.echo(f"Connected hosts that have not confirmed yet: {waited}")
    if place.endpoint.startswith("https:"):
        try:
            found = shown_by(place.endpoint, place.authorities)
        except NotShown as error:
            typer.secho(str(error), err=True, fg=typer.colors.YELLOW)
            return
        typer.echo(f"The server shows a certificate until {iso(found.not_after)}, for:")
        typer.echo(f"  {', '.join(found.names)}")
