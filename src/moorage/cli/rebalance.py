"""`moorage rebalance`: spread running tasks over the hosts now, or only show what would move."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.cli.plain import plain
from moorage.ground.fault import Fault
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.moorage.rebalancing import (
    PreviewRebalancingRequest,
    PreviewRebalancingResponse,
    RebalancingMove,
    RebalancingStay,
    StartRebalancingRequest,
    StartRebalancingResponse,
)

ID_SHOWN = 8
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage rebalance --dry-run --cluster default --service web")
def rebalance(
    cluster: Annotated[str, typer.Option(help="The cluster.")] = "default",
    service: Annotated[str, typer.Option(help="Only this service.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would move, and why; move nothing.")
    ] = False,
    settled: Annotated[
        bool,
        typer.Option(
            "--settled",
            help="With --dry-run: count only hosts that have settled, as the server does.",
        ),
    ] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Move running tasks to hosts with fewer, start first; hosts need not have settled."""
    if settled and not dry_run:
        fail("--settled goes with --dry-run.", "By itself the server waits for hosts to settle.")
    place = find(data, endpoint, key="root")
    try:
        answer = _ask(place, cluster, service or None, dry_run=dry_run, settled=settled)
    except Fault as fault:
        fail(fault.message or str(fault))
    console = Console(highlight=False, soft_wrap=False)
    show(console, answer)
    moves = answer.moves or []
    if moves and not dry_run:
        limit = answer.moves_max or 0
        typer.echo(f"Begun: at most {limit} at once. moorage status shows how it goes.")
    if dry_run and not answer.moves_max:
        typer.echo("This server moves nothing by itself: its setting rebalance_moves_max is 0.")


def _ask(
    place: Place, cluster: str, service: str | None, *, dry_run: bool, settled: bool
) -> PreviewRebalancingResponse | StartRebalancingResponse:
    client = place.client()
    if dry_run:
        return client.call(
            "moorage",
            OWN_TARGET,
            "PreviewRebalancing",
            PreviewRebalancingRequest(cluster=cluster, service=service, settled=settled),
            PreviewRebalancingResponse,
        )
    return client.call(
        "moorage",
        OWN_TARGET,
        "StartRebalancing",
        StartRebalancingRequest(cluster=cluster, service=service),
        StartRebalancingResponse,
    )


def show(console: Console, answer: PreviewRebalancingResponse | StartRebalancingResponse) -> None:
    """Print the moves in order, the services that stay with the reason, and the closed hosts."""
    moves = answer.moves or []
    if moves:
        console.print(_moves(moves))
    else:
        console.print(Text("No task would move.", style="bold"))
    for stay in answer.stays or []:
        console.print(Text(_stay(stay), style="" if not stay.balanced else "dim"), soft_wrap=True)
    for host in answer.closed_hosts or []:
        line = f"The host {plain(host.host)} takes no moved tasks: {plain(host.reason)}"
        console.print(Text(line, style="dim"), soft_wrap=True)


def _moves(moves: list[RebalancingMove]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("SERVICE", "TASK", "FROM", "TO", "WHY"):
        table.add_column(title, no_wrap=title != "WHY", overflow="fold")
    for move in moves:
        identity = plain(move.task_arn).rpartition("/")[2][:ID_SHOWN]
        table.add_row(
            Text(plain(move.service)),
            Text(identity),
            Text(_host(move.from_host, move.from_zone)),
            Text(_host(move.to_host, move.to_zone)),
            Text(plain(move.reason)),
        )
    return table


def _host(name: str | None, zone: str | None) -> str:
    return f"{plain(name)} ({plain(zone)})" if zone else plain(name)


def _stay(stay: RebalancingStay) -> str:
    until = f" (until {iso(from_epoch(stay.until))})" if stay.until is not None else ""
    name, reason = plain(stay.service), plain(stay.reason).rstrip(".")
    return f"{name}: {'nothing more to move' if stay.balanced else 'stays'}, {reason}{until}."
