"""`moorage status`: how a rebalancing is told in one line."""

import pytest

from moorage.cli.status import rebalancing_words
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
