"""All that watches one container engine, put together: breaker, vigil, observer and patrol.

The rest of the agent is given `runtime`, behind the breaker; the vigil alone asks the engine itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from moorage.agent.observer import Observer
from moorage.agent.patrol import PATROL_PERIOD_SECONDS, Beat, Patrol
from moorage.agent.process_table import Processes, Witness
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.breaker import LANES, Breaker, Lane
from moorage.agent.runtime.guarded import GuardedRuntime, WholeEngine
from moorage.agent.vigil import Rhythm, Vigil
from moorage.ground.clock import Clock
from moorage.ground.record import Record


class Timing(Record):
    """How often the engine is asked, how often the round is gone, and how long calls may take."""

    rhythm: Rhythm = Rhythm()
    patrol_seconds: float = PATROL_PERIOD_SECONDS
    lanes: Mapping[str, Lane] = msgspec.field(default_factory=lambda: LANES)


class EngineWatch:
    """The watch over one engine for one host."""

    def __init__(
        self,
        engine: WholeEngine,
        feed: Callable[[Any], None],
        clock: Clock,
        timing: Timing | None = None,
        witness: Witness | None = None,
    ) -> None:
        """Watch `engine` and tell `feed`; nothing is asked before the parts are run."""
        self._timing = timing or Timing()
        self._feed = feed
        self._clock = clock
        self._witness = witness or Processes()
        self.breaker = Breaker(self._timing.lanes)
        self.runtime = GuardedRuntime(engine, self.breaker)
        self.vigil = Vigil(engine, feed, self.breaker, self._timing.rhythm)

    def over(
        self, host: str, tasks: Callable[[], tuple[TaskRecord, ...]]
    ) -> tuple[Observer, Patrol]:
        """The observer and the patrol of the containers that carry the label of `host`."""
        observer = Observer(self.runtime, self.vigil, host, self._feed)
        beat = Beat(
            runtime=self.runtime,
            vigil=self.vigil,
            observer=observer,
            witness=self._witness,
            tasks=tasks,
            feed=self._feed,
            clock=self._clock,
        )
        return observer, Patrol(beat, host, self._timing.patrol_seconds)
