"""`moorage pool`: pools of hosts, how large they are and what holds them up."""

from collections import Counter
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, fail, find
from moorage.cli.plain import plain
from moorage.ground.fault import Fault
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.moorage.pool import DescribePoolsRequest, DescribePoolsResponse, HostPool

NO_POOLS = "There are no pools. They are tables [pools.NAME] of moorage.toml in the data folder."
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage pool spare")
def pool(
    name: Annotated[str, typer.Argument(help="One pool; all where none is named.")] = "",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show pools of hosts: their size, who waits for them, and what went wrong."""
    place = find(data, endpoint, key="root")
    try:
        answer = place.client().call(
            "moorage",
            OWN_TARGET,
            "DescribePools",
            DescribePoolsRequest(pool=name or None),
            DescribePoolsResponse,
        )
    except Fault as fault:
        fail(str(fault))
    found = answer.pools or []
    if not found:
        typer.echo(NO_POOLS)
        return
    Console().print(table_of(found))
    for line in notes_of(found):
        typer.echo(line)


def table_of(found: list[HostPool]) -> Table:
    """One line a pool."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in (
        "pool",
        "cluster",
        "provider",
        "machines",
        "wanted",
        "bounds",
        "reserved",
        "wait",
    ):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(
            one.name,
            one.cluster,
            one.capacity_provider or "-",
            machines_of(one),
            str(one.wanted or 0),
            f"{one.minimum or 0} to {one.maximum or 0}",
            f"{one.reservation or 0} %",
            str(one.waiting_tasks or 0),
        )
    return table


def machines_of(one: HostPool) -> str:
    """`2 joined, 1 creating`, or `none`."""
    counts = Counter((machine.status or "?").lower() for machine in one.machines or ())
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"


def notes_of(found: list[HostPool]) -> list[str]:
    """A sentence for each thing that went wrong, and what follows."""
    notes: list[str] = []
    for one in found:
        if one.failures and one.retry_at is not None:
            notes.append(
                f"{one.name}: {one.failures} in a row failed, nothing is made before "
                f"{iso(from_epoch(one.retry_at))}. {plain(one.reason)}"
            )
        for machine in one.machines or ():
            if machine.reason:
                again = (
                    ""
                    if machine.next_try_at is None
                    else (f" Tried again at {iso(from_epoch(machine.next_try_at))}.")
                )
                notes.append(
                    f"{machine.name} ({(machine.status or '?').lower()}): "
                    f"{plain(machine.reason)}{again}"
                )
    return notes
