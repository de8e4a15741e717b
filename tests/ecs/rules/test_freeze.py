"""Which freeze holds, and what is said of it."""

import pytest

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.rules.freeze import holds, refusal, until_words
from moorage.ground.instant import iso, later, seconds
from tests.ecs.rules.builders import ACCOUNT, CLUSTER, NOW, REGION

SOON, LATE = later(NOW, seconds(10)), later(NOW, seconds(20))


def a_freeze(cause="operator", until=None, service="", **more):
    return Freeze(
        account=ACCOUNT,
        region=REGION,
        cluster=CLUSTER,
        service=service,
        cause=cause,
        reason="moving the rack",
        created_at=NOW,
        until=until,
        **more,
    )


@pytest.mark.parametrize(
    ("freezes", "chosen"),
    [
        ([], None),
        ([a_freeze(until=NOW)], None),
        ([a_freeze("brake")], None),
        ([a_freeze(until=SOON)], 0),
        ([a_freeze(until=SOON), a_freeze(until=LATE, service="web")], 1),
        ([a_freeze("restore"), a_freeze(until=LATE, service="web")], 0),
        ([a_freeze("brake"), a_freeze("restore", until=SOON)], 1),
    ],
)
def test_the_one_that_ends_last_holds(freezes, chosen):
    assert holds(freezes, NOW) == (None if chosen is None else freezes[chosen])
    assert holds(reversed(freezes), NOW) == (None if chosen is None else freezes[chosen])


def test_who_is_refused_learns_why_and_until_when():
    assert refusal("c", a_freeze(until=SOON)) == (
        f'The cluster c is frozen until {iso(SOON)} ("moving the rack"): no task is started there '
        "meanwhile. It ends sooner by: moorage thaw c."
    )
    assert until_words(a_freeze()) == "until it is thawed by hand"
