"""The percent arithmetic of a rolling deployment."""

from moorage.ground.record import Record
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

MINIMUM_HEALTHY_PERCENT_DEFAULT = 100
MAXIMUM_PERCENT_DEFAULT = 200


class TaskCounts(Record):
    """`wanted`: tasks that should run (RUNNING or PENDING) on hosts that are not lost; `stopping`:
    those on their way out on such hosts; `healthy`: those that count towards the minimum."""

    wanted: int
    stopping: int
    healthy: int


class Budget(Record):
    """At most so many may start, and at most so many healthy ones may stop, right now."""

    start: int
    stop: int


def lower_limit(desired: int, minimum_percent: int) -> int:
    """How many must stay healthy: the percentage of `desired`, rounded up."""
    raise NotImplementedError


def upper_limit(desired: int, maximum_percent: int) -> int:
    """How many may be there at once: the percentage of `desired`, rounded down."""
    raise NotImplementedError


def budget(desired: int, minimum_percent: int, maximum_percent: int, counts: TaskCounts) -> Budget:
    """How many more tasks may start and how many healthy ones may stop."""
    raise NotImplementedError


def percentages(configuration: DeploymentConfiguration) -> tuple[int, int]:
    """(minimumHealthyPercent, maximumPercent) with ECS's defaults."""
    raise NotImplementedError
