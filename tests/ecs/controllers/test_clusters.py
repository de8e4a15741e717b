"""A cluster: who waits for room is woken, and a deleted cluster is forgotten."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.store import clusters
from moorage.ground.arn import make_arn
from tests.house import ACCOUNT, REGION


def test_only_services_that_wait_for_room_are_woken(rig):
    rig.serve("web", 3, rig.define("web"))
    waiting = rig.serve("big", 99, rig.define("big"))
    rig.settle()
    rig.changes.clear()
    rig.turn("clusters", rig.service(waiting).cluster_arn)
    assert [(one.kind, one.key) for one in rig.changes] == [("service", waiting)]


def test_a_deleted_cluster_is_forgotten_after_a_day(bare):
    arn = make_arn("cluster", REGION, ACCOUNT, "old")
    now = bare.house.clock.now()
    old = Cluster(
        account=ACCOUNT,
        region=REGION,
        name="old",
        arn=arn,
        status="INACTIVE",
        created_at=now,
        deleted_at=now,
    )
    bare.house.write(lambda call: clusters.put(call.tx, old))
    bare.advance(24 * 3600 - 1)
    assert bare.rows()["clusters"] == [old]
    bare.advance(2)
    assert bare.rows()["clusters"] == []


def test_a_cluster_that_was_never_written_is_left_alone(bare):
    assert bare.turn("clusters", make_arn("cluster", REGION, ACCOUNT, "nowhere")) is None
