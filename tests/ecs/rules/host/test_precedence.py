"""Who waits for a host's daemons, and for how long."""

import pytest

from moorage.ecs.rules.host.precedence import LEAD, held_until
from moorage.ground.instant import later, seconds
from tests.ecs.rules.builders import ARN, CLUSTER, NOW, a_task

LOGS = f"{ARN}:service/{CLUSTER}/logs"
DAEMON = {"service": LOGS, "group": "service:logs"}
FRESH = {"payload_sequence": 0}
LATER = later(NOW, seconds(1))


@pytest.mark.parametrize(
    ("tasks", "held"),
    [
        ([], False),
        ([FRESH], False),
        ([DAEMON, FRESH], True),
        ([{**DAEMON, **FRESH}, FRESH], True),
        ([{**DAEMON, "last_status": "ACTIVATING"}, FRESH], True),
        ([{**DAEMON, "last_status": "RUNNING"}, FRESH], False),
        ([{**DAEMON, "last_status": "STOPPING", "desired_status": "STOPPED"}, FRESH], False),
        ([{**DAEMON, "desired_status": "STOPPED"}, FRESH], False),
        # Something else was begun there before: nothing is first any more.
        ([DAEMON, {}, FRESH], False),
        ([DAEMON, {"service": "", "last_status": "RUNNING", "payload_sequence": 0}], False),
        # Two daemons: both go first.
        ([DAEMON, {**DAEMON, "last_status": "RUNNING"}, FRESH], True),
    ],
)
def test_others_wait_for_daemons_that_start_where_nothing_was_begun(tasks, held):
    live = [a_task(f"t{number}", **members) for number, members in enumerate(tasks)]
    assert held_until(live, {LOGS}, NOW) == (later(NOW, LEAD) if held else None)


def test_they_wait_for_the_newest_and_no_longer_than_the_lead():
    live = [a_task("t1", **DAEMON), a_task("t2", **DAEMON, created_at=LATER), a_task("t3", **FRESH)]
    over = later(LATER, LEAD)
    assert held_until(live, {LOGS}, LATER) == over
    assert held_until(live, {LOGS}, over) is None
    assert held_until(live, {LOGS}, later(over, seconds(1))) is None
    assert held_until(live, set(), NOW) is None
