"""Services that wait for room look again whatever it is that makes it, also where nobody tells."""

import pytest

from moorage.ecs.rules.placement.constraint import FOLLOW_LOOK
from moorage.ground.instant import in_seconds
from moorage.shapes.ecs.placement import PlacementConstraint
from tests.ecs.controllers.rig import Rig
from tests.ecs.controllers.test_daemons import daemon

SOON = in_seconds(FOLLOW_LOOK) + 1


@pytest.mark.parametrize("expression", ["task:group == service:db", "runningTasksCount > 0"])
def test_affinity_to_tasks_that_start_later(bare: Rig, expression):
    near = PlacementConstraint(type="memberOf", expression=expression)
    one = bare.host("a")
    web = bare.serve("web", 2, bare.define("web"), placement_constraints=[near])
    bare.advance(60)
    assert bare.running(web) == []
    bare.serve("db", 1, bare.define("db"))
    bare.advance(SOON)
    assert len(bare.running(web)) == 2
    bare.advance(3600)
    looks = sum(name == "deployments" for name, _ in bare.turns)
    bare.advance(3600)
    assert sum(name == "deployments" for name, _ in bare.turns) == looks, "who has room waits not"
    assert len(one.running()) == 3


def test_the_room_that_was_kept_for_a_daemon_is_everybodys_once_it_is_deleted(bare: Rig):
    bare.host("a")
    logs = daemon(bare, image="broken:1", definition={"cpu": 900})
    web = bare.serve("web", 1, bare.define("web"))
    bare.advance(900)
    assert bare.live(logs) == [], "it failed again and again, and waits with its next start"
    assert bare.running(web) == []
    bare.update(logs, status="DRAINING", desired_count=0, deleted_at=bare.house.clock.now())
    bare.settle()
    assert len(bare.running(web)) == 1
