"""`moorage logs`: what the containers of a service or a task print, over their hosts' links."""

import asyncio
import re
from typing import Annotated
from urllib.parse import urlencode

import aiohttp
import msgspec
import typer
from rich.console import Console
from rich.text import Text
from yarl import URL

from moorage.cli.place import ECS_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.shapes.ecs.task import (
    DescribeTasksRequest,
    DescribeTasksResponse,
    ListTasksRequest,
    ListTasksResponse,
    Task,
)
from moorage.wire.canonical import Credentials
from moorage.wire.client import AwsClient

TASK_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
STREAMS_MAX = 64
LINE_BYTES_MAX = 1024 * 1024
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
SUCCESS_STATUS = 200
app = typer.Typer(add_completion=False)


class Chunk(msgspec.Struct):
    """One line of the server's stream."""

    stream: str = "stdout"
    data: bytes = b""
    error: str = ""


class Source(msgspec.Struct, frozen=True):
    """One container whose output is shown."""

    task: str
    instance: str
    container: str
    label: str


@app.command(epilog="Example: moorage logs web -f   (or a task's id or ARN)")
def logs(
    target: Annotated[str, typer.Argument(metavar="SERVICE|TASK", help="Whose output.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it comes.")] = False,
    tail: Annotated[
        int | None, typer.Option(min=0, max=100_000, help="The last lines of each only.")
    ] = None,
    container: Annotated[str, typer.Option(help="One container of the tasks only.")] = "",
    cluster: Annotated[str, typer.Option(help="The cluster.")] = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show what the containers of a service or a task print; of stopped ones too."""
    place = find(data, endpoint, key="root")
    try:
        sources = [
            one
            for one in _sources(_tasks(place, cluster, target))
            if container in {"", one.container}
        ]
    except Fault as fault:
        fail(str(fault))
    if not sources:
        fail(f"There is no output of {target}.", "moorage status shows services and tasks.")
    failed = asyncio.run(_show(place, sources[:STREAMS_MAX], follow=follow, tail=tail))
    raise typer.Exit(1 if failed else 0)


def _tasks(place: Place, cluster: str, target: str) -> list[Task]:
    client = place.client()
    if target.startswith("arn:") and ":task/" in target:
        arns = [target]
        cluster = target.rsplit("/", 2)[1]
    elif TASK_ID.fullmatch(target):
        arns = [target]
    else:
        arns = []
        for status in ("RUNNING", "STOPPED"):
            request = ListTasksRequest(cluster=cluster, service_name=target, desired_status=status)
            listed = client.call("ecs", ECS_TARGET, "ListTasks", request, ListTasksResponse)
            arns = arns or (listed.task_arns or [])
    if not arns:
        return []
    described = client.call(
        "ecs",
        ECS_TARGET,
        "DescribeTasks",
        DescribeTasksRequest(cluster=cluster, tasks=arns),
        DescribeTasksResponse,
    )
    return described.tasks or []


def _sources(tasks: list[Task]) -> list[Source]:
    return [
        Source(
            task=task.task_arn or "",
            instance=task.container_instance_arn or "",
            container=container.name or "",
            label=f"{(task.task_arn or '').rsplit('/', 1)[1][:8]}/{container.name}",
        )
        for task in tasks
        for container in task.containers or []
    ]


async def _show(place: Place, sources: list[Source], *, follow: bool, tail: int | None) -> bool:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(source.label) for source in sources)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with aiohttp.ClientSession(connector=place.connector(), timeout=timeout) as session:
        credentials = Credentials(
            access_key_id=place.access_key_id, secret_access_key=place.secret_access_key
        )
        client = AwsClient(
            place.endpoint, credentials, place.region, session, SystemClock(), SystemChance()
        )

        async def one(number: int, source: Source) -> bool:
            prefix = ""
            if len(sources) > 1:
                prefix = f"{source.label:{width}} | "
            return await _stream(
                client,
                session,
                source,
                (console, prefix, COLOURS[number % len(COLOURS)]),
                _query(source, follow=follow, tail=tail),
            )

        results = await asyncio.gather(*(one(*pair) for pair in enumerate(sources)))
    return not all(results)


def _query(source: Source, *, follow: bool, tail: int | None) -> str:
    members = {
        "taskArn": source.task,
        "instance": source.instance,
        "container": source.container,
        "follow": "1" if follow else "0",
    }
    if tail is not None:
        members["tail"] = str(tail)
    return urlencode(members)


async def _stream(
    client: AwsClient,
    session: aiohttp.ClientSession,
    source: Source,
    shown: tuple[Console, str, str],
    query: str,
) -> bool:
    console, prefix, colour = shown
    url = f"{client.endpoint}/moorage/logs?{query}"
    headers = client.signed_headers("GET", url, "moorage")
    async with session.get(
        URL(url, encoded=True), headers=headers, read_bufsize=LINE_BYTES_MAX
    ) as answer:
        if answer.status != SUCCESS_STATUS:
            told = msgspec.json.decode(await answer.read())
            console.print(Text(f"{source.label}: {told.get('message', answer.status)}", "red"))
            return False
        rest = b""
        async for line in answer.content:
            chunk = msgspec.json.decode(line, type=Chunk)
            if chunk.error:
                console.print(Text(f"{source.label}: {chunk.error}", "red"))
                return False
            *lines, rest = (rest + chunk.data).split(b"\n")
            for text in lines:
                console.print(Text(prefix, colour) + Text(text.decode(errors="replace")))
        if rest:
            console.print(Text(prefix, colour) + Text(rest.decode(errors="replace")))
    return True
