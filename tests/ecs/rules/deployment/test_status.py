"""The statuses of a deployment and its stages: which follow which."""

from typing import get_args

from moorage.ecs.records.service_deployment import DeploymentStatus, LifecycleStage
from moorage.ecs.rules.deployment.status import ONGOING, STAGES, TABLE, following


def test_every_status_is_in_the_table_and_what_ends_stays():
    assert set(TABLE.moves) == set(get_args(DeploymentStatus))
    ends = {status for status, after in TABLE.moves.items() if not after}
    assert ends == {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
    assert all("STOPPED" in TABLE.moves[status] for status in ONGOING), "superseded at any time"


def test_the_stages_are_a_line():
    assert set(STAGES.moves) == set(get_args(LifecycleStage))
    passed = ["RECONCILE_SERVICE"]
    while (after := following(passed[-1])) is not None:
        passed.append(after)
    assert passed == list(get_args(LifecycleStage))
