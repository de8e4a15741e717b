"""When a deployment is done, when older ones are gone, and when the service is steady."""

from moorage.ecs.rules import events
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve

SUPERSEDED_REASON = "A newer deployment has taken the place of this one."
_UNDER_WAY = frozenset({"PENDING", "IN_PROGRESS"})


def close_olds(ledger: Ledger, census: Census) -> None:
    """End older deployments: superseded at once, gone when their last task is STOPPED.

    Tasks on lost hosts that are given up keep none open.
    """
    olds = ledger.olds
    present = census.present if olds else frozenset()
    for old in olds:
        ended = old
        if old.status in _UNDER_WAY:
            ended = evolve(
                ended, status="STOPPED", status_reason=SUPERSEDED_REASON, finished_at=ledger.now
            )
        if old.status == "ROLLBACK_IN_PROGRESS" and old.rolled_back_to != ledger.primary.id:
            ended = evolve(
                ended,
                status="ROLLBACK_FAILED",
                status_reason=SUPERSEDED_REASON,
                finished_at=ledger.now,
            )
        if old.id not in present:
            ended = evolve(ended, open=False)
        ledger.put(ended)


def is_steady(census: Census, desired: int) -> bool:
    """Whether just the desired tasks are there, all of them healthy."""
    return (
        len(census.staying) == desired == census.healthy(census.staying)
        and not census.leaving
        and not census.stopping
        and not census.away
    )


def settle(ledger: Ledger, conditions: Conditions) -> None:
    """The service is steady: the deployment is COMPLETED, and it is said, again every so often."""
    service, primary = ledger.service, ledger.primary
    if primary.rollout_state == "IN_PROGRESS":
        successful = primary.status == "SUCCESSFUL"
        ledger.put(
            evolve(
                primary,
                rollout_state="COMPLETED",
                rollout_reason=events.rollout_completed(primary.id),
                status="SUCCESSFUL",
                finished_at=primary.finished_at if successful else ledger.now,
                completed_before=True,
                failed_tasks=0,
            )
        )
        ledger.say(events.deployment_completed, primary.id)
        origin = ledger.find(primary.rollback_of)
        if origin is not None and origin.status == "ROLLBACK_IN_PROGRESS":
            ledger.put(evolve(origin, status="ROLLBACK_SUCCESSFUL", finished_at=ledger.now))
    again = steady_again_at(service.steady_at, conditions)
    if again is None or again <= ledger.now:
        ledger.service = evolve(service, steady_at=ledger.now)
        ledger.say(events.steady)


def unsettle(ledger: Ledger) -> None:
    """The service is not steady: the next steady state is said again."""
    if ledger.service.steady_at is not None:
        ledger.service = evolve(ledger.service, steady_at=None)


def steady_again_at(steady_at: Instant | None, conditions: Conditions) -> Instant | None:
    """When the steady state is said again, if it lasts; None where it was not said yet."""
    return later(steady_at, conditions.steady_state_repeat) if steady_at is not None else None
