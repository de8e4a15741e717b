"""What a service wants: its tag first, then its zones' setting and its strategy."""

import pytest

from moorage.ecs.rules.rebalancing.mode import mode_of
from moorage.ecs.rules.service_tags import wishes
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import a_service
from tests.ecs.rules.rebalancing.scene import tagged

RANDOM = [PlacementStrategy(type="random")]
BINPACK = [PlacementStrategy(type="binpack", field="cpu")]
ZONES_THEN_PACK = [
    PlacementStrategy(type="spread", field="attribute:ecs.availability-zone"),
    *BINPACK,
]


@pytest.mark.parametrize(
    ("tag", "strategy", "zones", "name"),
    [
        ("", [], "DISABLED", "hosts"),
        ("", [], "ENABLED", "all"),
        ("", RANDOM, "DISABLED", "off"),
        ("", BINPACK, "DISABLED", "off"),
        ("", ZONES_THEN_PACK, "ENABLED", "zones"),
        ("off", [], "ENABLED", "off"),
        ("OFF ", [], "ENABLED", "off"),
        ("zones", [], "DISABLED", "zones"),
        ("zones", [], "ENABLED", "zones"),
        ("hosts", [], "ENABLED", "hosts"),
        ("hosts", RANDOM, "DISABLED", "hosts"),
        ("hosts", BINPACK, "DISABLED", "off"),
        ("all", [], "DISABLED", "all"),
        ("all", ZONES_THEN_PACK, "DISABLED", "zones"),
        ("sometimes", [], "DISABLED", "hosts"),
    ],
)
def test_modes(tag, strategy, zones, name):
    tags = tagged(tag) if tag else []
    service = a_service(tags=tags, placement_strategy=strategy, availability_zone_rebalancing=zones)
    mode = mode_of(service)
    assert mode.name == name
    assert bool(mode.why) == (name == "off")


def test_a_daemon_is_everywhere_already():
    service = a_service(scheduling_strategy="DAEMON", tags=tagged("all"))
    assert mode_of(service).name == "off"


def test_a_value_that_means_nothing_is_named():
    (ignored,) = wishes(tagged("sometimes")).ignored
    assert ignored == "moorage:rebalance=sometimes (allowed: off, zones, hosts, all)"
