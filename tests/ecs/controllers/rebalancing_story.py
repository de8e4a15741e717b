"""A cluster whose hosts join one after the other, and what must hold of a service meanwhile."""

from collections import Counter

from moorage.ecs.records.freeze import Freeze
from moorage.ground.instant import seconds
from moorage.shapes.ecs.tag import Tag
from tests.ecs.controllers.rig import Rig
from tests.house import ACCOUNT, REGION

SETTLING = 60
SETTLE = 5
SOON = seconds(0)


class Watch:
    """What must hold of a service after every single turn."""

    def __init__(self, arn: str, low: int, high: int) -> None:
        self.arn = arn
        self.low = low
        self.high = high
        self.at_once = 0

    def __call__(self, rig: Rig) -> None:
        live = rig.live(self.arn)
        assert len(rig.running(self.arn)) >= self.low, "fewer run than may"
        assert len(live) <= self.high, "more are there than may"
        moving = [one for one in live if one.replaces in {task.arn for task in live}]
        self.at_once = max(self.at_once, len(moving))


def a_rig(hosts: int = 1, moves_max: int = 2, **site) -> Rig:
    rig = Rig(
        settle=seconds(SETTLE),
        rebalance_moves_max=moves_max,
        rebalance_pause=seconds(2),
        rebalance_settling=seconds(SETTLING),
        **site,
    )
    for number in range(1, hosts + 1):
        rig.host(f"host-{number}")
    rig.settle()
    return rig


def serve(rig: Rig, count: int = 4, name: str = "web", **members) -> str:
    service = rig.serve(name, count, rig.define(name), **members)
    rig.advance(SETTLING + 10)
    assert len(rig.running(service)) == count
    return service


def spread(rig: Rig, service: str) -> dict[str, int]:
    names = {arn: one.name for arn, one in rig.hosts.items()}
    return dict(Counter(names[task.instance] for task in rig.running(service)))


def a_freeze(rig: Rig, cause) -> Freeze:
    return Freeze(
        account=ACCOUNT,
        region=REGION,
        cluster="default",
        service="",
        cause=cause,
        reason="the rack is moved",
        created_at=rig.house.clock.now(),
        until=None,
    )


def tag(value: str) -> list[Tag]:
    return [Tag(key="moorage:rebalance", value=value)]
