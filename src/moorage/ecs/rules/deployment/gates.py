"""What holds the moves of a service back, or hurries them, at this point of its deployment."""

from moorage.ecs.rules.deployment import backoff, early_success, lifecycle, pinning
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import Gates
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.host import avoidance


def gates_of(state: ServiceState, ledger: Ledger, census: Census, *, pinned: bool) -> Gates:
    """The gates of this look.

    A deployment that has failed starts nothing more, and one that is paused before its first task
    starts none yet: both unless another one's tasks are kept in its stead. Then there is the
    back-off, and a pilot goes before the rest where digests are not `pinned` yet; one that leaves, or
    was written off with its host, is none.
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
    return Gates(most=0 if census.staying else 1, keeps_others=held, enough=enough)
