"""`moorage timeline`: what happened in a cluster and why, the newest last; also as it comes."""

import threading
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from moorage.cli.lengths import seconds_of
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.cli.plain import plain
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import epoch, from_epoch, iso
from moorage.ground.record import Record, evolve
from moorage.shapes.moorage.timeline import (
    ListTimelineRequest,
    ListTimelineResponse,
    TimelineEvent,
)

LINES_SHOWN = 50
LINES_MAX = 10_000
PAGE_LENGTH = 1000
POLL_SECONDS = 1.0
# Writers on a shared database may commit a little later than they began: so far back is read again.
OVERLAP_SECONDS = 10.0
ID_LENGTH_SHOWN = 8
_COLOURS = {
    "host-lost": "red",
    "host-impaired": "red",
    "brake-begun": "red",
    "machine-failed": "red",
    "task-stopped": "yellow",
    "task-stopping": "yellow",
    "host-disconnected": "yellow",
    "task-running": "green",
    "host-connected": "green",
    "host-returned": "green",
}
app = typer.Typer(add_completion=False)


class Wanted(Record):
    """Which events are asked for; `since` in epoch seconds."""

    cluster: str
    service: str | None = None
    host: str | None = None
    kind: str | None = None
    since: float | None = None


@app.command(epilog="Example: moorage timeline --service web --since 2h --follow")
def timeline(
    cluster: Annotated[str, typer.Option(help="The cluster.")] = "default",
    service: Annotated[str, typer.Option(help="Of this service only.")] = "",
    host: Annotated[str, typer.Option(help="Of this host only: its name, id or ARN.")] = "",
    kind: Annotated[
        str,
        typer.Option(
            help="Of this kind: cluster, task, host, machine, deployment, service, freeze, brake; "
            "or a whole kind such as task-stopped."
        ),
    ] = "",
    since: Annotated[str, typer.Option(help="Not older than this: 90s, 15m, 2h, 7d.")] = "",
    lines: Annotated[
        int | None,
        typer.Option(min=1, max=LINES_MAX, help="At most so many; default 50, all with --since."),
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it comes.")] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show what happened in a cluster, each event with its cause; kept for thirty days."""
    back = seconds_of(since) if since else None
    if since and back is None:
        fail(f"'{since}' is no length of time.", "Write it like 90s, 15m, 2h or 7d.")
    wanted = Wanted(
        cluster=cluster,
        service=service or None,
        host=host or None,
        kind=kind or None,
        since=None if back is None else epoch(SystemClock().now()) - back,
    )
    place = find(data, endpoint, key="root")
    console = Console(highlight=False)
    most = lines or (LINES_MAX if since else LINES_SHOWN)
    try:
        found = newest(place, wanted, most)
        for event in reversed(found):
            console.print(line(event), soft_wrap=True)
        if follow:
            _follow(place, wanted, console, found)
    except Fault as fault:
        fail(fault.message or str(fault))
    except KeyboardInterrupt:
        raise typer.Exit from None


def newest(place: Place, wanted: Wanted, most: int) -> list[TimelineEvent]:
    """At most so many events, newest first, in as many pages as that takes."""
    client, found, token = place.client(), list[TimelineEvent](), None
    while len(found) < most:
        request = ListTimelineRequest(
            cluster=wanted.cluster,
            service=wanted.service,
            host=wanted.host,
            kind=wanted.kind,
            since=wanted.since,
            max_results=min(PAGE_LENGTH, most - len(found)) if token is None else None,
            next_token=token,
        )
        if token is not None:
            request = evolve(request, max_results=PAGE_LENGTH)
        answer = client.call("moorage", OWN_TARGET, "ListTimeline", request, ListTimelineResponse)
        found += answer.events or []
        token = answer.next_token
        if not token:
            break
    return found[:most]


def unseen(found: Sequence[TimelineEvent], seen: set[str]) -> Iterator[TimelineEvent]:
    """Those that were not shown yet, oldest first; they are seen from here on."""
    for event in reversed(found):
        if event.position and event.position not in seen:
            seen.add(event.position)
            yield event


def line(event: TimelineEvent) -> Text:
    """One event: when, what, of what, why, and by whose call."""
    of = [
        plain(event.service),
        f"task {plain(event.task)[:ID_LENGTH_SHOWN]}" if event.task else "",
        f"on {plain(event.host)}" if event.host and event.task else plain(event.host),
    ]
    at = iso(from_epoch(event.at or 0))[:19].replace("T", " ")
    text = Text(f"{at}  ", style="dim")
    text.append(f"{plain(event.kind):18} ", _COLOURS.get(event.kind or "", "cyan"))
    text.append(" ".join(one for one in of if one), "bold")
    text.append(f"  {plain(event.text)}")
    return text.append(f"  [{plain(event.cause)}]", "dim") if event.cause else text


def _follow(place: Place, wanted: Wanted, console: Console, shown: Sequence[TimelineEvent]) -> None:
    """Ask again and again for what is new, until interrupted."""
    seen = {event.position or "" for event in shown}
    pause, clock = threading.Event(), SystemClock()
    since = max((event.at or 0.0 for event in shown), default=epoch(clock.now()))
    while not pause.wait(POLL_SECONDS):
        recent = evolve(wanted, since=since - OVERLAP_SECONDS)
        found = newest(place, recent, LINES_MAX)
        for event in unseen(found, seen):
            console.print(line(event), soft_wrap=True)
        since = max([since, *(event.at or 0.0 for event in found)])
        seen &= {event.position or "" for event in found}
