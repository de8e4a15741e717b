"""A frozen service: nothing of it is started, stopped or replaced; what happens is taken in.

What was ordered before goes on. Tasks that end meanwhile count for no back-off and no breaker.
"""

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import progress
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.status import ONGOING, REQUESTED
from moorage.ecs.rules.deployment.steady_state import SUPERSEDED_REASON
from moorage.ecs.rules.freeze import until_words
from moorage.ground.record import evolve


def keep_frozen(ledger: Ledger, freeze: Freeze) -> None:
    """Say that the service is frozen, once a freeze, and that a change of it has to wait."""
    service, primary = ledger.service, ledger.primary
    if service.frozen_at != freeze.created_at:
        ledger.service = evolve(service, frozen_at=freeze.created_at)
        ledger.say(events.frozen, until_words(freeze), freeze.reason)
    unheard = primary.status == "PENDING" or primary.status in REQUESTED
    changed = unheard or primary.desired_count != service.desired_count
    if service.status == "DRAINING" or changed:
        ledger.say(events.waits_for_thaw, until_words(freeze))
    _close_unbegun(ledger)


def _close_unbegun(ledger: Ledger) -> None:
    """End what was superseded before it began: else a long freeze gathers every change of it."""
    for old in ledger.olds:
        if old.status in ONGOING and old.lifecycle_stage is None:
            ledger.put(
                evolve(
                    old,
                    status="STOPPED",
                    status_reason=SUPERSEDED_REASON,
                    finished_at=ledger.now,
                    open=False,
                )
            )


def thaw(ledger: Ledger) -> None:
    """Say that the service is frozen no longer, where it was."""
    if ledger.service.frozen_at is not None:
        ledger.service = evolve(ledger.service, frozen_at=None)
        progress.restart(ledger)
        ledger.say(events.thawed)
