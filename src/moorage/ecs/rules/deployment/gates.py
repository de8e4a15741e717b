"""What holds the moves of a service back, or hurries them, at this point of its deployment."""

from collections.abc import Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment import backoff, early_success, lifecycle, pinning
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import Gates
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.host import avoidance


def gates_of(state: ServiceState, ledger: Ledger, mine: Sequence[Task], *, pinned: bool) -> Gates:
    """The gates of this look; `mine` are the current deployment's tasks.

    A deployment that has failed starts nothing more, and one that is paused before its first task
    starts none yet: both unless another one's tasks are kept in its stead. Then there is the
    back-off, and a pilot goes before the rest where digests are not `pinned` yet.
    """
    primary = ledger.primary
    if state.current.id == primary.id:
        if primary.has_ended_in_vain or lifecycle.before_scale_up(primary):
            return Gates(frozen=True)
        held, enough = lifecycle.keeps_others(primary), None
        if not held:
            enough = early_success.enough(primary, ledger.service.desired_count)
    else:
        held, enough = False, None
    is_pinned = pinned or not pinning.waits_for_pilot(state.revision)
    if backoff.held_until(ledger.service.backoff, ledger.now) is not None:
        troubled = avoidance.troubled(ledger.service) if is_pinned else None
        return Gates(most=0, keeps_others=held, enough=enough, troubled=troubled)
    if is_pinned:
        return Gates(keeps_others=held, enough=enough)
    under_way = any(task.desired_status == "RUNNING" and not task.is_stopped for task in mine)
    return Gates(most=0 if under_way else 1, keeps_others=held, enough=enough)
