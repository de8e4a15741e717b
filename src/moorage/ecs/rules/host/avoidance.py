"""Which hosts a service avoids: those on which its tasks failed again and again.

A host on which five starts of a service failed within five minutes is avoided by that service for
fifteen, unless no other host can take the task (`rules.placement.place.place_around`): a broken
disk, a full one, or a device that is missing there fails what would run well elsewhere, and the
emptiest host, where it fails at once, is the one that placement likes best. A new deployment
forgets it all: perhaps the image was the cause. Docker Swarm counts the same failures.

What counts is a task that never ran, or ran too short a time, by its own fault or its host's. One
that was told to stop, or that lived through a loss of its host, says nothing of the host.
"""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.service import Avoidance, HostFailures, Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.backoff import DELAY_SECONDS_MAX, failed_on_its_host
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import Instant, earlier, in_seconds, iso, later, seconds
from moorage.ground.record import Record, evolve

# What one service remembers at most: a service that fails on more hosts has another trouble.
HOSTS_MAX = 100
# Longer than the longest back-off, so that a host that fails again is not taken for a sound one.
DAEMON_REMEMBERS = seconds(2 * DELAY_SECONDS_MAX)
_MINUTE_SECONDS = 60


class Verdict(Record):
    """What a service knows after some tasks have failed, and the hosts it avoids from now on.

    `shunned` are the ARNs of these hosts, each once when it begins.
    """

    avoidance: Avoidance
    shunned: tuple[str, ...] = ()


def after(
    known: Avoidance,
    deployment: str,
    stopped: Iterable[Task],
    conditions: Conditions,
    now: Instant,
) -> Verdict:
    """What is known once these tasks of `deployment` have ended, each of them judged once.

    Without a failure nothing changes: what has run out is forgotten when it is next looked at.
    """
    failed: dict[str, list[Instant]] = {}
    for task in stopped if conditions.avoid_failures else ():
        if failed_on_its_host(task, conditions):
            failed.setdefault(task.instance, []).append(now)
    if not failed:
        return Verdict(avoidance=known)
    before = known.hosts if known.deployment == deployment else ()
    hosts = {one.instance: one for one in before}
    shunned: list[str] = []
    for instance, times in sorted(failed.items()):
        one = _with_failures(hosts.get(instance), instance, times, conditions, now)
        if one.avoided_until is not None and not one.at:
            shunned.append(instance)
        hosts[instance] = one
    kept = [one for one in hosts.values() if _matters(one, conditions, now)]
    kept.sort(key=lambda one: (-_newest(one), one.instance))
    return Verdict(
        avoidance=Avoidance(deployment=deployment, hosts=tuple(kept[:HOSTS_MAX])),
        shunned=tuple(shunned),
    )


def avoided(service: Service, deployment: str, now: Instant) -> Mapping[str, str]:
    """The hosts (ARNs) that tasks of this deployment avoid now, each with the reason."""
    known = service.avoidance
    if known.deployment != deployment or service.scheduling_strategy == "DAEMON":
        return {}
    return {
        one.instance: (
            f"{one.failures} tasks of the service {service.name} failed there within a short time; "
            f"it is avoided until {iso(one.avoided_until)}."
        )
        for one in known.hosts
        if one.avoided_until is not None and now < one.avoided_until
    }


def troubled(service: Service) -> frozenset[str] | None:
    """Where a daemon's back-off holds: hosts on which it failed of late; None: on all.

    One sick host does not keep a daemon from those that join.
    """
    known = service.avoidance.hosts
    if service.scheduling_strategy != "DAEMON" or len(known) >= HOSTS_MAX:
        return None
    return frozenset(one.instance for one in known)


def conditions_of(service: Service, conditions: Conditions) -> Conditions:
    """The settings for one service: of a daemon each failure is remembered for its back-off."""
    if service.scheduling_strategy != "DAEMON":
        return conditions
    return evolve(conditions, avoid_failures=1, avoid_rest=DAEMON_REMEMBERS)


def within_words(conditions: Conditions) -> str:
    """The window in words: `5 minutes`, or in seconds where it is not whole minutes."""
    count = round(in_seconds(conditions.avoid_window))
    if count % _MINUTE_SECONDS:
        return f"{count} seconds"
    minutes = count // _MINUTE_SECONDS
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _with_failures(
    before: HostFailures | None,
    instance: str,
    times: Sequence[Instant],
    conditions: Conditions,
    now: Instant,
) -> HostFailures:
    """One host with further failures; those that began an avoidance are not counted again."""
    known = before or HostFailures(instance=instance)
    if known.avoided_until is not None:
        if now < known.avoided_until:
            return known
        known = HostFailures(instance=instance)
    since = earlier(now, conditions.avoid_window)
    at = [one for one in known.at if one > since] + list(times)
    if len(at) < conditions.avoid_failures:
        return evolve(known, at=tuple(at))
    return HostFailures(
        instance=instance, failures=len(at), avoided_until=later(now, conditions.avoid_rest)
    )


def _matters(one: HostFailures, conditions: Conditions, now: Instant) -> bool:
    if one.avoided_until is not None:
        return now < one.avoided_until
    return _newest(one) > earlier(now, conditions.avoid_window)


def _newest(one: HostFailures) -> Instant:
    if one.avoided_until is not None:
        return one.avoided_until
    return max(one.at, default=Instant(0))
