"""Why a service is as it is: what it wants, what it has, what it waits for."""

from moorage.ecs.rules.deployment.circuit_breaker import threshold
from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.rules.deployment.strategies import census_of
from moorage.ecs.rules.explanation.waits import ServiceCase, Wait, tasks, waits
from moorage.ecs.rules.task.ending import Cause
from moorage.ground.record import Record

EVENTS_SHOWN = 10


class ServiceExplanation(Record):
    """In one sentence, then all that is waited for, then what was said of late, oldest first."""

    headline: str
    waits: tuple[Wait, ...]
    causes: tuple[Cause, ...]
    running: int
    pending: int
    healthy: int


def explain(case: ServiceCase) -> ServiceExplanation:
    """The explanation of a service that is ACTIVE or DRAINING."""
    service, taken = case.state.service, census_of(case.state, case.now)
    found = waits(case)
    counted = counts(case.state.tasks)
    healthy = taken.healthy((*taken.staying, *taken.leaving))
    has = f"It has {tasks(counted.running)} RUNNING ({healthy} of them healthy) and {counted.pending} on their way."
    wants = f"Service {service.name} is {service.status} and wants {tasks(service.desired_count)} of {_named(service.task_definition)}."
    end = (
        f"It waits for {len(found)} {'thing' if len(found) == 1 else 'things'}."
        if found
        else _calm(case, len(taken.staying))
    )
    return ServiceExplanation(
        headline=f"{wants} {has} {end}",
        waits=tuple(found),
        causes=(*_breaker(case), *_said(case)),
        running=counted.running,
        pending=counted.pending,
        healthy=healthy,
    )


def _calm(case: ServiceCase, staying: int) -> str:
    if staying == case.state.service.desired_count:
        return "Nothing is missing."
    return "The scheduler is about to act: it looks again at once."


def _breaker(case: ServiceCase) -> list[Cause]:
    """How far the circuit breaker has counted, where it is on and has."""
    primary = case.state.primary
    limit = threshold(case.state.service.desired_count, primary.deployment_configuration)
    if limit is None or not primary.failed_tasks or primary.rollout_state != "IN_PROGRESS":
        return []
    return [
        Cause(
            text=(
                f"The circuit breaker has counted {primary.failed_tasks} failed "
                f"{'task' if primary.failed_tasks == 1 else 'tasks'} of deployment {primary.id}: "
                f"at {limit} the deployment fails."
            ),
            at=primary.last_failure_at,
        )
    ]


def _said(case: ServiceCase) -> list[Cause]:
    prefix = f"(service {case.state.service.name}) "
    newest = sorted(case.events, key=lambda one: -one.number)[:EVENTS_SHOWN]
    return [
        Cause(text=f"It said: {one.message.removeprefix(prefix)}", at=one.created_at)
        for one in reversed(newest)
    ]


def _named(arn: str) -> str:
    return arn.rpartition("/")[2]
