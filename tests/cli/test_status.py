"""`moorage status`: a rebalancing in one line, and where a task is."""

import pytest

from moorage.cli.status import place_of, rebalancing_words
from moorage.shapes.ecs.task import Task
from moorage.shapes.moorage.rebalancing import ServiceRebalancing, TaskMove

MOVE = TaskMove(task_arn="arn:x:task/default/0123456789abcdef", from_host="h1", to_host="h\x1b2")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            ServiceRebalancing(service="web", since=1_800_000_000.0, moves=[MOVE], planned=2),
            (
                "web is being rebalanced since 2027-01-15T08:00:00.000Z: "
                "moving 0123456789ab from h1 to h\N{REPLACEMENT CHARACTER}2; 2 more to move next"
            ),
        ),
        (
            ServiceRebalancing(service="web", moves=[], planned=0),
            "web is being rebalanced: no task moves now",
        ),
    ],
)
def test_a_rebalancing_is_one_line(found, line):
    assert rebalancing_words(found) == line


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        (Task(container_instance_arn="a"), "h1"),
        (Task(container_instance_arn="b", capacity_provider_name="spare"), "?"),
        (Task(capacity_provider_name="spare"), "(spare)"),
        (Task(), "?"),
    ],
)
def test_a_task_that_waits_shows_for_whom(task, shown):
    assert place_of(task, {"a": "h1"}) == shown
