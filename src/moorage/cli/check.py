"""`moorage check FILE`: what runs here of a task definition or a service, before it is registered."""

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import msgspec
import typer
from rich.console import Console
from rich.text import Text

from moorage.cli.explanation import show_outlook, table
from moorage.cli.loopback import HEADER, Heard
from moorage.cli.place import ECS_TARGET, OWN_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.cli.plain import plain
from moorage.cli.rehearsal import show as show_plan
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.record import Record
from moorage.shapes.moorage.check import CheckDefinitionRequest, CheckDefinitionResponse
from moorage.shapes.moorage.dry_run import DryRun
from moorage.wire.canonical import Credentials
from moorage.wire.client import AwsClient

FILE_BYTES_MAX = 262_144
CALL_SECONDS_MAX = 60.0
OPERATIONS = {"taskDefinition": "RegisterTaskDefinition", "service": "CreateService"}
_YAML = frozenset({".yaml", ".yml"})
_COLOURS = {"refused": "red", "unplaced": "red", "unknown": "yellow", "stored": "yellow"}
_WORDS = {
    "refused": "refused",
    "unplaced": "no host can",
    "unknown": "no such member",
    "stored": "only stored",
}
app = typer.Typer(add_completion=False)


class _Told(Record, rename="camel"):
    """Of the answer to a dry run that which matters here: the plan, or the refusal."""

    dry_run: DryRun | None = None
    message: str | None = None


@app.command(epilog="Example: moorage check web.yaml")
def check(
    file: Annotated[str, typer.Argument(help="A file in JSON or YAML; - for what is piped in.")],
    cluster: Annotated[
        str, typer.Option(help="The cluster it is to run in; else the file's own, or default.")
    ] = "",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say what runs here, what is only stored, what is refused and why, and which hosts could take it.

    The file holds what RegisterTaskDefinition or CreateService takes, or what a describe call shows.
    Nothing is changed: the call itself is tried as a dry run. Exits with 1 where it would not run.
    """
    document = json.dumps(read(file))
    place = find(data, endpoint, key="root")
    request = CheckDefinitionRequest(cluster=cluster or None, document=document)
    try:
        answer = place.client().call(
            "moorage", OWN_TARGET, "CheckDefinition", request, CheckDefinitionResponse
        )
    except Fault as fault:
        fail(fault.message or str(fault))
    console = Console(highlight=False)
    show(console, answer)
    verdicts = {one.verdict for one in answer.findings or []}
    if verdicts & {"refused"}:
        raise typer.Exit(1)
    operation = OPERATIONS[answer.kind or ""]
    asked = unwrapped(json.loads(document))
    where = cluster or ("" if "cluster" in asked else asked.get("clusterArn", ""))
    told = asyncio.run(_rehearsed(place, operation, asked, where))
    if told.dry_run is None:
        console.print(Text(f"{operation} would refuse it: {plain(told.message)}", style="red"))
        raise typer.Exit(1)
    if answer.kind == "service":
        show_plan(console, Heard(operation=operation, status=200, plan=told.dry_run))
    raise typer.Exit(1 if "unplaced" in verdicts else 0)


def read(file: str) -> Any:
    """What a file holds: YAML where its name says so, else JSON; ends the command where it is neither."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        fail(f"{file} cannot be read: {error}.")
    if len(text) > FILE_BYTES_MAX:
        fail(f"{file} is longer than {FILE_BYTES_MAX} characters.")
    if Path(file).suffix.lower() in _YAML:
        return _yaml(file, text)
    try:
        return json.loads(text)
    except ValueError as error:
        fail(f"{file} is not valid JSON: {error}.", "Name a file in YAML .yaml or .yml.")


def unwrapped(document: Any) -> Any:
    """The definition or service itself, without what a describe call puts around it."""
    listed = document.get("services") if isinstance(document, dict) else None
    if isinstance(listed, list) and len(listed) == 1:
        return listed[0]
    for name in OPERATIONS:
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            return document[name]
    return document


def show(console: Console, answer: CheckDefinitionResponse) -> None:
    """What is not plain first, then all that runs, then where."""
    console.print(Text(plain(answer.headline), style="bold"))
    findings = answer.findings or []
    noted = [one for one in findings if one.verdict != "runs"]
    if noted:
        rows = table("member", "what becomes of it", "why")
        for one in noted:
            verdict = one.verdict or ""
            rows.add_row(
                plain(one.member),
                Text(_WORDS.get(verdict, verdict), style=_COLOURS.get(verdict, "")),
                plain(one.text),
            )
        console.print(rows)
    runs = [plain(one.member) for one in findings if one.verdict == "runs"]
    if runs:
        console.print(Text(f"Acted on: {', '.join(runs)}", style="green"))
    if answer.hosts:
        shares = ", ".join(f"{plain(one.host)}: {one.tasks}" for one in answer.hosts)
        console.print(Text(f"Of {answer.asked} tasks {answer.fits} find a host now ({shares})."))
    if answer.placement is not None:
        show_outlook(console, answer.placement)


def _yaml(file: str, text: str) -> Any:
    yaml = importlib.import_module("yaml")  # loaded where it is spoken; it ships no types
    try:
        found = yaml.safe_load(text)
        json.dumps(found)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        fail(f"{file} is not YAML that JSON could say: {error}")
    return found


async def _rehearsed(place: Place, operation: str, document: Any, cluster: str) -> _Told:
    """The call itself, as a dry run, with the document as it is."""
    if operation == "CreateService" and cluster:
        document = {**document, "cluster": cluster}
    body = json.dumps(document).encode()
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS_MAX)
    async with aiohttp.ClientSession(connector=place.connector(), timeout=timeout) as session:
        credentials = Credentials(
            access_key_id=place.access_key_id, secret_access_key=place.secret_access_key
        )
        client = AwsClient(
            place.endpoint, credentials, place.region, session, SystemClock(), SystemChance()
        )
        url = f"{place.endpoint}/"
        given = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{ECS_TARGET}.{operation}",
            HEADER.lower(): "true",
        }
        headers = client.signed_headers("POST", url, "ecs", given, body)
        try:
            async with session.post(url, headers=headers, data=body) as answer:
                if HEADER not in answer.headers:
                    return _Told(message="The server made no dry run of it.")
                return msgspec.json.decode(await answer.read(), type=_Told)
        except (aiohttp.ClientError, TimeoutError) as error:
            return _Told(message=f"The server could not be reached: {error}")
