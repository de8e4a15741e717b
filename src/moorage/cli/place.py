"""Where the server is that a command talks to, and with whose key.

By `--data DIR` (else `$MOORAGE_DATA`, else `.moorage` here): the address in `run/address`, the
operator's key, and over https whom the server itself says to trust, in `keys/ca.pem`. By
`--endpoint URL`: AWS's own environment variables or nothing; `AWS_CA_BUNDLE`, else the system's.
"""

import os
from pathlib import Path
from typing import Annotated, NoReturn

import aiohttp
import msgspec
import typer

from moorage.cli.plain import plain
from moorage.gateway.certificates import BUNDLE_FILE
from moorage.gateway.folder import Credentials
from moorage.ground.record import Record
from moorage.wire.canonical import Credentials as Signer
from moorage.wire.client import BlockingClient, Untrusted, connector_to

OWN_TARGET = "Moorage_V1"
ECS_TARGET = "AmazonEC2ContainerServiceV20141113"
DEFAULT_DATA = ".moorage"
DEFAULT_REGION = "us-east-1"
ADDRESS_FILE = Path("run") / "address"

DataOption = Annotated[
    Path | None, typer.Option("--data", help="The data folder; default $MOORAGE_DATA or .moorage.")
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        help="A server elsewhere; the key comes from AWS_ACCESS_KEY_ID ..., and whom to trust over "
        "https from AWS_CA_BUNDLE, else from the system.",
    ),
]


class Place(Record):
    """A server's URL, and the key and region to call it with.

    `authorities` is the file of those who are trusted over https, empty for the system's.
    """

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str
    account: str = ""
    authorities: str = ""

    def client(self) -> BlockingClient:
        """A client that signs with this key."""
        return BlockingClient(
            self.endpoint,
            Signer(access_key_id=self.access_key_id, secret_access_key=self.secret_access_key),
            self.region,
            self._authorities(),
        )

    def connector(self) -> aiohttp.TCPConnector:
        """Connections to it, for who streams; ends the command where its certificates are no use."""
        try:
            return connector_to(self.endpoint, self._authorities())
        except Untrusted as untrusted:
            fail(untrusted.message)

    def _authorities(self) -> Path | None:
        return Path(self.authorities) if self.authorities else None


def data_folder(data: Path | None) -> Path:
    """The data folder that a command means, absolute."""
    return (data or Path(os.environ.get("MOORAGE_DATA", DEFAULT_DATA))).expanduser().absolute()


def find(data: Path | None, endpoint: str | None, key: str = "operator") -> Place:
    """The server and key that a command means; ends the command with advice where there is none.

    `key` names the file in `keys/`: operator or root.
    """
    if endpoint is not None:
        return _from_environment(endpoint)
    folder = data_folder(data)
    try:
        address = (folder / ADDRESS_FILE).read_text("ascii").strip()
        credentials = msgspec.json.decode(
            (folder / "keys" / f"{key}.json").read_bytes(), type=Credentials
        )
    except FileNotFoundError:
        fail(
            f"No server is known in {folder}.",
            "Start one with: moorage up   (or name its folder with --data, or its URL with "
            "--endpoint)",
        )
    except PermissionError as error:
        fail(f"{error.filename} cannot be read.", "Run this as the user who started the server.")
    return Place(
        endpoint=address,
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        region=credentials.region,
        account=credentials.account_id,
        authorities=trusted_by(folder, address),
    )


def trusted_by(folder: Path, address: str) -> str:
    """The file of those whom a client of the server at `address` trusts; "" for the system's."""
    bundle = folder / BUNDLE_FILE
    return str(bundle) if address.startswith("https:") and bundle.exists() else ""


def fail(what: str, advice: str = "") -> NoReturn:
    """End the command: say what is wrong, and what to do."""
    shown = "\n".join(map(plain, what.split("\n")))
    typer.secho(f"moorage: {shown}", err=True, fg=typer.colors.RED)
    if advice:
        typer.echo(advice, err=True)
    raise typer.Exit(1)


def _from_environment(endpoint: str) -> Place:
    try:
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    except KeyError as error:
        fail(f"--endpoint needs {error.args[0]} in the environment.")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    return Place(
        endpoint=endpoint,
        access_key_id=key,
        secret_access_key=secret,
        region=region,
        authorities=os.environ.get("AWS_CA_BUNDLE", ""),
    )
