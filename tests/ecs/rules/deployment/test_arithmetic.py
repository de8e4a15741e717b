"""The small rules of deployments, each a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.rules.deployment.backoff import delay, failed_to_start, held_until
from moorage.ecs.rules.deployment.circuit_breaker import threshold
from moorage.ecs.rules.deployment.configuration import full_configuration, refuse_configuration
from moorage.ecs.rules.deployment.counts import Counts, counts
from moorage.ecs.rules.deployment.health import Standing, judge
from moorage.ecs.rules.deployment.rolling import (
    Budget,
    TaskCounts,
    budget,
    lower_limit,
    percentages,
    upper_limit,
)
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import in_seconds, later, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentAlarms,
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    ThresholdConfiguration,
)
from tests.ecs.rules.builders import NOW, a_container, a_task, running


@pytest.mark.parametrize(
    ("desired", "percent", "lower", "upper"),
    [
        (3, 100, 3, 3),
        (3, 200, 6, 6),
        (3, 50, 2, 1),
        (3, 125, 4, 3),
        (1, 150, 2, 1),
        (4, 75, 3, 3),
        (7, 33, 3, 2),
        (0, 100, 0, 0),
        (10, 0, 0, 0),
    ],
)
def test_minimum_is_rounded_up_and_maximum_down(desired, percent, lower, upper):
    assert lower_limit(desired, percent) == lower
    assert upper_limit(desired, percent) == upper


@pytest.mark.parametrize(
    ("desired", "percents", "tasks", "expected"),
    [
        (3, (100, 200), (0, 0, 0), Budget(start=6, stop=0)),
        (3, (100, 200), (3, 1, 3), Budget(start=2, stop=0)),
        (4, (50, 100), (4, 0, 4), Budget(start=0, stop=2)),
        (4, (50, 100), (2, 2, 2), Budget(start=0, stop=0)),
        (1, (0, 100), (1, 0, 1), Budget(start=0, stop=1)),
        (2, (100, 100), (5, 0, 5), Budget(start=0, stop=3)),
    ],
)
def test_budgets(desired, percents, tasks, expected):
    wanted, stopping, healthy = tasks
    given_counts = TaskCounts(wanted=wanted, stopping=stopping, healthy=healthy)
    assert budget(desired, *percents, given_counts) == expected


@given(
    st.integers(0, 5000),
    st.integers(0, 100),
    st.integers(100, 400),
    st.integers(0, 9000),
    st.integers(0, 9000),
    st.integers(0, 9000),
)
def test_a_budget_that_is_spent_is_within_the_limits(desired, low, high, wanted, stopping, healthy):
    tasks = TaskCounts(wanted=wanted, stopping=stopping, healthy=min(healthy, wanted))
    found = budget(desired, low, high, tasks)
    there = wanted + stopping
    assert there + found.start <= max(there, upper_limit(desired, high))
    assert tasks.healthy - found.stop >= min(tasks.healthy, lower_limit(desired, low))
    assert found.start >= 0
    assert found.stop >= 0


def test_percentages_have_defaults():
    assert percentages(DeploymentConfiguration()) == (100, 200)
    assert percentages(DeploymentConfiguration(minimum_healthy_percent=0, maximum_percent=100)) == (
        0,
        100,
    )


@pytest.mark.parametrize(
    ("failures", "expected"),
    [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (9, 128), (10, 256), (11, 300), (10_000, 300)],
)
def test_delays(failures, expected):
    assert in_seconds(delay(failures)) == expected


@pytest.mark.parametrize(
    ("ran", "code", "reason", "expected"),
    [
        (None, "TaskFailedToStart", None, True),
        (29, "EssentialContainerExited", None, True),
        (30, "EssentialContainerExited", None, False),
        (5, "UserInitiated", None, False),
        (5, "ServiceSchedulerInitiated", None, False),
        (5, "InfrastructureHealth", None, False),
        (None, "TaskFailedToStart", "DockerTimeoutError: engine hangs", False),
        (5, "EssentialContainerExited", "HostError: engine restarted", False),
        (None, "TaskFailedToStart", "TaskStateError: this host has no such task", False),
        (None, "TaskFailedToStart", "CannotPullContainerError: gone", True),
    ],
)
def test_failed_starts(ran, code, reason, expected):
    task = a_task(
        last_status="STOPPED",
        stop_code=code,
        started_at=None if ran is None else NOW,
        stopped_at=later(NOW, seconds(ran or 0)),
        containers=(a_container(reason=reason),),
    )
    assert failed_to_start(task, Conditions()) is expected


def test_starts_are_held_back_until_the_moment_has_come():
    held = StartBackoff(failures=3, until=later(NOW, seconds(2)), last_at=NOW)
    assert held_until(held, NOW) == held.until
    assert held_until(held, later(NOW, seconds(2))) is None
    assert held_until(StartBackoff(), NOW) is None


def breaker(kind=None, value=None, **more) -> DeploymentConfiguration:
    limit = ThresholdConfiguration(type=kind, value=value) if kind else None
    return DeploymentConfiguration(
        deployment_circuit_breaker=DeploymentCircuitBreaker(
            **{"enable": True, "threshold_configuration": limit, **more}
        )
    )


@pytest.mark.parametrize(
    ("desired", "configuration", "expected"),
    [
        (1, breaker(), 3),
        (6, breaker(), 3),
        (7, breaker(), 4),
        (25, breaker(), 13),
        (1000, breaker(), 200),
        (10, breaker("COUNT", 1), 1),
        (10, breaker("BOUNDED_PERCENT", 100), 10),
        (10, breaker("UNBOUNDED_PERCENT", 10), 1),
        (0, breaker("UNBOUNDED_PERCENT", 10), 1),
        (10_000, breaker("UNBOUNDED_PERCENT", 50), 5000),
        (10, breaker(enable=False), None),
        (10, DeploymentConfiguration(), None),
    ],
)
def test_thresholds(desired, configuration, expected):
    assert threshold(desired, configuration) == expected


@pytest.mark.parametrize(
    ("task", "grace", "waited", "expected", "until"),
    [
        (a_task(), 0, 0, Standing.NOT_RUNNING, None),
        (running(a_task()), 0, 39, Standing.UNSETTLED, 40),
        (running(a_task()), 0, 40, Standing.HEALTHY, None),
        (("HEALTHY",), 0, 0, Standing.HEALTHY, None),
        (("UNKNOWN",), 0, 999, Standing.UNSETTLED, None),
        (("UNHEALTHY",), 0, 0, Standing.UNHEALTHY, None),
        (("UNHEALTHY",), 60, 59, Standing.UNSETTLED, 60),
        (("UNHEALTHY",), 60, 60, Standing.UNHEALTHY, None),
    ],
)
def test_when_a_task_counts(task, grace, waited, expected, until):
    if isinstance(task, tuple):
        checked = a_container(has_health_check=True, health=task[0])
        task = running(a_task(containers=(checked,)))
    verdict = judge(task, grace, Conditions(), later(NOW, seconds(waited)))
    assert verdict.standing is expected
    assert verdict.until == (None if until is None else later(NOW, seconds(until)))


def test_counts_show_running_from_running_on_and_leave_lost_hosts_out():
    tasks = [
        running(a_task("t1")),
        a_task("t2"),
        evolve(running(a_task("t3")), desired_status="STOPPED"),
        a_task("t4", desired_status="STOPPED"),
        a_task("t5", last_status="STOPPED"),
        evolve(running(a_task("t6")), connectivity="DISCONNECTED"),
    ]
    assert counts(tasks) == Counts(running=2, pending=1)


@pytest.mark.parametrize(
    ("asked", "sound"),
    [
        (DeploymentConfiguration(), True),
        (DeploymentConfiguration(minimum_healthy_percent=0, maximum_percent=100), True),
        (DeploymentConfiguration(minimum_healthy_percent=101), False),
        (DeploymentConfiguration(minimum_healthy_percent=-1), False),
        (DeploymentConfiguration(maximum_percent=99), False),
        (DeploymentConfiguration(strategy="ROLLING"), True),
        (DeploymentConfiguration(strategy="BLUE_GREEN"), False),
        (DeploymentConfiguration(alarms=DeploymentAlarms(enable=False, alarm_names=[])), True),
        (DeploymentConfiguration(alarms=DeploymentAlarms(enable=True)), False),
        (DeploymentConfiguration(bake_time_in_minutes=0), True),
        (DeploymentConfiguration(bake_time_in_minutes=5), False),
        (breaker("COUNT", 5), True),
        (breaker("COUNT", 0), False),
        (breaker("COUNT", None), False),
    ],
)
def test_configurations(asked, sound):
    assert (refuse_configuration(asked) is None) is sound


def test_a_configuration_is_laid_over_what_was_before():
    first = full_configuration(None)
    assert (first.minimum_healthy_percent, first.maximum_percent) == (100, 200)
    assert first.deployment_circuit_breaker.enable is False
    second = full_configuration(DeploymentConfiguration(minimum_healthy_percent=0), first)
    assert (second.minimum_healthy_percent, second.maximum_percent) == (0, 200)
    assert full_configuration(None, second) == second
