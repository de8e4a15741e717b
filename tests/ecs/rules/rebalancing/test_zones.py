"""availabilityZoneRebalancing: what it goes with, and what it is where nobody asks."""

import pytest

from moorage.ecs.rules.rebalancing.zones import (
    incompatible,
    refuse_zone_rebalancing,
    zone_rebalancing,
)
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy
from moorage.shapes.ecs.task_definition import TaskDefinition, TaskDefinitionPlacementConstraint
from tests.ecs.rules.builders import a_configuration, a_service

ZONE = "attribute:ecs.availability-zone"
SPREAD = PlacementStrategy(type="spread", field=ZONE)
BY_HOST = PlacementStrategy(type="spread", field="instanceId")
IN_A = f"{ZONE} == zone-a"
PLAIN = TaskDefinition()

ROWS = [
    ({}, PLAIN, ""),
    ({"placement_strategy": [SPREAD]}, PLAIN, ""),
    ({"placement_strategy": [SPREAD, BY_HOST]}, PLAIN, ""),
    ({"deployment_configuration": a_configuration(100, 101)}, PLAIN, ""),
    (
        {"placement_constraints": [PlacementConstraint(type="distinctInstance")]},
        PLAIN,
        "",
    ),
    ({"scheduling_strategy": "DAEMON"}, PLAIN, "the DAEMON scheduling strategy"),
    ({"launch_type": "EXTERNAL"}, PLAIN, "the EXTERNAL launch type"),
    (
        {"deployment_configuration": a_configuration(0, 100)},
        PLAIN,
        "a maximumPercent of 100 or less",
    ),
    (
        {"placement_strategy": [BY_HOST, SPREAD]},
        PLAIN,
        f"a first placement strategy other than spread by {ZONE}",
    ),
    (
        {"placement_strategy": [PlacementStrategy(type="binpack", field="cpu")]},
        PLAIN,
        f"a first placement strategy other than spread by {ZONE}",
    ),
    (
        {"placement_constraints": [PlacementConstraint(type="memberOf", expression=IN_A)]},
        PLAIN,
        f"a placement constraint on {ZONE}",
    ),
    (
        {},
        TaskDefinition(
            placement_constraints=[
                TaskDefinitionPlacementConstraint(type="memberOf", expression=IN_A)
            ]
        ),
        f"a placement constraint on {ZONE}",
    ),
]


@pytest.mark.parametrize(("members", "definition", "why"), ROWS)
def test_what_it_goes_with(members, definition, why):
    service = a_service(**members)
    assert incompatible(service, definition) == why
    assert zone_rebalancing(None, service, definition) == ("DISABLED" if why else "ENABLED")
    assert zone_rebalancing("DISABLED", service, definition) == "DISABLED"
    enabled = a_service(**members, availability_zone_rebalancing="ENABLED")
    refusal = refuse_zone_rebalancing(enabled, definition)
    if why:
        assert refusal.message == (
            f"Availability Zone rebalancing does not support {why}. Set "
            "availabilityZoneRebalancing to DISABLED."
        )
    else:
        assert refusal is None
    disabled = a_service(**members, availability_zone_rebalancing="DISABLED")
    assert refuse_zone_rebalancing(disabled, definition) is None


def test_other_words_are_refused():
    refusal = refuse_zone_rebalancing(a_service(availability_zone_rebalancing="ON"), PLAIN)
    assert refusal.message == ("availabilityZoneRebalancing must be ENABLED or DISABLED, not ON.")
