"""How the demo tells its story: numbered steps with their time, commands shown and bounded."""

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, in_seconds

COMMAND_SECONDS_MAX = 120.0
OUTPUT_LINES_SHOWN = 15
TITLE_WIDTH_MIN = 40
TIME_WIDTH = 9


# What a log line says that is of no use to whoever looks for a failure.
IN_ORDER = '"code": "ok"'


class DemoFailed(Exception):  # noqa: N818 - shown to people as it is
    """A step did not come to its end; the message says why."""


class DemoRefused(DemoFailed):
    """It cannot even be tried, and no log could say more; the message says what to do."""


@dataclass
class Step:
    """A step that is being told: its title may become more exact, and lines follow it."""

    title: str
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Show a line under the step's title when the step is done."""
        self.lines.append(line)


class Story:
    """The steps in their order, as they are shown."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Begin a story; nothing is shown yet."""
        self.console = console
        self._clock = clock
        self._number = 0
        self._began = clock.monotonic()

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Tell one step: its number and title, its time, and what was said in it."""
        self._number += 1
        told = Step(title)
        began = self._clock.monotonic()
        try:
            with self.console.status(f"{self._number}. {escape(title)}"):
                yield told
        except BaseException:
            self.console.print(f"[red]{self._number:>2}. {escape(told.title)}: failed[/]")
            self._under(told)
            raise
        self._line(f"{self._number:>2}. {told.title}", Duration(self._clock.monotonic() - began))
        self._under(told)

    def end(self, title: str) -> None:
        """Tell how long it all took."""
        self._line(f"    {title}", Duration(self._clock.monotonic() - self._began))

    def now(self, line: str) -> None:
        """Show a line at once: what is about to happen."""
        self.console.print(f"    {escape(line)}", highlight=False, soft_wrap=True)

    def _under(self, told: Step) -> None:
        for line in told.lines:
            self.console.print(f"    {escape(line)}", style="dim", highlight=False, soft_wrap=True)

    def _line(self, title: str, took: Duration) -> None:
        width = max(TITLE_WIDTH_MIN, min(self.console.width, 96) - TIME_WIDTH)
        time = f"{in_seconds(took):.1f} s"
        self.console.print(
            f"[bold]{escape(f'{title:<{width}}')}[/]{time:>{TIME_WIDTH}}",
            highlight=False,
            soft_wrap=True,
        )


@dataclass(frozen=True)
class Commands:
    """Runs commands with one environment, bounded in time, and shows them in a step."""

    environment: Mapping[str, str]

    def run(
        self,
        step: Step,
        command: Sequence[str],
        *,
        hidden_input: str = "",
        seconds_max: float = COMMAND_SECONDS_MAX,
    ) -> str:
        """Run a command and answer what it printed; raises DemoFailed with its last lines.

        `hidden_input` is given to it and shown nowhere.
        """
        shown = spelled(command)
        step.say(f"$ {shown}")
        try:
            done = subprocess.run(
                list(command),
                input=hidden_input,
                capture_output=True,
                text=True,
                env=dict(self.environment),
                timeout=seconds_max,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise DemoFailed(f"{shown} did not end within {seconds_max:g} s.") from late
        except OSError as error:
            raise DemoFailed(f"{shown}: {error.strerror}") from error
        if done.returncode:
            last = (done.stdout + done.stderr).strip().splitlines()[-OUTPUT_LINES_SHOWN:]
            raise DemoFailed("\n".join([f"{shown} ended with {done.returncode}:", *last]))
        return done.stdout


def spelled(command: Sequence[str]) -> str:
    """A command as one would type it, programs and files below here by their short names."""
    here = f"{Path.cwd()}{os.sep}"
    return shlex.join(word.removeprefix(here) for word in command)


def last_lines(path: Path, count: int = OUTPUT_LINES_SHOWN) -> list[str]:
    """The last lines of a log file without those of calls in order; none where it is not there."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if IN_ORDER not in line][-count:]
