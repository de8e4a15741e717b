"""When tasks on a lost host are given up: by percentages, tags, the brake, a person, a fence."""

import pytest

from moorage.ecs.rules.deployment.hosts import (
    Fate,
    HostState,
    LossRule,
    fate,
    host_state,
    loss_rule,
    was_lost,
)
from moorage.ground.instant import later, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.tag import Tag
from tests.ecs.rules.builders import NOW, a_configuration, a_service, a_task, an_instance

LATER = later(NOW, seconds(30))
FENCED = later(NOW, seconds(100))
LOST = HostState(name="h1", lost_at=NOW, disconnected_at=NOW, replace_at=NOW)
REPLACES, WAITS = LossRule(replaces=True), LossRule(replaces=False)
FENCES = LossRule(replaces=True, fences=True)


@pytest.mark.parametrize(
    ("maximum", "tags", "expected"),
    [
        (200, {}, LossRule(replaces=True)),
        (101, {}, LossRule(replaces=True)),
        (100, {}, LossRule(replaces=False)),
        (100, {"moorage:on-host-loss": "replace"}, LossRule(replaces=True, tagged=True)),
        (200, {"moorage:on-host-loss": " Wait "}, LossRule(replaces=False, tagged=True)),
        (200, {"moorage:on-host-loss": "perhaps"}, LossRule(replaces=True)),
        (100, {"moorage:on-host-loss": ""}, LossRule(replaces=False)),
        (200, {"moorage:fence": "true"}, LossRule(replaces=True, fences=True)),
        (100, {"moorage:fence": "true"}, LossRule(replaces=True, fences=True)),
        (
            100,
            {"moorage:fence": "true", "moorage:on-host-loss": "wait"},
            LossRule(replaces=False, fences=True, tagged=True),
        ),
    ],
)
def test_what_a_service_does_about_a_lost_host(maximum, tags, expected):
    service = a_service(
        deployment_configuration=a_configuration(0, maximum),
        tags=[Tag(key=key, value=value) for key, value in tags.items()],
    )
    assert loss_rule(service) == expected


@pytest.mark.parametrize(
    ("rule", "host", "fenced_after", "expected"),
    [
        (REPLACES, LOST, None, Fate(at=NOW, hold="brake")),
        (REPLACES, evolve(LOST, replace_at=None), None, Fate(hold="brake")),
        (REPLACES, evolve(LOST, replace_at=LATER), None, Fate(at=LATER, hold="brake")),
        (REPLACES, evolve(LOST, replace_at=None, confirmed_at=LATER), None, Fate(at=LATER)),
        (WAITS, LOST, None, Fate(hold="wait")),
        (WAITS, evolve(LOST, confirmed_at=LATER), None, Fate(at=LATER)),
        (FENCES, LOST, seconds(100), Fate(at=FENCED, hold="fence")),
        (FENCES, evolve(LOST, replace_at=None), seconds(100), Fate(hold="brake")),
        (
            FENCES,
            evolve(LOST, replace_at=later(FENCED, seconds(1))),
            seconds(100),
            Fate(at=later(FENCED, seconds(1)), hold="brake"),
        ),
        # Its host was told of no fence, has no engine to stop it with, or never went away.
        (FENCES, LOST, None, Fate(hold="unfenced")),
        (FENCES, evolve(LOST, engine_gone=True), seconds(100), Fate(hold="unfenced")),
        (FENCES, evolve(LOST, disconnected_at=None), seconds(100), Fate(hold="unfenced")),
        (FENCES, evolve(LOST, engine_gone=True, confirmed_at=LATER), None, Fate(at=LATER)),
    ],
)
def test_when_tasks_on_a_lost_host_are_given_up(rule, host, fenced_after, expected):
    assert fate(rule, host, fenced_after) == expected


def test_the_fence_counts_from_the_end_of_the_connection():
    """A host whose engine went first, and then its line, was heard long after it was lost."""
    host = evolve(LOST, disconnected_at=LATER)
    assert fate(FENCES, host, seconds(100)) == Fate(at=later(LATER, seconds(100)), hold="fence")


def test_what_is_read_of_a_host():
    instance = an_instance(
        "h1",
        status="DRAINING",
        connected=False,
        lost_at=NOW,
        disconnected_at=NOW,
        engine_gone_at=NOW,
        replace_at=LATER,
        flapping_until=LATER,
    )
    found = host_state(instance)
    assert found == HostState(
        name="h1",
        draining=True,
        lost_at=NOW,
        disconnected_at=NOW,
        engine_gone=True,
        replace_at=LATER,
        flapping_until=LATER,
    )
    assert found.is_flapping(NOW)
    assert not found.is_flapping(LATER)
    again = host_state(evolve(instance, connected=True, name=""))
    assert (again.disconnected_at, again.name) == (None, instance.id)


def test_only_a_loss_moves_the_time_of_connectivity():
    task = a_task(connectivity_at=NOW)
    assert not was_lost(task)
    assert not was_lost(evolve(task, connectivity_at=None))
    assert was_lost(evolve(task, connectivity_at=LATER))
