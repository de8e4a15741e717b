"""How long a task ran, where its host's clock is wrong: found by the simulator (chaos, seed 30).

Somebody set a host's clock six minutes ahead. Its tasks ended at once, and each was told to have
ended six minutes after it began: none counted as a failed start, so nothing was held back, and the
service started three tasks a second there.
"""

import pytest

from moorage.ecs.rules.deployment.backoff import failed_to_start
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import later, seconds
from tests.ecs.rules.builders import NOW, a_task


@pytest.mark.parametrize(
    ("ran_seconds", "host_is_ahead_seconds", "failed"),
    [
        (0.2, 0, True),
        (0.2, 400, True),
        (0.2, -400, True),
        (20, 400, True),
        (31, 0, False),
        (31, -400, False),
        (3600, -400, False),
        (3600, 400, False),
    ],
)
def test_the_clock_of_a_host_neither_hides_nor_makes_a_failed_start(
    ran_seconds, host_is_ahead_seconds, failed
):
    task = a_task(
        last_status="STOPPED",
        desired_status="STOPPED",
        stop_code="EssentialContainerExited",
        started_at=NOW,
        stopped_at=later(NOW, seconds(ran_seconds)),
        execution_stopped_at=later(NOW, seconds(ran_seconds + host_is_ahead_seconds)),
    )
    assert failed_to_start(task, Conditions()) is failed
