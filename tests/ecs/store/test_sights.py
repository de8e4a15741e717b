"""One look at the balance of a cluster: which tasks it reads, and that all are where they matter."""

import pytest

from moorage.ecs.rules.rebalancing.plan import Question
from moorage.ecs.store import sights
from moorage.ground.instant import Duration, seconds
from tests.ecs.controllers.rig import CLUSTER, Rig

NOW_AT_ONCE = Duration(0)


@pytest.fixture
def rig():
    """Nothing moves by itself, so that looks can be compared."""
    made = Rig(settle=seconds(1), rebalance_moves_max=0)
    yield made
    made.house.close()


def foresee(rig: Rig, **asked):
    question = Question(now=rig.house.clock.now(), moves_max=5, pause=Duration(0), **asked)
    return rig.house.write(
        lambda call: sights.foresee(call.tx, CLUSTER, question, NOW_AT_ONCE).outcome
    )


def moves(rig: Rig, outcome) -> list[tuple[str, str, str]]:
    name = {arn: one.name for arn, one in rig.hosts.items()}
    return [
        (one.case.service.name, name[one.source], name[one.step.target]) for one in outcome.moves
    ]


def test_where_nothing_would_lie_better_no_task_is_read(rig):
    rig.host("a")
    rig.host("b")
    rig.serve("web", 5, rig.define("web"))
    rig.serve("api", 1, rig.define("api"))
    rig.advance(60)
    outcome = foresee(rig)
    assert outcome.moves == ()
    assert [(one.balanced, one.looked, one.case.tasks) for one in outcome.stays] == [
        (True, True, None)
    ] * 2
    rig.host("c", cpu=1)
    rig.settle()
    outcome = foresee(rig)
    assert outcome.moves == ()
    read = {one.case.service.name: len(one.case.tasks or ()) for one in outcome.stays}
    assert read == {"api": 0, "web": 5}, "what is told of it depends on which tasks may move"


def test_what_another_service_moves_may_make_one_uneven_that_was_even(rig):
    """The large ones fit on b alone, and then the small one, which lay well there, has more room on c."""
    rig.host("a", cpu=4096, memory=4096)
    rig.serve("large", 4, rig.define("large", cpu=800))
    rig.advance(60)
    rig.host("b", cpu=2048, memory=2048)
    rig.serve("small", 1, rig.define("small", cpu=100, memory=100))
    rig.advance(60)
    rig.host("c", cpu=512, memory=2048)
    rig.settle()
    assert moves(rig, foresee(rig)) == [("large", "a", "b"), ("small", "b", "c")]
