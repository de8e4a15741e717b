"""Why a deployment ends before it is done, in the order in which one is looked for.

Someone stopped it (StopServiceDeployment, ContinueServiceDeployment), the time of a hook is over,
its circuit breaker tripped, or it got nowhere until its progress deadline.
"""

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.deployment import hooks, progress
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.circuit_breaker import rolls_back, tripped
from moorage.ecs.rules.deployment.lifecycle import is_under_way
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.deployment.waits import wait_of
from moorage.ground.instant import Duration, Instant, in_seconds
from moorage.ground.record import Record, evolve

BREAKER_REASON = "Service deployment failed: tasks failed to start."
BREAKER_ROLLBACK_REASON = (
    "Service deployment rolled back because the circuit breaker threshold was exceeded."
)
_SECONDS_PER_MINUTE = 60


class Cause(Record):
    """Why a deployment ends.

    `why` ends a sentence that begins with "deployment failed:". `reason` becomes its statusReason,
    `rollback_reason` where it goes back, which it does where `goes_back` and there is somewhere to
    go; then `by` says in a word what made it. `asked`: a rollback was asked for, so that to have
    nowhere to go is a failure of its own. `goes_on`: it is tried further.
    """

    why: str
    reason: str
    rollback_reason: str
    by: str
    goes_back: bool = False
    asked: bool = False
    goes_on: bool = False
    breaker: bool = False


BREAKER = Cause(
    why="tasks failed to start",
    reason=BREAKER_REASON,
    rollback_reason=BREAKER_ROLLBACK_REASON,
    by="circuit breaker",
    breaker=True,
)
ABORTED = Cause(
    why="it was stopped by StopServiceDeployment",
    reason="Service deployment stopped by StopServiceDeployment.",
    rollback_reason="",
    by="stop request",
)
ROLLED_BACK = Cause(
    why="its rollback was requested",
    reason="Service deployment rolled back because it was requested.",
    rollback_reason="Service deployment rolled back because it was requested.",
    by="rollback request",
    goes_back=True,
    asked=True,
)


def cause_of(
    state: ServiceState, primary: ServiceDeployment, census: Census, now: Instant
) -> Cause | None:
    """Why the primary, as it is now, ends before it is done; None where it does not."""
    if primary.status == "STOP_REQUESTED":
        return ABORTED
    if primary.status == "ROLLBACK_REQUESTED":
        return ROLLED_BACK
    if not is_under_way(primary):
        return None
    hook = hooks.expired(primary)
    if hook is not None:
        return _of_hook(hook.id, hook.stage)
    if tripped(primary, state.service.desired_count):
        return evolve(BREAKER, goes_back=rolls_back(primary))
    due = progress.due_at(state, primary)
    if due is not None and due <= now:
        return _of_deadline(state, primary, wait_of(state, census, now))
    return None


def _of_hook(identity: str, stage: str) -> Cause:
    why = f"the lifecycle hook {identity} at {stage} was not answered in time"
    reason = f"Service deployment rolled back because {why}."
    return Cause(
        why=why,
        reason=reason,
        rollback_reason=reason,
        by="lifecycle hook",
        goes_back=True,
        asked=True,
    )


def _of_deadline(state: ServiceState, primary: ServiceDeployment, wait: str) -> Cause:
    why = f"it got nowhere for {_spoken(progress.deadline(state))}, because {wait}"
    return Cause(
        why=why,
        reason=f"Service deployment failed: {why}.",
        rollback_reason=f"Service deployment rolled back because {why}.",
        by="progress deadline",
        goes_back=rolls_back(primary),
        goes_on=_goes_on(primary),
    )


def _goes_on(primary: ServiceDeployment) -> bool:
    """Whether a deployment that got nowhere is tried further.

    A breaker says that failing is an end, and a hook that a person decides. What is gone back to
    has nothing behind it.
    """
    configuration = primary.deployment_configuration
    breaker = configuration.deployment_circuit_breaker
    ends = (breaker is not None and bool(breaker.enable)) or bool(configuration.lifecycle_hooks)
    return bool(primary.rollback_of) or not ends


def _spoken(length: Duration) -> str:
    count = in_seconds(length)
    if count % _SECONDS_PER_MINUTE:
        return f"{count:g} seconds"
    whole = round(count / _SECONDS_PER_MINUTE)
    return "a minute" if whole == 1 else f"{whole} minutes"
