"""`moorage backup`: everything that the server keeps, into a folder of its machine, while it runs."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

import aiohttp
import msgspec
import typer
from rich.console import Console
from yarl import URL

from moorage.cli.place import DataOption, EndpointOption, Place, fail, find
from moorage.gateway.backup import Manifest, Progress
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.wire.canonical import Credentials
from moorage.wire.client import AwsClient

SUCCESS_STATUS = 200
LINE_BYTES_MAX = 1024 * 1024
MIB = 1024 * 1024
SHOWN = {"database": "database, {done} of {total} parts", "blobs": "blobs, {done} of {total}"}
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage backup /backups/moorage")
def backup(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="A folder on the server's machine: new, empty, or of an earlier backup.",
        ),
    ],
    without_keys: Annotated[
        bool,
        typer.Option("--without-keys", help="Leave out keys/: keep the master key elsewhere."),
    ] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Back up the running server: database, images, and the keys that open its secrets.

    DIR is a path on the server's machine. A backup that was broken off goes on with the same DIR.
    """
    place = find(data, endpoint)
    query = urlencode({"path": folder, "keys": "0" if without_keys else "1"})
    try:
        last = asyncio.run(_follow(place, query))
    except (aiohttp.ClientError, OSError) as error:
        fail(
            f"The server at {place.endpoint} went away: {error}.", "Begin again with the same DIR."
        )
    if last.manifest is None:
        fail(last.message or "The backup was broken off.", "Begin again with the same DIR.")
    _tell(folder, last.manifest)
    raise typer.Exit(1 if last.manifest.missing else 0)


async def _follow(place: Place, query: str) -> Progress:
    """Show the progress; answers the last line."""
    console = Console(stderr=True, highlight=False)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    last = Progress(phase="failed")
    async with aiohttp.ClientSession(connector=place.connector(), timeout=timeout) as session:
        credentials = Credentials(
            access_key_id=place.access_key_id, secret_access_key=place.secret_access_key
        )
        client = AwsClient(
            place.endpoint, credentials, place.region, session, SystemClock(), SystemChance()
        )
        url = f"{client.endpoint}/moorage/backup?{query}"
        headers = client.signed_headers("POST", url, "moorage")
        with console.status("backup") as status:
            async with session.post(
                URL(url, encoded=True), headers=headers, read_bufsize=LINE_BYTES_MAX
            ) as answer:
                if answer.status != SUCCESS_STATUS:
                    told = msgspec.json.decode(await answer.read())
                    return Progress(phase="failed", message=told.get("message", answer.reason))
                async for line in answer.content:
                    last = msgspec.json.decode(line, type=Progress)
                    if last.phase in SHOWN:
                        status.update(SHOWN[last.phase].format(done=last.done, total=last.total))
    return last


def _tell(folder: str, made: Manifest) -> None:
    size_mib = (made.database_bytes + made.blob_bytes) / MIB
    typer.echo(
        f"{folder}: database of schema {made.schema}, {made.blobs} blobs, {size_mib:.1f} MiB, "
        f"begun {made.begun_at}, finished {made.finished_at}."
    )
    if made.keys:
        typer.echo(
            "The keys are in it: whoever reads this folder is operator of this installation. "
            "It has mode 0700; keep its copies as close."
        )
    else:
        typer.echo("Without keys: it cannot be restored unless you keep keys/ elsewhere.")
    if made.missing:
        typer.secho(
            f"{len(made.missing)} blobs are named by rows and lost or damaged in the store, first "
            f"{made.missing[0]}: push their images again.",
            err=True,
            fg=typer.colors.RED,
        )
