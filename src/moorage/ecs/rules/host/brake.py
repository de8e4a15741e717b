"""The brake: when too many hosts are lost at once, nothing is replaced for a while.

A third of a cluster does not lose its power in a minute; what looks so is a switch, or this
server's own network, and the tasks over there run on. To start them all anew elsewhere would
overload what is left, and double everything when the cable is back.

A *wave* is a cluster's hosts that were lost within `window`. While more than max(1, a third) of
its ACTIVE hosts are in it, replacement holds for the cluster: no host of it gets its `replace_at`,
nor does one that is lost meanwhile. A whole zone that is lost while all others are whole is what a
lost zone looks like: that does not hold. Hosts that are cut off together are not missed in the same
instant: while others are suspect, or away, that would make it a wave, a loss waits for `doubt` to
be sure. The hold ends when enough hosts are back or confirmed lost that the rule holds no longer;
after `timeout` one host each `pace` is replaced all the same, and when all had their turn it is
over, so that what is lost later is a wave of its own.
"""

from collections.abc import Collection, Iterable, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.freeze import Freeze
from moorage.ground.instant import Duration, Instant, earlier, later, seconds
from moorage.ground.record import Record, evolve

SHARE = 3  # more than one in so many
# How often a loss that waits looks whether the others were heard: a thousand hosts that are heard
# at once need not each look whether a loss waits.
DOUBT_LOOK: Duration = seconds(1)


class BrakeRule(Record):
    """The settings of the brake; `doubt` is how long a host is suspect before it is lost."""

    window: Duration
    timeout: Duration
    pace: Duration
    doubt: Duration


class Wave(Record):
    """What the brake decides for a cluster.

    `holds` says whether replacement holds from now on; `lost` of `hosts` are why. `replace` are
    the hosts whose tasks may be replaced from now on, `hold` those whose permission is taken back.
    `look_again` is when time alone changes the decision.
    """

    holds: bool
    lost: int
    hosts: int
    replace: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    look_again: Instant | None = None


def wave(
    hosts: Sequence[ContainerInstance],
    held: Freeze | None,
    unreplaced: Collection[str],
    rule: BrakeRule,
    now: Instant,
) -> Wave:
    """Which of a cluster's lost hosts may be replaced now, and whether the others are held.

    `hosts` are the live ones, ACTIVE and DRAINING; `held` is the brake's freeze where it holds
    already; `unreplaced` are the lost hosts some of whose tasks run nowhere else yet. Confirmed
    hosts are decided about: no wave keeps them.
    """
    since = earlier(now if held is None else held.created_at, rule.window)
    within = [one for one in hosts if one.lost_at is None or one.lost_at > since]
    active = [one for one in within if one.status == "ACTIVE"]
    gone = [one for one in active if one.lost_at is not None and one.confirmed_at is None]
    waiting = waiting_of(hosts)
    holds = too_many(len(gone), len(active)) and not _is_a_zone(gone, active)
    decided = Wave(holds=holds, lost=len(gone), hosts=len(active))
    if not holds:
        feared = [*gone, *(one for one in active if one.lost_at is None and _may_follow(one))]
        if not too_many(len(feared), len(active)) or _is_a_zone(feared, active):
            return _with(decided, replace=waiting)
        return _doubtful(decided, waiting, rule.doubt, now)
    if held is not None and held.until is not None and now >= held.until:
        return _paced(decided, gone, waiting, held.until, rule, now)
    back = [
        one for one in gone if held is None and one.replace_at is not None and one.arn in unreplaced
    ]
    until = later(now, rule.timeout) if held is None else held.until
    return _with(decided, hold=back, look_again=until)


def waiting_of(hosts: Iterable[ContainerInstance]) -> Sequence[ContainerInstance]:
    """The lost hosts about which it is still to be decided, the one that was lost first first."""
    found = [
        (one.lost_at, one.arn, one)
        for one in hosts
        if one.lost_at is not None and one.replace_at is None and one.confirmed_at is None
    ]
    return [one for _, _, one in sorted(found, key=lambda entry: entry[:2])]


def look_after(host: ContainerInstance, rule: BrakeRule, now: Instant) -> Instant:
    """When a host that waits looks again while another, that waits longer, decides for all."""
    sure_at = later(host.lost_at or now, rule.doubt)
    soon = later(now, DOUBT_LOOK)
    return min(sure_at, soon) if sure_at > now else soon


def _doubtful(
    decided: Wave, waiting: Sequence[ContainerInstance], doubt: Duration, now: Instant
) -> Wave:
    """Others may be about to follow what is lost: a loss waits until that is known."""
    sure_at = {one.arn: later(one.lost_at or now, doubt) for one in waiting}
    ready = [one for one in waiting if sure_at[one.arn] <= now]
    later_on = [instant for instant in sure_at.values() if instant > now]
    look = min(*later_on, later(now, DOUBT_LOOK)) if later_on else None
    return _with(decided, replace=ready, look_again=look)


def _may_follow(host: ContainerInstance) -> bool:
    """Whether a host may be lost any moment: nothing is heard of it, or it is away.

    Those that an earlier server knew, and that this one waits for in vain, are lost in one tick.
    """
    return host.suspect or (not host.connected and host.disconnected_at is not None)


def too_many(lost: int, hosts: int) -> bool:
    """Whether so many lost of so many hosts are more than max(1, a third)."""
    return lost > 1 and lost * SHARE > hosts


def _is_a_zone(gone: Sequence[ContainerInstance], active: Sequence[ContainerInstance]) -> bool:
    """Whether exactly one zone is lost, whole, and every host elsewhere is well."""
    zones = {one.zone for one in gone}
    if len(zones) != 1 or "" in zones:
        return False
    lost = {one.arn for one in gone}
    elsewhere = [one for one in active if one.zone not in zones]
    whole = all(one.lost_at is None and not one.suspect for one in elsewhere)
    there = {one.arn for one in active if one.zone in zones and one.confirmed_at is None}
    return bool(elsewhere) and whole and there == lost


def _paced(
    decided: Wave,
    gone: Sequence[ContainerInstance],
    waiting: Sequence[ContainerInstance],
    until: Instant,
    rule: BrakeRule,
    now: Instant,
) -> Wave:
    """After the timeout: the next host, if the last one is long enough ago."""
    if not waiting:
        over_at = max(later(one.lost_at or now, rule.window) for one in gone)
        if now < over_at:
            return _with(decided, look_again=over_at)
        return evolve(decided, holds=False)
    last = max(
        (one.replace_at for one in gone if one.replace_at is not None and one.replace_at >= until),
        default=None,
    )
    due = until if last is None else later(last, rule.pace)
    if now < due:
        return _with(decided, look_again=due)
    return _with(decided, replace=waiting[:1], look_again=later(now, rule.pace))


def _with(
    decided: Wave,
    *,
    replace: Sequence[ContainerInstance] = (),
    hold: Sequence[ContainerInstance] = (),
    look_again: Instant | None = None,
) -> Wave:
    return Wave(
        holds=decided.holds,
        lost=decided.lost,
        hosts=decided.hosts,
        replace=tuple(one.arn for one in replace),
        hold=tuple(one.arn for one in hold),
        look_again=look_again,
    )
