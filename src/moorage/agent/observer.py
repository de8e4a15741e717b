"""What happens to this host's containers, unasked: the engine's events as the agent's.

An event of Docker says that something happened; what it was is taken from an inspection.
"""

from collections.abc import Callable

from moorage.agent.engine.events import ContainerExited, HealthChanged
from moorage.agent.engine.labels import LABEL_CONTAINER, LABEL_HOST, LABEL_TASK_ARN
from moorage.agent.observed import exit_of, health_of, message_of
from moorage.agent.records.container import Exit
from moorage.agent.runtime.port import ContainerRuntime, EngineUnavailable, RuntimeEvent
from moorage.agent.vigil import Vigil
from moorage.ground.instant import Instant

Feed = Callable[[ContainerExited | HealthChanged], None]


class Observer:
    """Watches the containers that carry this host's label."""

    def __init__(self, runtime: ContainerRuntime, vigil: Vigil, host: str, feed: Feed) -> None:
        """Tell `feed` of what happens; `host` is the value of the label."""
        self._runtime = runtime
        self._vigil = vigil
        self._host = host
        self._feed = feed
        self._heed = {
            "die": self._ended,
            "health_status": self._changed_health,
        }

    async def run(self, since: Instant) -> None:
        """Watch from `since` on, until cancelled."""
        async for event in self._runtime.watch({LABEL_HOST: self._host}, since):
            if event.action == "gap":
                self._vigil.mistrust_events()
                continue
            heed = self._heed.get(event.action)
            if heed is None or not event.labels.get(LABEL_TASK_ARN):
                continue
            try:
                await heed(event)
            except EngineUnavailable as failure:
                # Its return is followed by a full look, which tells what is passed over here.
                self._vigil.doubt(failure.reason)

    async def _ended(self, event: RuntimeEvent) -> None:
        found = await self._runtime.inspect(event.id)
        if found is None:
            end = Exit(exit_code=event.exit_code, finished_at=event.at)
        else:
            seen = exit_of(found)
            if seen is None:
                return  # it runs again already; somebody else started it
            end = seen
        self._feed(
            ContainerExited(
                task_arn=event.labels[LABEL_TASK_ARN],
                container=event.labels.get(LABEL_CONTAINER, ""),
                runtime_id=event.id,
                exit=end,
            )
        )

    async def _changed_health(self, event: RuntimeEvent) -> None:
        found = await self._runtime.inspect(event.id)
        self._feed(
            HealthChanged(
                task_arn=event.labels[LABEL_TASK_ARN],
                container=event.labels.get(LABEL_CONTAINER, ""),
                runtime_id=event.id,
                health=health_of(event.health),
                since=event.at,
                message=None if found is None else message_of(found),
            )
        )
