"""The sentences of service events, and which are said again."""

import pytest

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.rules import events
from moorage.ground.instant import earlier, hours
from tests.ecs.rules.builders import NOW

STEADY = events.steady("web")
STUCK = events.stuck("web")
OTHER = events.started("web", ["x"])


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            events.started("web", ["a", "b"]),
            "(service web) has started 2 tasks: (task a) (task b).",
        ),
        (
            events.stopped("web", ["a"]),
            "(service web) has stopped 1 running tasks: (task a).",
        ),
        (
            events.deployment_completed("web", "ecs-svc/1"),
            "(service web) (deployment ecs-svc/1) deployment completed.",
        ),
        (STEADY, "(service web) has reached a steady state."),
        (events.rollout_completed("ecs-svc/1"), "ECS deployment ecs-svc/1 completed."),
        (
            events.rollout_failed("ecs-svc/1"),
            "ECS deployment ecs-svc/1 failed: tasks failed to start.",
        ),
    ],
)
def test_sentences(sentence, expected):
    assert sentence == expected


def test_long_lists_of_tasks_are_cut():
    many = events.started("web", [str(n) for n in range(25)])
    assert many.startswith("(service web) has started 25 tasks: (task 0)")
    assert many.endswith("(task 19) and 5 more.")


def recent(*ages_and_sentences) -> list[ServiceEvent]:
    return [
        ServiceEvent(
            service="s",
            number=-place,
            id=str(place),
            created_at=earlier(NOW, hours(age)),
            message=text,
        )
        for place, (age, text) in enumerate(ages_and_sentences)
    ]


@pytest.mark.parametrize(
    ("before", "sentence", "said"),
    [
        ([], STUCK, True),
        ([(1, STUCK)], STUCK, False),
        ([(1, OTHER), (2, STUCK)], STUCK, False),
        ([(6, STUCK)], STUCK, True),
        ([(1, STEADY), (2, STUCK)], STUCK, True),
        ([], STEADY, True),
        ([(1, STEADY)], STEADY, False),
        ([(1, OTHER), (2, STEADY)], STEADY, True),
        ([(6, STEADY)], STEADY, True),
    ],
)
def test_what_is_said_again(before, sentence, said):
    assert (events.admitted([sentence], recent(*before), NOW) == [sentence]) is said


def test_a_steady_state_after_something_else_in_the_same_breath_is_said():
    done = events.deployment_completed("web", "ecs-svc/2")
    assert events.admitted([done, STEADY, STEADY], recent((1, STEADY)), NOW) == [done, STEADY]
