"""Images of ours that services use are claimed, and let go when nothing runs or may return."""

import pytest

from moorage.kernel.images import TagDigest, point_tag
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)
from tests.ecs.controllers.host import DIGEST
from tests.ecs.controllers.rig import Rig
from tests.house import ACCOUNT, REGION

OURS = "registry.test:4750/shop/web"


def push(rig: Rig, tag: str) -> str:
    digest = f"sha256:{tag * 64}"
    row = TagDigest(account=ACCOUNT, region=REGION, repository="shop/web", tag=tag, digest=digest)
    rig.house.write(lambda call: point_tag(call.tx, row))
    return digest


def claimed(rig: Rig) -> list[str]:
    return sorted({row.digest for row in rig.rows()["image_claims"]})


def serve(rig: Rig, tag: str, **members) -> str:
    service = rig.serve(
        "web", 3, rig.define("web", f"{OURS}:{tag}", version_consistency=None), **members
    )
    rig.settle()
    assert len(rig.running(service)) == 3
    return service


def test_a_revision_claims_its_image_and_pins_every_task(rig):
    digest = push(rig, "1")
    service = serve(rig, "1")
    assert claimed(rig) == [digest]
    assert {task.containers[0].pinned_image for task in rig.tasks(service)} == {f"{OURS}@{digest}"}


def test_the_image_of_an_old_deployment_is_let_go_when_its_tasks_are_gone(rig):
    old, new = push(rig, "1"), push(rig, "2")
    service = serve(rig, "1")
    for one in rig.hosts.values():
        one.slow = True
    rig.update(service, rig.define("web", f"{OURS}:2", version_consistency=None))
    rig.settle()
    assert claimed(rig) == [old, new]
    for _ in range(6):
        for one in rig.hosts.values():
            one.finish(rig)
        rig.settle()
    assert {task.revision for task in rig.live(service)} == {2}
    assert claimed(rig) == [new]


def test_the_image_to_go_back_to_stays_claimed(rig):
    good, bad = push(rig, "1"), push(rig, "b")
    breaker = DeploymentConfiguration(
        minimum_healthy_percent=0,
        maximum_percent=100,
        deployment_circuit_breaker=DeploymentCircuitBreaker(enable=True, rollback=True),
    )
    service = serve(rig, "1", configuration=breaker)
    broken = rig.define("web", "registry.test:4750/shop/broken:b", version_consistency=None)
    row = TagDigest(account=ACCOUNT, region=REGION, repository="shop/broken", tag="b", digest=bad)
    rig.house.write(lambda call: point_tag(call.tx, row))
    rig.laws.append(lambda rig: good in claimed(rig) or pytest.fail("the good image is let go"))
    rig.update(service, broken)
    rig.advance(60)
    assert {task.revision for task in rig.running(service)} == {1}
    assert claimed(rig) == [good]


def test_an_image_that_is_never_pinned_is_claimed_as_it_is_found(rig):
    definition = rig.define("web", f"{OURS}:1", version_consistency="disabled")
    service = rig.serve("web", 1, definition)
    rig.settle()
    assert claimed(rig) == [DIGEST]
    assert rig.tasks(service)[0].containers[0].pinned_image is None


def test_a_deleted_service_lets_everything_go(rig):
    push(rig, "1")
    service = serve(rig, "1")
    now = rig.house.clock.now()
    rig.update(service, status="DRAINING", desired_count=0, deleted_at=now)
    rig.settle()
    assert claimed(rig) == []
