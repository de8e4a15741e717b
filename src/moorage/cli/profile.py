"""`moorage profile install NAME`: a profile in the AWS configuration."""

import configparser
import os
from pathlib import Path
from typing import Annotated

import typer

from moorage.cli.awscli import warning
from moorage.cli.place import DataOption, Place, fail, find
from moorage.gateway.folder import write_durably
from moorage.ground.names import RESOURCE_NAME

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Install a profile for the AWS CLI and SDKs."
)


@app.callback()
def profile() -> None:
    """Install a profile for the AWS CLI and SDKs."""


@app.command(
    epilog="Example: moorage profile install moorage; aws --profile moorage ecs list-clusters"
)
def install(
    name: Annotated[str, typer.Argument(help="The profile's name.")],
    data: DataOption = None,
) -> None:
    """Write a profile NAME into the AWS configuration; others are left as they are."""
    if not RESOURCE_NAME.fullmatch(name) or name == "default":
        fail(f"'{name}' cannot be a profile's name here.", "Use letters, digits, hyphens.")
    place = find(data, None, key="root")
    home = Path.home() / ".aws"
    config = Path(os.environ.get("AWS_CONFIG_FILE", home / "config"))
    credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials"))
    _merge(config, f"profile {name}", config_members(place))
    _merge(
        credentials,
        name,
        {
            "aws_access_key_id": place.access_key_id,
            "aws_secret_access_key": place.secret_access_key,
        },
    )
    typer.echo(f"Installed the profile {name} in {config} and {credentials}.")
    typer.echo(f"Try: aws --profile {name} ecs list-clusters")
    told = warning()
    if told:
        typer.secho(told, err=True, fg=typer.colors.YELLOW)


def config_members(place: Place) -> dict[str, str]:
    """What the profile says about the server."""
    trusted = {"ca_bundle": place.authorities} if place.authorities else {}
    return {"region": place.region, "endpoint_url": place.endpoint, **trusted}


def _merge(path: Path, section: str, members: dict[str, str]) -> None:
    """Add or replace one section; every other line stays to the letter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text("utf-8") if path.exists() else ""
    kept = _without(old, section).rstrip()
    lines = [f"[{section}]", *(f"{name} = {value}" for name, value in members.items())]
    text = (kept + "\n\n" if kept else "") + "\n".join(lines) + "\n"
    parsed = configparser.RawConfigParser(strict=False)
    parsed.read_string(text)
    write_durably(path, text.encode(), mode=0o600)


def _without(text: str, section: str) -> str:
    kept, skipping = [], False
    for line in text.splitlines():
        if line.strip().startswith("["):
            skipping = line.strip() == f"[{section}]"
        if not skipping:
            kept.append(line)
    return "\n".join(kept)
