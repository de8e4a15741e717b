"""Which words of an agent mean that its engine is gone."""

import pytest

from moorage.acs.telemetry import InstanceStatus, PublishInstanceStatusRequest
from moorage.ecs.rules.host.engine import CONTAINER_RUNTIME, engine_gone


@pytest.mark.parametrize(
    ("status", "reason", "gone"),
    [
        ("OK", None, False),
        ("IMPAIRED", "EngineLost: connection refused", True),
        ("IMPAIRED", None, True),  # as Amazon's agent says it
        ("IMPAIRED", "ContainerStuck: container web of task 1 does not end", False),
        ("IMPAIRED", "RecordsUnwritable: No space left on device", False),
        ("INSUFFICIENT_DATA", None, None),
        (None, None, None),
    ],
)
def test_an_impairment_is_a_loss_where_the_engine_does_not_answer(status, reason, gone) -> None:
    said = InstanceStatus(type=CONTAINER_RUNTIME, status=status, status_reason=reason)
    assert engine_gone(PublishInstanceStatusRequest(statuses=(said,))) is gone


def test_other_kinds_say_nothing_of_the_engine() -> None:
    said = InstanceStatus(type="Other", status="IMPAIRED")
    assert engine_gone(PublishInstanceStatusRequest(statuses=(said,))) is None
    assert engine_gone(PublishInstanceStatusRequest()) is None
