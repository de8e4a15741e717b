"""`moorage env`: exports for a shell."""

import shlex
from typing import Annotated

import typer

from moorage.cli.awscli import warning
from moorage.cli.place import DataOption, Place, find

app = typer.Typer(add_completion=False)


def exports(place: Place) -> dict[str, str]:
    """The variables that point AWS's clients to a server."""
    trusted = {"AWS_CA_BUNDLE": place.authorities} if place.authorities else {}
    return {
        **trusted,
        "AWS_ACCESS_KEY_ID": place.access_key_id,
        "AWS_SECRET_ACCESS_KEY": place.secret_access_key,
        "AWS_REGION": place.region,
        "AWS_DEFAULT_REGION": place.region,
        "AWS_ENDPOINT_URL": place.endpoint,
        "AWS_ENDPOINT_URL_ECS": place.endpoint,
        "AWS_ENDPOINT_URL_ECR": place.endpoint,
        "AWS_ENDPOINT_URL_STS": place.endpoint,
    }


@app.command(epilog='Example: eval "$(moorage env)"; aws ecs list-clusters')
def env(
    data: DataOption = None,
    unset: Annotated[bool, typer.Option("--unset", help="Print unset lines instead.")] = False,
) -> None:
    """Print exports that point the AWS CLI, the SDKs and Terraform to this server.

    Over https they trust the server's own authority, by AWS_CA_BUNDLE. Docker does not read that: it
    wants the same file as /etc/docker/certs.d/NAME:PORT/ca.crt (docs/how-to/tls.md).
    """
    place = find(data, None, key="root")
    for name, value in exports(place).items():
        typer.echo(f"unset {name}" if unset else f"export {name}={shlex.quote(value)}")
    if not unset:
        typer.echo("unset AWS_SESSION_TOKEN AWS_PROFILE")
    told = warning()
    if told:
        typer.secho(told, err=True, fg=typer.colors.YELLOW)
