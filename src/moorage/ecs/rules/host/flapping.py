"""Flapping: a host that is lost again and again takes nothing back for a while.

Else each return would move its tasks to and fro, and each move costs a start and a stop.
"""

from moorage.ground.instant import Duration, Instant, between, later

# How many times of loss a host remembers: two are what flapping is told by.
LOSSES_KEPT = 2


def with_loss(losses: tuple[Instant, ...], now: Instant) -> tuple[Instant, ...]:
    """The newest times of loss, oldest first, with this one."""
    return (*losses, now)[-LOSSES_KEPT:]


def flapping_until(
    losses: tuple[Instant, ...], window: Duration, rest: Duration, now: Instant
) -> Instant | None:
    """Until when a host that returns now takes nothing back; None where it does not flap.

    A host flaps whose two newest losses lie within `window`.
    """
    if len(losses) < LOSSES_KEPT or between(losses[-LOSSES_KEPT], losses[-1]) > window:
        return None
    return later(now, rest)
