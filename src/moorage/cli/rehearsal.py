"""`moorage plan -- aws ecs ...`: what a command would do, told by a dry run of each of its writes."""

import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from moorage.cli.awscli import warning
from moorage.cli.env import exports
from moorage.cli.explanation import show_outlook, table, when
from moorage.cli.loopback import Heard, Loopback
from moorage.cli.place import DataOption, EndpointOption, Place, fail, find
from moorage.cli.plain import plain
from moorage.ground.record import evolve
from moorage.shapes.moorage.dry_run import DryRun

ABILITY = "dry-run"
# What leads a command past the listener, so that its writes would be real.
_PAST = ("--endpoint-url", "--endpoint", "--data")
_ENDPOINT = _PAST[0]
_UNSET = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_NOTHING = "It asked for no write: there is nothing to plan."
app = typer.Typer(add_completion=False)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: moorage plan -- aws ecs update-service --service web --desired-count 5",
)
def plan(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="The command, after two hyphens.")
    ],
    output: Annotated[
        bool, typer.Option("--output", help="Show also what the command prints.")
    ] = False,
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say what a command of the AWS CLI or an SDK would do to services, tasks and hosts; do nothing.

    The command gets an endpoint on loopback and the keys of `moorage env`. Each write that it asks
    for is done, reconciled and placed in a transaction that is rolled back: what is printed is what
    it would do at once. Several writes are planned each by itself: the second does not see the first.
    """
    _refuse(command)
    place = find(data, endpoint, key="root")
    told = warning()
    if told and Path(command[0]).name == "aws":
        fail(told)
    with Loopback(place) as loopback:
        if ABILITY not in loopback.abilities:
            fail(
                f"No server answers at {place.endpoint} that knows dry runs.",
                "An older one would do what is asked: upgrade it first.",
            )
        code = _run(command, environment(place, loopback.endpoint), output=output)
        heard = list(loopback.heard)
    console = Console(highlight=False)
    writes = [one for one in heard if one.plan is not None]
    for one in writes:
        show(console, one)
    if not writes:
        refused = any(one.status != 200 for one in heard)  # noqa: PLR2004 - OK
        typer.echo("It would be refused. Nothing was changed." if refused else _NOTHING)
    raise typer.Exit(code)


def environment(place: Place, endpoint: str) -> dict[str, str]:
    """What the command runs with: the listener as every endpoint, and the keys of the place."""
    led = exports(evolve(place, endpoint=endpoint, authorities=""))
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {**kept, **led, "AWS_PAGER": ""}


def show(console: Console, heard: Heard) -> None:
    """One write: starts and stops by host, what else would happen, and what would be waited for."""
    found = heard.plan
    if found is None:
        return
    console.print(Text(f"{plain(found.operation)} would do this:", style="bold"))
    _moves(console, found)
    for change in found.changes or []:
        subject = f"{plain(change.subject)}: " if change.subject else ""
        console.print(Text(f"- {plain(change.kind)}  {subject}{plain(change.text)}"))
    for wait in found.waits or []:
        until = f"  (until {when(wait.until)})" if wait.until is not None else ""
        console.print(
            Text(f"- {plain(wait.service)} then waits: {plain(wait.text)}{until}", style="yellow")
        )
    for outlook in found.outlooks or []:
        if outlook.placement is not None:
            show_outlook(console, outlook.placement)
    if not found.complete:
        console.print(Text("There is more to it than a dry run may take.", style="red"))
    console.print(Text("Nothing was changed.", style="dim"))


def _moves(console: Console, found: DryRun) -> None:
    starts = Counter(
        (one.service or "", one.task_definition or "", one.host or "(waits for room)")
        for one in found.starts or []
    )
    stops = Counter(
        (one.service or "", one.host or "", one.reason or "") for one in found.stops or []
    )
    if not starts and not stops:
        console.print(Text("No task is started or stopped.", style="dim"))
        return
    moves = table("", "tasks", "service", "definition", "host", "why")
    for (service, definition, host), count in sorted(starts.items()):
        moves.add_row("start", str(count), *map(plain, (service, definition, host)), "")
    for (service, host, reason), count in sorted(stops.items()):
        moves.add_row("stop", str(count), plain(service), "", plain(host), plain(reason))
    console.print(moves)


def _refuse(command: Sequence[str]) -> None:
    for word in command:
        option = word.partition("=")[0]
        # The AWS CLI takes any beginning of it, too: --endpoint-u, or --e.
        shortened = len(option) > len("--") and _ENDPOINT.startswith(option)
        if option in _PAST or shortened:
            fail(
                f"{option} leads the command past the dry run: what it asks would be done.",
                "Leave it out: moorage plan gives the command its endpoint.",
            )
    if Path(command[0]).name == "moorage":
        fail("moorage's own commands find their server by themselves: what they ask would be done.")


def _run(command: Sequence[str], variables: Mapping[str, str], *, output: bool) -> int:
    try:
        done = subprocess.run(
            list(command),
            env=dict(variables),
            stdout=None if output else subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        fail(f"{command[0]} cannot be run: {error.strerror}.")
    return done.returncode
