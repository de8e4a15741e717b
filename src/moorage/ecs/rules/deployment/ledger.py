"""The changes that one decision makes to a service and its deployments, gathered step by step."""

from collections.abc import Callable

from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.deployment.state import ServiceState, current_of
from moorage.ecs.rules.deployment.status import TABLE
from moorage.ground.instant import Instant
from moorage.ground.record import evolve


class Ledger:
    """Holds the newest record of each; `changed` ones are those that differ from the state's."""

    def __init__(self, state: ServiceState, now: Instant) -> None:
        """Begin with the records of the state."""
        self.now = now
        self.service: Service = state.service
        self.events: list[str] = []
        self._before = {one.id: one for one in state.deployments}
        self._deployments = dict(self._before)
        self._service_before = state.service

    @property
    def deployments(self) -> list[ServiceDeployment]:
        """All deployments of the state, as they are now."""
        return list(self._deployments.values())

    @property
    def primary(self) -> ServiceDeployment:
        """The deployment that the service names now."""
        return self._deployments[self.service.deployment]

    @property
    def current(self) -> ServiceDeployment:
        """The deployment whose tasks are kept and started, as things are now."""
        return current_of(self.service, self.deployments)

    @property
    def olds(self) -> list[ServiceDeployment]:
        """The other open deployments."""
        return [one for one in self.deployments if one.open and one.id != self.service.deployment]

    def going_back_to(self, deployment: ServiceDeployment) -> list[ServiceDeployment]:
        """Those that have failed and whose rollback, to this deployment, has not ended."""
        return [
            one
            for one in self.deployments
            if one.status == "ROLLBACK_IN_PROGRESS" and one.rolled_back_to == deployment.id
        ]

    def put(self, deployment: ServiceDeployment) -> None:
        """Replace a deployment; one that differs is stamped with `now`."""
        before = self._deployments[deployment.id]
        if deployment != before:
            TABLE.check(before.status, deployment.status)
            self._deployments[deployment.id] = evolve(deployment, updated_at=self.now)

    def say(self, sentence: Callable[..., str], *details: str) -> None:
        """Add an event; the first word of every sentence is the service's name."""
        self.events.append(sentence(self.service.name, *details))

    def changed_deployments(self) -> tuple[ServiceDeployment, ...]:
        """The deployments that differ from the state's."""
        return tuple(one for one in self.deployments if one != self._before[one.id])

    def changed_service(self) -> Service | None:
        """The service where it differs from the state's."""
        return self.service if self.service != self._service_before else None
