"""Whether a deployment configuration is sound, and what it is in full."""

from moorage.ecs.rules.deployment.early_success import refuse_early
from moorage.ecs.rules.deployment.hooks import refuse_hooks
from moorage.ecs.rules.deployment.rolling import (
    MAXIMUM_PERCENT_DEFAULT,
    MINIMUM_HEALTHY_PERCENT_DEFAULT,
)
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)

FULL_PERCENT = 100
THRESHOLD_TYPES = ("COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT")
# Above it, the arithmetic of counts would have no meaning for any cluster.
PERCENT_MAX = 100_000


def refuse_configuration(configuration: DeploymentConfiguration) -> Refusal | None:
    """Why this configuration cannot be asked for, or None."""
    minimum, maximum = configuration.minimum_healthy_percent, configuration.maximum_percent
    if minimum is not None and not 0 <= minimum <= FULL_PERCENT:
        return invalid("The minimumHealthyPercent must be between 0 and 100.")
    if maximum is not None and not FULL_PERCENT <= maximum <= PERCENT_MAX:
        return invalid(f"The maximumPercent must be between 100 and {PERCENT_MAX}.")
    alarms = configuration.alarms
    asked = {
        f"deploymentConfiguration.strategy {configuration.strategy}": configuration.strategy
        not in {None, "ROLLING"},
        "deploymentConfiguration.alarms": alarms is not None and alarms.enable,
        "deploymentConfiguration.bakeTimeInMinutes": configuration.bake_time_in_minutes,
        "deploymentConfiguration.linearConfiguration": configuration.linear_configuration,
        "deploymentConfiguration.canaryConfiguration": configuration.canary_configuration,
    }
    member = next((name for name, value in asked.items() if value), None)
    if member:
        return unsupported(f"{member} is not supported yet.")
    return refuse_hooks(configuration.lifecycle_hooks or []) or _refuse_breaker(
        configuration.deployment_circuit_breaker
    )


def refuse_full(full: DeploymentConfiguration) -> Refusal | None:
    """Why a configuration, laid over what was before, cannot stand: members that must agree."""
    return refuse_early(full)


def full_configuration(
    asked: DeploymentConfiguration | None, before: DeploymentConfiguration | None = None
) -> DeploymentConfiguration:
    """`asked` laid over what was before, or over ECS's defaults (100/200, breaker off)."""
    known = before or DeploymentConfiguration(
        minimum_healthy_percent=MINIMUM_HEALTHY_PERCENT_DEFAULT,
        maximum_percent=MAXIMUM_PERCENT_DEFAULT,
        deployment_circuit_breaker=DeploymentCircuitBreaker(enable=False, rollback=False),
        strategy="ROLLING",
        bake_time_in_minutes=0,
    )
    if asked is None:
        return known
    given = {name: getattr(asked, name) for name in asked.__struct_fields__}
    return evolve(known, **{name: value for name, value in given.items() if value is not None})


def _refuse_breaker(breaker: DeploymentCircuitBreaker | None) -> Refusal | None:
    threshold = breaker.threshold_configuration if breaker else None
    if threshold is None:
        return None
    if threshold.type not in THRESHOLD_TYPES:
        return invalid(
            f"The type of a circuit breaker's threshold must be one of {', '.join(THRESHOLD_TYPES)}."
        )
    if threshold.value is None or threshold.value < 1:
        return invalid("The value of a circuit breaker's threshold must be at least 1.")
    return None
