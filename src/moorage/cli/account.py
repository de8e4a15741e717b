"""`moorage account create`: a new tenant of this installation."""

from typing import Annotated

import msgspec
import typer

from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.ground.fault import Fault
from moorage.shapes.moorage.account import CreateAccountRequest, CreateAccountResponse

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create accounts.")


@app.callback()
def account() -> None:
    """Create accounts: walls between the tenants of one installation."""


@app.command(epilog="Example: moorage account create --name staging --json")
def create(
    name: Annotated[str, typer.Option(help="What people call it.")] = "account",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Make an account; print its id and its root's key, a line each. The secret is shown once."""
    request = CreateAccountRequest(name=name)
    try:
        answer = (
            find(data, endpoint)
            .client()
            .call("moorage", OWN_TARGET, "CreateAccount", request, CreateAccountResponse)
        )
    except Fault as fault:
        fail(str(fault))
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
        return
    for value in (answer.account_id, answer.access_key_id, answer.secret_access_key):
        typer.echo(value)
