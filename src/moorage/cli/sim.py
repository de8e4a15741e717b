"""`moorage sim`: the whole system in one thread, under seeds, until a law is broken.

Needs no server, no engine and no network: everything is simulated here.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moorage.ground.chance import SystemChance
from moorage.ground.clock import Clock, SystemClock
from moorage.ground.instant import Duration, seconds
from moorage.sim.pool import WORKERS, judge_all
from moorage.sim.run import Verdict, play
from moorage.sim.scenarios import DEFAULT, SCENARIOS
from moorage.sim.schedule import Schedule, draw
from moorage.sim.shrink import judged, shrink
from moorage.sim.tally import Tally

SEED_LIMIT = 1 << 31
TERMINAL_SECONDS = 1.0
LINE_SECONDS = 30.0
# To the beginning of the line, and all of it away (ECMA-48).
WIPED = "\r\x1b[K"
FAILED_EXIT = 1
STORY_LINES = 120

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage sim --seeds 100; moorage sim --seed 42 --shrink")
def sim(
    seed: Annotated[int | None, typer.Option(help="Play this one; else fresh ones.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many, counted up from --seed.")] = 1,
    scenario: Annotated[
        str, typer.Option(help=f"What goes wrong: {', '.join(SCENARIOS)}.")
    ] = DEFAULT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = WORKERS,
    shorten: Annotated[
        bool, typer.Option("--shrink", help="Make a failure short, and tell its story.")
    ] = False,
    story: Annotated[bool, typer.Option("--story", help="Print everything that happens.")] = False,
    replay: Annotated[
        Path | None,
        typer.Option(
            help="Play a schedule that --shrink has written.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Play schedules of users and disasters, and check the laws of Moorage at every step.

    A schedule is three to eight hosts, 150 steps of users and up to 13 disasters in ten simulated
    minutes, drawn from a seed: the same seed is the same run. Ends with 1 where a law was broken.
    """
    if scenario not in SCENARIOS:
        typer.echo(f"There is no scenario {scenario}; there are {', '.join(SCENARIOS)}.", err=True)
        raise typer.Exit(2)
    if seeds > 1 and (shorten or story):
        typer.echo("--shrink and --story are of one seed: give it by --seed alone.", err=True)
        raise typer.Exit(2)
    if replay is not None:
        _end([play(_written(replay), keeps_story=True)], tells=True)
    first = SystemChance().below(SEED_LIMIT) if seed is None else seed
    if seeds == 1:
        schedule = draw(first, scenario, SCENARIOS[scenario])
        if shorten:  # one that fails with an exception is shrunk, too; else its trace is wanted
            verdict = judged(schedule, keeps_story=story)
        else:
            verdict = play(schedule, keeps_story=story)
        _say(verdict)
        if verdict.broken and shorten:
            verdict = shrink(schedule, told=lambda line: typer.echo(line, err=True))
            _keep(verdict)
        _end([verdict], tells=story or shorten)
    _end(_all(scenario, range(first, first + seeds), workers), tells=False)


def _written(path: Path) -> Schedule:
    """The schedule that a file holds; ends with 2 where it holds none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Schedule)
    except msgspec.DecodeError as error:
        typer.echo(f"{path} holds no schedule that --shrink has written: {error}", err=True)
        raise typer.Exit(2) from None


def _all(scenario: str, seeds: range, workers: int) -> Iterator[Verdict]:
    """Play them all, and say how far it is: each failure at once, in full."""
    typer.echo(f"seeds {seeds[0]} to {seeds[-1]} of {scenario}, on {workers} processes", err=True)
    progress = Progress(len(seeds), SystemClock())
    try:
        for verdict in judge_all(scenario, seeds, workers):
            progress.add(verdict)
            yield verdict
    finally:
        progress.end()


class Progress:
    """Says how far a run is: on a terminal in one line that changes, elsewhere in a line at times."""

    def __init__(self, total: int, clock: Clock) -> None:
        """Begin now."""
        self._tally = Tally(total)
        self._clock = clock
        self._began = clock.monotonic()
        self._changes = sys.stderr.isatty()
        self._pause = seconds(TERMINAL_SECONDS if self._changes else LINE_SECONDS)
        self._told_at = self._began

    def add(self, verdict: Verdict) -> None:
        """One more is done."""
        self._tally.add(verdict)
        if verdict.broken:
            self._wipe()
            _say(verdict)
        if self._clock.monotonic() - self._told_at >= self._pause:
            self._tell(ends=not self._changes)

    def end(self) -> None:
        """Say what it came to, also where it was broken off."""
        self._tell(ends=True)
        typer.echo(self._tally.summary(), err=True)

    def _tell(self, *, ends: bool) -> None:
        self._wipe()
        self._told_at = self._clock.monotonic()
        told = self._tally.told(Duration(self._told_at - self._began))
        typer.echo(told, err=True, nl=ends)

    def _wipe(self) -> None:
        if self._changes:
            typer.echo(WIPED, err=True, nl=False)


def _say(verdict: Verdict) -> None:
    schedule = verdict.schedule
    faults = sum(step.actor == "fate" for step in schedule.steps)
    typer.echo(
        f"seed {schedule.seed} ({schedule.scenario}): {schedule.machines} hosts, "
        f"{len(schedule.steps) - faults} steps, {faults} faults, {verdict.commits} commits, "
        f"{verdict.seconds:.0f} s, trace {verdict.trace}"
    )
    for one in verdict.broken:
        typer.echo(f"  broken after {one.at / 1_000_000:.3f} s: {one.law}: {one.what}")
    if verdict.broken:
        again = f"moorage sim --scenario {schedule.scenario} --seed {schedule.seed} --shrink"
        typer.echo(f"  again: {again}")


def _keep(verdict: Verdict) -> None:
    path = Path(f"sim-{verdict.schedule.scenario}-{verdict.schedule.seed}.json")
    path.write_bytes(msgspec.json.format(msgspec.json.encode(verdict.schedule), indent=1))
    typer.echo(f"kept in {path}: {len(verdict.schedule.steps)} steps")
    for step in verdict.schedule.steps:
        picks = json.dumps(step.picks)
        typer.echo(f"  {step.at:8.3f} s  {step.actor:4}  {step.act}  {picks}")


def _end(verdicts: Iterable[Verdict], *, tells: bool) -> None:
    """Tell the story where that is wanted, and end with 1 where a law was broken."""
    failed = False
    for verdict in verdicts:
        failed = failed or bool(verdict.broken)
        if tells:
            lines = verdict.story[-STORY_LINES:] if verdict.broken else verdict.story
            typer.echo("\n".join(lines))
    raise typer.Exit(FAILED_EXIT if failed else 0)
