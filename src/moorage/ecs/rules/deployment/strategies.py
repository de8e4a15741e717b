"""Which rule moves the tasks of a service, by its schedulingStrategy.

Everything else of a deployment (failures, stages, what is said, when it is done) is one for all.
"""

from collections.abc import Mapping

from moorage.ecs.records.service import Service
from moorage.ecs.rules.deployment import census, daemon, replica
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import MoveRule
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ground.instant import Instant

MOVES: Mapping[str, MoveRule] = {"REPLICA": replica.moves, "DAEMON": daemon.moves}


def move_rule(service: Service) -> MoveRule:
    """The rule that moves a service's tasks."""
    return MOVES[service.scheduling_strategy]


def aimed(state: ServiceState, ledger: Ledger) -> ServiceState:
    """The state with the desired count that is to be reached: a daemon's follows its hosts."""
    return state if state.daemon is None else daemon.aim(state, ledger)


def census_of(state: ServiceState, now: Instant) -> Census:
    """The census of a service's tasks, by its schedulingStrategy."""
    return census.take(state, now) if state.daemon is None else daemon.take(state, now)
