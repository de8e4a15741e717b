"""Which hosts a service avoids: the table of what counts, and laws of what is remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.service import Avoidance
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ecs.rules.host.avoidance import (
    HOSTS_MAX,
    after,
    avoided,
    conditions_of,
    troubled,
    within_words,
)
from moorage.ground.instant import later, minutes, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.builders import NOW, SECOND, a_service, a_task, instance_arn

FIRST = "ecs-svc/1"
RULE = Conditions()
HOST = instance_arn("h1")


def ended(host="h1", ran=None, **more):
    """A STOPPED task that failed by itself, at once unless it `ran` for so many seconds."""
    given = {"stop_code": "TaskFailedToStart" if ran is None else "EssentialContainerExited"}
    if ran is not None:
        given |= {"started_at": NOW, "execution_stopped_at": later(NOW, seconds(ran))}
    return a_task(host=host, last_status="STOPPED", desired_status="STOPPED", **(given | more))


def told(tasks, known=None, now=NOW, rule=RULE):
    return after(known or Avoidance(), FIRST, tasks, rule, now)


def hosts_of(avoidance, now=NOW, deployment=FIRST, **service):
    return set(avoided(a_service(avoidance=avoidance, **service), deployment, now))


@pytest.mark.parametrize(
    ("task", "counts"),
    [
        (ended(), True),
        (ended(ran=29), True),
        (ended(ran=30), False),
        (ended(stopped_reason="DockerTimeoutError: it hangs"), True),
        (ended(stopped_reason="CannotPullContainerError: none"), True),
        (ended(stop_code="UserInitiated"), False),
        (ended(stop_code="ServiceSchedulerInitiated"), False),
        (ended(stop_code="InfrastructureHealth"), False),
        (ended(connectivity_at=later(NOW, seconds(1))), False),
    ],
)
def test_what_counts_is_a_failed_start_by_its_own_fault_or_its_hosts(task, counts):
    assert bool(told([task]).avoidance.hosts) is counts


@pytest.mark.parametrize(
    ("gaps", "begins"),
    [
        ([0, 0, 0, 0], False),
        ([0, 0, 0, 0, 0], True),
        ([0, 60, 60, 60, 60], True),
        ([0, 75, 75, 75, 75], False),  # the first is five minutes old
        ([0, 75, 75, 75, 75, 0], True),
        ([0, 200, 200, 200, 200, 200], False),
    ],
)
def test_five_failures_within_five_minutes_begin_it(gaps, begins):
    known, now, shunned = Avoidance(), NOW, []
    for gap in gaps:
        now = later(now, seconds(gap))
        verdict = told([ended()], known, now)
        known = verdict.avoidance
        shunned += verdict.shunned
    assert shunned == ([HOST] if begins else [])
    assert hosts_of(known, now) == ({HOST} if begins else set())


def test_it_lasts_for_fifteen_minutes_and_then_takes_five_new_failures():
    known = told([ended()] * 5).avoidance
    (one,) = known.hosts
    assert (one.failures, one.at) == (5, ())
    end = later(NOW, minutes(15))
    assert hosts_of(known, later(end, seconds(-1))) == {HOST}
    assert hosts_of(known, end) == set()
    while_it_lasts = told([ended()] * 9, known, later(NOW, minutes(1)))
    assert while_it_lasts.avoidance == known, "who had no choice does not make it longer"
    again = told([ended()] * 4, known, end)
    assert hosts_of(again.avoidance, end) == set()
    more = told([ended()], again.avoidance, end)
    assert more.shunned == (HOST,)


def test_the_reason_says_how_many_and_until_when():
    known = told([ended()] * 6).avoidance
    assert avoided(a_service(avoidance=known), FIRST, NOW)[HOST] == (
        "6 tasks of the service web failed there within a short time; it is avoided until "
        "2027-01-15T08:15:00.000Z."
    )


def test_a_newer_deployment_and_a_daemon_know_of_none():
    known = told([ended()] * 5).avoidance
    assert hosts_of(known, deployment=SECOND) == set()
    assert hosts_of(known, scheduling_strategy="DAEMON") == set()
    afresh = after(known, SECOND, [ended(deployment=SECOND)], RULE, NOW)
    assert [len(one.at) for one in afresh.avoidance.hosts] == [1]


def test_a_setting_of_none_avoids_none():
    assert told([ended()] * 50, rule=evolve(RULE, avoid_failures=0)).avoidance == Avoidance()


@pytest.mark.parametrize(
    ("window", "words"), [(300, "5 minutes"), (60, "1 minute"), (90, "90 seconds")]
)
def test_the_window_in_words(window, words):
    assert within_words(evolve(RULE, avoid_window=seconds(window))) == words


@given(st.lists(st.tuples(st.sampled_from(["h1", "h2", "h3"]), st.integers(0, 400)), max_size=40))
def test_a_host_is_avoided_just_where_a_window_held_five_failures(story):
    known, now = Avoidance(), NOW
    began: dict[str, int] = {}
    counted: dict[str, list[int]] = {}
    for host, gap in story:
        now = later(now, seconds(gap))
        verdict = told([ended(host)], known, now)
        known = verdict.avoidance
        if host in began and now < later(began[host], RULE.avoid_rest):
            assert not verdict.shunned
            continue
        since = now - RULE.avoid_window
        recent = [one for one in counted.get(host, []) if one > since] + [now]
        counted[host] = recent
        assert bool(verdict.shunned) is (len(recent) >= RULE.avoid_failures)
        if verdict.shunned:
            began[host], counted[host] = now, []
        assert told([], known, now).avoidance == known, "nothing failed, nothing changes"
    still = {instance_arn(one) for one, at in began.items() if now < later(at, RULE.avoid_rest)}
    assert hosts_of(known, now) == still


def test_what_is_remembered_is_bounded_and_the_worst_is_kept():
    crowd = [ended(f"x{number:03}") for number in range(HOSTS_MAX + 50)]
    known = told([*crowd, *[ended("h1")] * 5]).avoidance
    assert len(known.hosts) == HOSTS_MAX
    assert hosts_of(known) == {HOST}


def test_of_a_daemon_each_failure_is_remembered_for_its_back_off():
    service = a_service(scheduling_strategy="DAEMON")
    rule = conditions_of(service, RULE)
    assert conditions_of(a_service(), RULE) == RULE
    known = told([ended("h1"), ended("h2")], rule=rule).avoidance
    both = frozenset({instance_arn("h1"), instance_arn("h2")})
    assert troubled(evolve(service, avoidance=known)) == both
    assert troubled(a_service(avoidance=known)) is None
    crowd = told([ended(f"x{number:03}") for number in range(HOSTS_MAX)], rule=rule).avoidance
    assert troubled(evolve(service, avoidance=crowd)) is None, "then it is not the hosts"
