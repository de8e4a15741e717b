"""When a deployment is done, when older ones are gone, and when the service is steady."""

from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import hooks
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ecs.rules.deployment.status import ONGOING
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve

SUPERSEDED_REASON = "A newer deployment has taken the place of this one."


def close_olds(ledger: Ledger, census: Census) -> None:
    """End older deployments: superseded at once, gone when their last task is STOPPED.

    Tasks on lost hosts that are given up keep none open. One whose tasks are kept while the primary
    is paused stays open even where it has none for the moment, and so does one whose rollback has
    not ended: that is still to be noted in it.
    """
    olds, current = ledger.olds, ledger.current.id
    present = census.present if olds else frozenset()
    for old in olds:
        ended = evolve(old, stalled=False)
        if old.status in ONGOING:
            ended = evolve(
                hooks.abandoned(ended),
                status="STOPPED",
                status_reason=SUPERSEDED_REASON,
                finished_at=ledger.now,
            )
        if old.status == "ROLLBACK_IN_PROGRESS" and old.rolled_back_to != ledger.primary.id:
            ended = evolve(
                ended,
                status="ROLLBACK_FAILED",
                status_reason=SUPERSEDED_REASON,
                finished_at=ledger.now,
            )
        awaited = old.id == current or ended.status == "ROLLBACK_IN_PROGRESS"
        if old.id not in present and not awaited:
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


def complete(ledger: Ledger) -> None:
    """The primary is done: it is COMPLETED, also where it had failed and went on trying."""
    primary = ledger.primary
    if primary.rollout_state != "IN_PROGRESS" and not primary.stalled:
        return
    done = evolve(
        primary,
        rollout_state="COMPLETED",
        rollout_reason=events.rollout_completed(primary.id),
        completed_before=True,
        failed_tasks=0,
        progress=None,
        stalled=False,
    )
    if primary.status == "IN_PROGRESS":
        done = evolve(done, status="SUCCESSFUL", finished_at=ledger.now)
    ledger.put(done)
    ledger.say(events.deployment_completed, primary.id)
    for origin in ledger.going_back_to(primary):
        ledger.put(evolve(origin, status="ROLLBACK_SUCCESSFUL", finished_at=ledger.now))


def settle(ledger: Ledger, conditions: Conditions) -> None:
    """The service is steady: it is said, again every so often."""
    again = steady_again_at(ledger.service.steady_at, conditions)
    if again is None or again <= ledger.now:
        ledger.service = evolve(ledger.service, steady_at=ledger.now)
        ledger.say(events.steady)


def unsettle(ledger: Ledger) -> None:
    """The service is not steady: the next steady state is said again."""
    if ledger.service.steady_at is not None:
        ledger.service = evolve(ledger.service, steady_at=None)


def steady_again_at(steady_at: Instant | None, conditions: Conditions) -> Instant | None:
    """When the steady state is said again, if it lasts; None where it was not said yet."""
    return later(steady_at, conditions.steady_state_repeat) if steady_at is not None else None
