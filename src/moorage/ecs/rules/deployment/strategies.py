"""Which rule moves the tasks of a service, by its schedulingStrategy.

Everything else of a deployment (failures, stages, what is said, when it is done) is one for all.
"""

from collections.abc import Mapping

from moorage.ecs.records.service import Service
from moorage.ecs.rules.deployment import replica
from moorage.ecs.rules.deployment.moves import MoveRule

MOVES: Mapping[str, MoveRule] = {"REPLICA": replica.moves}


def move_rule(service: Service) -> MoveRule:
    """The rule that moves a service's tasks."""
    return MOVES[service.scheduling_strategy]
