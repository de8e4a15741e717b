"""What is written of a host that goes, is lost, and returns.

One that is merely gone (its connection closed, so its machine lives) gets no new task and keeps
its own. One that is lost is out of reach with its tasks: they may be replaced from `replace_at`
on, which the brake sets (`brake.py`). One that returns is as if nothing had happened, but for the
two times of loss that it remembers.
"""

from moorage.acs.patience import Ending, Loss
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.host.flapping import flapping_until, with_loss
from moorage.ground.instant import Duration, Instant, between
from moorage.ground.record import evolve

# Close codes of RFC 6455 with which an agent says that it goes of its own will.
GOODBYE_CODES = frozenset({1000, 1001})
# Our own agent, when it hears nothing of us any more.
SILENCE_CODES = frozenset({4001})


def ending_of(code: object) -> Ending:
    """What the close code of a websocket says of its agent; None or 1006 where it was cut.

    Amazon's agent drops its connection without a word also when it is told to end.
    """
    if code in GOODBYE_CODES:
        return "goodbye"
    return "silent" if code in SILENCE_CODES else "closed"


def expects(instance: ContainerInstance) -> bool:
    """Whether a server that starts waits for this host to come back.

    Not for one that was lost already: it stays lost until it is heard. Nor for one that never came.
    """
    if instance.status == "INACTIVE":
        return False
    never = instance.disconnection == "never" and instance.connected_at is None
    return instance.connected or (instance.lost_at is None and not never)


def return_window(
    instance: ContainerInstance, window: Duration, goodbye_grace: Duration, now: Instant
) -> Duration:
    """How long a server that starts waits for a host: so long, or what is left of its goodbye."""
    if instance.connected or instance.disconnection != "goodbye":
        return window
    gone = max(between(instance.disconnected_at or now, now), 0)
    return Duration(max(window, goodbye_grace - gone))


def gone(instance: ContainerInstance, how: Ending, now: Instant) -> ContainerInstance:
    """The host without its connection; nothing is concluded about its tasks from that alone."""
    if not instance.connected:
        return instance
    return evolve(instance, connected=False, suspect=False, disconnected_at=now, disconnection=how)


def lost(instance: ContainerInstance, why: Loss, now: Instant) -> ContainerInstance:
    """The host as lost; one that was lost already is so for another reason now, if any.

    Without its engine a host is still connected.
    """
    after = instance
    if why == "silent":
        after = evolve(gone(instance, "silent", now), disconnection="silent")
    if instance.lost_at is not None:
        return evolve(after, loss=why)
    return evolve(
        after, suspect=False, lost_at=now, loss=why, losses=with_loss(instance.losses, now)
    )


def returned(
    instance: ContainerInstance, window: Duration, rest: Duration, now: Instant
) -> ContainerInstance:
    """The host heard again; while its engine is gone it stays lost, for that reason."""
    if instance.lost_at is None:
        return evolve(instance, suspect=False)
    if instance.engine_gone_at is not None:
        return evolve(instance, suspect=False, loss="engine")
    return evolve(
        instance,
        suspect=False,
        lost_at=None,
        loss=None,
        replace_at=None,
        confirmed_at=None,
        flapping_until=flapping_until(instance.losses, window, rest, now),
    )
