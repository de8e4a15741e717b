"""What a service wants of rebalancing: by its tag, else by its zones' setting and its strategy."""

from collections.abc import Mapping

from moorage.ecs.records.service import Service
from moorage.ecs.rules.service_tags import REBALANCE, RebalanceWish, wishes
from moorage.ground.record import Record

# What the tag asks for: (between zones, between hosts).
_BY_TAG: Mapping[RebalanceWish, tuple[bool, bool]] = {
    "off": (False, False),
    "zones": (True, False),
    "hosts": (False, True),
    "all": (True, True),
}


class Mode(Record):
    """Whether tasks move between zones, and whether between hosts; `why` not, where neither."""

    zones: bool = False
    hosts: bool = False
    why: str = ""

    @property
    def name(self) -> str:
        """`off`, `zones`, `hosts` or `all`."""
        return next(name for name, asked in _BY_TAG.items() if asked == (self.zones, self.hosts))


def mode_of(service: Service) -> Mode:
    """What a service wants.

    A service that packs its hosts (binpack) is never spread over them, whatever its tag says; one
    that places by chance only where its tag asks for it.
    """
    if service.scheduling_strategy == "DAEMON":
        return Mode(why="a DAEMON service has one task on every host")
    kinds = {one.type for one in service.placement_strategy}
    wished = wishes(service.tags).rebalance
    if wished is None:
        zones = service.availability_zone_rebalancing == "ENABLED"
        hosts = kinds.isdisjoint({"binpack", "random"})
    else:
        zones, hosts = _BY_TAG[wished]
    if "binpack" in kinds:
        hosts = False
    return Mode(zones=zones, hosts=hosts, why="" if zones or hosts else _why(wished, kinds))


def _why(wished: RebalanceWish | None, kinds: set[str | None]) -> str:
    if wished == "off":
        return f"its tag {REBALANCE} is off"
    if "binpack" in kinds:
        return "its placement strategy packs hosts (binpack)"
    return f"its placement strategy is random, and it has no tag {REBALANCE}"
