"""Reports of tasks: tried until the server takes them, or refuses them for good.

Agent protocol, section 6: an InvalidParameterException ends a report, everything else is tried
again, ever later, for as long as the process lives. When the server is heard again, all that wait
try at once.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator

from moorage.agent.engine.events import ReportAcknowledged, ReportRefused
from moorage.agent.engine.instructions import SubmitTaskStateChange
from moorage.agent.records.report import TaskReport
from moorage.ground.chance import Chance
from moorage.ground.fault import Fault

BACK_OFF_SECONDS_FIRST = 0.3
BACK_OFF_FACTOR = 1.3
BACK_OFF_SECONDS_MAX = 30.0
BACK_OFF_STEPS_MAX = 64
JITTER = 0.2
SUBMISSIONS_AT_ONCE = 10  # as Amazon's agent
REFUSED_FOR_GOOD = "InvalidParameterException"

Submit = Callable[[TaskReport], Awaitable[None]]


class Reporter:
    """Submits reports, at most SUBMISSIONS_AT_ONCE at a time."""

    def __init__(self, submit: Submit, chance: Chance) -> None:
        """Submit by `submit`, which raises a Fault where it was not taken."""
        self._submit = submit
        self._chance = chance
        self._turn = asyncio.Semaphore(SUBMISSIONS_AT_ONCE)
        self._heard = asyncio.Event()

    def server_heard(self) -> None:
        """The server is there again: whoever waits tries now."""
        self._heard.set()
        self._heard = asyncio.Event()

    async def report(
        self, instruction: SubmitTaskStateChange
    ) -> ReportAcknowledged | ReportRefused:
        """Report until it is taken or refused for good."""
        arn, sequence = instruction.report.task, instruction.sequence
        for wait_seconds in back_off_seconds():
            try:
                async with self._turn:
                    await self._submit(instruction.report)
            except Fault as fault:
                if fault.code == REFUSED_FOR_GOOD:
                    return ReportRefused(task_arn=arn, sequence=sequence, message=fault.message)
            else:
                return ReportAcknowledged(task_arn=arn, sequence=sequence)
            await self._pause(wait_seconds)
        raise AssertionError("the tries have no end")

    async def _pause(self, wait_seconds: float) -> None:
        heard = self._heard
        try:
            async with asyncio.timeout(wait_seconds * (1 + self._chance.uniform(0, JITTER))):
                await heard.wait()
        except TimeoutError:
            return


def back_off_seconds() -> Iterator[float]:
    """How long to wait after the first, the second ... try that failed; without end."""
    for failures in itertools.count():
        growth = BACK_OFF_FACTOR ** min(failures, BACK_OFF_STEPS_MAX)
        yield min(BACK_OFF_SECONDS_FIRST * growth, BACK_OFF_SECONDS_MAX)
