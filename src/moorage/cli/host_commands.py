"""`moorage host list|drain|activate|remove|confirm-lost`: what people do with hosts, by name."""

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from moorage.cli.host_client import HostClient
from moorage.cli.host_table import name_of, notes_of, progress_of, table_of
from moorage.cli.lengths import seconds_of
from moorage.cli.place import DataOption, EndpointOption, fail, find
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.shapes.moorage.host_state import Host

_T = TypeVar("_T")
POLL_SECONDS = 2.0
POLLS_MAX = 7 * 24 * 1800  # a week: the longest deadline
WIDTH_OF_DETAILS = 110  # a narrower terminal shows neither zones nor versions
WIDTH_OF_A_PIPE = 200
ON_TIMEOUT = ("force", "abandon")

ClusterOption = Annotated[str, typer.Option(help="The cluster that the host is in.")]
HostArgument = Annotated[str, typer.Argument(help="The host: its name, its id or its ARN.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands part of `moorage host`."""
    for name, command, example in (
        ("list", list_, "moorage host list --cluster web"),
        ("drain", drain, "moorage host drain host-2 --deadline 10m --on-timeout abandon --wait"),
        ("activate", activate, "moorage host activate host-2"),
        ("remove", remove, "moorage host remove host-2 --force"),
        ("confirm-lost", confirm_lost, "moorage host confirm-lost host-2"),
    ):
        app.command(name, epilog=f"Example: {example}")(command)


def list_(
    cluster: Annotated[str, typer.Option(help="The cluster whose hosts are shown.")] = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show the hosts of a cluster: where each stands, why, and what is left of it."""
    client = HostClient(find(data, endpoint, key="root"), cluster)
    found = _asked(client.all)
    if not found:
        typer.echo(
            f"The cluster {cluster} has no hosts. A token to join with: "
            f"moorage host token --cluster {cluster}"
        )
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE)
    brief = console.width < WIDTH_OF_DETAILS
    console.print(table_of(found, SystemClock().now(), brief=brief))
    for note in notes_of(found, SystemClock().now()):
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def drain(
    host: HostArgument,
    deadline: Annotated[
        str, typer.Option(help="After so long the drain ends, done or not: 90s, 10m, 1h.")
    ] = "",
    on_timeout: Annotated[
        str,
        typer.Option(
            help="At the deadline: force (stop what services have left) or abandon (take it back)."
        ),
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay, show the progress, and end with the drain.")
    ] = False,
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Empty a host: no new tasks, and services move theirs away. Stand-alone tasks stay."""
    deadline_seconds = seconds_of(deadline) if deadline else None
    if deadline and deadline_seconds is None:
        fail(f"'{deadline}' is no length of time.", "Write it like 90s, 10m or 1h.")
    if on_timeout and on_timeout not in ON_TIMEOUT:
        fail(f"--on-timeout is {' or '.join(ON_TIMEOUT)}, not '{on_timeout}'.")
    if on_timeout and not deadline:
        fail("--on-timeout says what happens at the deadline.", "Give one with: --deadline 10m")
    client = HostClient(find(data, endpoint, key="root"), cluster)
    found = _asked(lambda: client.drain(host, deadline_seconds, on_timeout or None))
    if not wait:
        typer.echo(f"{name_of(found)} is DRAINING: {progress_of(found, SystemClock().now())}.")
        typer.echo("See how far it is with: moorage host list. Take it back with: host activate.")
        return
    if not watch(lambda: _asked(lambda: client.one(host)), typer.echo, _pause):
        raise typer.Exit(1)


def activate(
    host: HostArgument,
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Take a drained or a flapping host back: it gets tasks again."""
    client = HostClient(find(data, endpoint, key="root"), cluster)
    found = _asked(lambda: client.one(host))
    _asked(lambda: client.activate(found))
    typer.echo(f"{name_of(found)} is ACTIVE.")


def remove(
    host: HostArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Also with tasks on it; services replace theirs.")
    ] = False,
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Take a host out of its cluster for good; to return, it has to join anew."""
    client = HostClient(find(data, endpoint, key="root"), cluster)
    found = _asked(lambda: client.one(host))
    name = name_of(found)
    tasks = sum(
        count or 0
        for count in (
            found.running_tasks_count,
            found.pending_tasks_count,
            found.unreachable_tasks_count,
        )
    )
    if tasks and not force:
        what = f"{name} has {tasks} {'task' if tasks == 1 else 'tasks'}."
        if not sys.stdin.isatty():
            fail(what, f"Empty it first (moorage host drain {name} --wait), or add --force.")
        typer.confirm(f"{what} Remove it all the same, and give them up?", abort=True)
        force = True
    _asked(lambda: client.remove(found, force=force))
    typer.echo(f"{name} is no longer part of the cluster {cluster}.")


def confirm_lost(
    host: HostArgument,
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say that a lost host does not come back with its tasks: services replace theirs now."""
    client = HostClient(find(data, endpoint, key="root"), cluster)
    answer = _asked(lambda: client.confirm_lost(host))
    name = name_of(answer.host or Host(name=host))
    count = answer.service_tasks or 0
    typer.echo(
        f"{name} is confirmed as lost: {count} {'task' if count == 1 else 'tasks'} of services may "
        "be replaced elsewhere now. Should it return, it stops its own."
    )
    if answer.other_tasks:
        typer.echo(f"{answer.other_tasks} stand-alone tasks on it wait for its return or removal.")


def watch(
    look: Callable[[], Host], tell: Callable[[str], object], pause: Callable[[], None]
) -> bool:
    """Follow a drain to its end, and tell what changes; whether the host is empty then.

    It is not where somebody, or the deadline of the drain, has taken it back.
    """
    told = -1
    clock = SystemClock()
    for _ in range(POLLS_MAX):
        host = look()
        name = name_of(host)
        if host.drain is None:
            tell(f"{name} is {host.status} again, and not empty: see moorage status for why.")
            return False
        left = host.drain.service_tasks_left or 0
        if left != told:
            tell(f"{name}: {progress_of(host, clock.now())}")
            told = left
        if not left:
            return True
        pause()
    return False


def _pause() -> None:
    asyncio.run(asyncio.sleep(POLL_SECONDS))


def _asked(call: Callable[[], _T]) -> _T:
    """What the server answers; its refusal ends the command, in its own words."""
    try:
        return call()
    except Fault as fault:
        fail(str(fault))
