"""The percent arithmetic of a rolling deployment.

At least `lower_limit` tasks stay healthy, and at most `upper_limit` are there at once: wanted ones
(RUNNING and PENDING) and, stricter than ECS, those STOPPING on connected hosts, so that 0/100
never runs two.
"""

from moorage.ground.record import Record
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

MINIMUM_HEALTHY_PERCENT_DEFAULT = 100
MAXIMUM_PERCENT_DEFAULT = 200
_WHOLE = 100


class TaskCounts(Record):
    """How many tasks there are on hosts that are not lost.

    `wanted` should run (RUNNING or PENDING), `stopping` are on their way out, `healthy` count
    towards the minimum.
    """

    wanted: int
    stopping: int
    healthy: int


class Budget(Record):
    """At most so many may start, and at most so many healthy ones may stop, right now."""

    start: int
    stop: int


def lower_limit(desired: int, minimum_percent: int) -> int:
    """How many must stay healthy: the percentage of `desired`, rounded up."""
    return -(-desired * minimum_percent // _WHOLE)


def upper_limit(desired: int, maximum_percent: int) -> int:
    """How many may be there at once: the percentage of `desired`, rounded down."""
    return desired * maximum_percent // _WHOLE


def budget(desired: int, minimum_percent: int, maximum_percent: int, counts: TaskCounts) -> Budget:
    """How many more tasks may start and how many healthy ones may stop."""
    there = counts.wanted + counts.stopping
    return Budget(
        start=max(0, upper_limit(desired, maximum_percent) - there),
        stop=max(0, counts.healthy - lower_limit(desired, minimum_percent)),
    )


def percentages(configuration: DeploymentConfiguration) -> tuple[int, int]:
    """(minimumHealthyPercent, maximumPercent) with ECS's defaults."""
    minimum, maximum = configuration.minimum_healthy_percent, configuration.maximum_percent
    return (
        MINIMUM_HEALTHY_PERCENT_DEFAULT if minimum is None else minimum,
        MAXIMUM_PERCENT_DEFAULT if maximum is None else maximum,
    )
