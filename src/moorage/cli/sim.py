"""`moorage sim`: the whole system in one thread, under seeds, until a law is broken.

Needs no server, no engine and no network: everything is simulated here.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from moorage.ground.chance import SystemChance
from moorage.sim.pool import WORKERS, judge, judge_all
from moorage.sim.run import Verdict, play
from moorage.sim.scenarios import DEFAULT, SCENARIOS
from moorage.sim.schedule import Schedule, draw
from moorage.sim.shrink import shrink

SEED_LIMIT = 1 << 31
TOLD_EVERY = 25
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
        Path | None, typer.Option(help="Play a schedule that --shrink has written.")
    ] = None,
) -> None:
    """Play schedules of users and disasters, and check the laws of Moorage at every step."""
    if scenario not in SCENARIOS:
        typer.echo(f"There is no scenario {scenario}; there are {', '.join(SCENARIOS)}.", err=True)
        raise typer.Exit(2)
    if replay is not None:
        schedule = msgspec.json.decode(replay.read_bytes(), type=Schedule)
        _end([play(schedule, keeps_story=True)], tells=True)
    first = SystemChance().below(SEED_LIMIT) if seed is None else seed
    if seeds == 1:
        schedule = draw(first, scenario, SCENARIOS[scenario])
        verdict = play(schedule, keeps_story=True) if story else judge(scenario, first)
        _say(verdict)
        if verdict.broken and shorten:
            verdict = shrink(schedule, told=lambda line: typer.echo(line, err=True))
            _keep(verdict)
        _end([verdict], tells=story or shorten)
    _end(_all(scenario, range(first, first + seeds), workers), tells=False)


def _all(scenario: str, seeds: range, workers: int) -> Iterator[Verdict]:
    """Play them all, and say now and then how far it is."""
    commits, broken = 0, 0
    for count, verdict in enumerate(judge_all(scenario, seeds, workers), 1):
        commits += verdict.commits
        broken += bool(verdict.broken)
        if verdict.broken:
            _say(verdict)
        if count % TOLD_EVERY == 0 or count == len(seeds):
            told = f"{count}/{len(seeds)} schedules, {commits} commits, {broken} broken"
            typer.echo(told, err=True)
        yield verdict


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
