"""Managed scaling: how many hosts a pool should have, by the algorithm of ECS.

CapacityProviderReservation = M / N * 100, where N hosts are there and M are needed: those that
run at least one task that is no daemon's, or, while tasks wait, all of them and those that the
waiting ones need besides. The size that brings it to the target is ceil(M * 100 / target). From
none at all two are asked for, since nobody knows yet what a host holds. ECS looks once a minute
and acts upon fifteen low readings; here every change is looked at, and a surplus has to last as
long. (ECS developer guide, "Cluster auto scaling"; AWS containers blog, "Deep dive on Amazon ECS
cluster auto scaling".)
"""

from typing import Literal

from moorage.ground.instant import Duration, Instant, between, later
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import ManagedScaling

TARGET = 100
STEP_MIN = 1
STEP_MAX = 10_000
WARMUP_SECONDS = 300
# What is asked for where there is no host and somebody waits.
FROM_NOTHING = 2
NOTHING_NEEDED = 100
MUCH_NEEDED = 200

Cause = Literal["steady", "minimum", "maximum", "demand", "surplus"]


class Rule(Record):
    """What bounds a pool, and how it is scaled; without managed scaling it stays as it is."""

    minimum: int = 0
    maximum: int = 0
    managed: bool = False
    target: int = TARGET
    step_min: int = STEP_MIN
    step_max: int = STEP_MAX
    scale_in: Duration = Duration(0)


class Standing(Record):
    """A pool now: hosts that are there and that are coming, in use, and wanted besides.

    `more` is how many hosts those need that wait and fit on none; None where somebody waits and
    nobody knows how much a host of this pool holds. `low_since` is since when there are too many.
    """

    there: int = 0
    coming: int = 0
    used: int = 0
    more: int | None = 0
    low_since: Instant | None = None


class Scaling(Record):
    """What to do: create so many, or retire so many (as far as hosts may go), and why.

    `reservation` is CapacityProviderReservation in percent; `low_since` is to be remembered;
    `look_again` is when time alone may change the answer.
    """

    wanted: int
    create: int = 0
    retire: int = 0
    cause: Cause = "steady"
    reservation: int = NOTHING_NEEDED
    low_since: Instant | None = None
    look_again: Instant | None = None


def rule_of(scaling: ManagedScaling | None, minimum: int, maximum: int, scale_in: Duration) -> Rule:
    """The rule of a pool, of its provider's managed scaling and the operator's bounds."""
    if scaling is None or scaling.status != "ENABLED":
        return Rule(minimum=minimum, maximum=maximum, scale_in=scale_in)
    return Rule(
        minimum=minimum,
        maximum=maximum,
        managed=True,
        target=scaling.target_capacity or TARGET,
        step_min=scaling.minimum_scaling_step_size or STEP_MIN,
        step_max=scaling.maximum_scaling_step_size or STEP_MAX,
        scale_in=scale_in,
    )


def needed(standing: Standing) -> int:
    """M: how many hosts are needed."""
    if standing.more is None:
        return FROM_NOTHING if not standing.there else standing.there + 1
    return standing.there + standing.more if standing.more else standing.used


def reservation(standing: Standing) -> int:
    """CapacityProviderReservation, whole percent; none there is 100, or 200 where some are needed."""
    wanted = needed(standing)
    if not standing.there:
        return MUCH_NEEDED if wanted else NOTHING_NEEDED
    return wanted * 100 // standing.there


def scale(rule: Rule, standing: Standing, now: Instant) -> Scaling:
    """What should be done with a pool that stands so.

    Hosts that are coming are counted, so nothing is asked for twice. A surplus is taken away when
    it has lasted for `scale_in`; one over the maximum at once.
    """
    total = standing.there + standing.coming
    desired = _desired(rule, standing)
    wanted = min(max(desired, rule.minimum), rule.maximum)
    measured = reservation(standing)
    if wanted > total:
        cause: Cause = "minimum" if desired < rule.minimum else "demand"
        return Scaling(wanted=wanted, create=wanted - total, cause=cause, reservation=measured)
    if wanted == total:
        return Scaling(wanted=wanted, reservation=measured)
    if total > rule.maximum:
        return Scaling(wanted=wanted, retire=total - wanted, cause="maximum", reservation=measured)
    since = now if standing.low_since is None else standing.low_since
    if between(since, now) < rule.scale_in:
        return Scaling(
            wanted=total,
            reservation=measured,
            low_since=since,
            look_again=later(since, rule.scale_in),
        )
    return Scaling(
        wanted=wanted,
        retire=total - wanted,
        cause="surplus",
        reservation=measured,
        low_since=since,
    )


def _desired(rule: Rule, standing: Standing) -> int:
    """The size that brings the reservation to the target, in steps where it grows."""
    if not rule.managed:
        return standing.there + standing.coming
    desired = -(-needed(standing) * 100 // rule.target)
    growth = desired - standing.there
    if growth <= 0:
        return desired
    if not standing.there and standing.more is None:
        return min(FROM_NOTHING, rule.step_max)
    return standing.there + min(max(growth, rule.step_min), max(rule.step_max, rule.step_min))
