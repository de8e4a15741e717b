"""What lies where, counted from promises: which tasks are a host's load, and which moves go on."""

import pytest

from tests.ecs.rules.builders import instance_arn
from tests.ecs.rules.rebalancing.scene import Scene

H1, H2 = instance_arn("h1"), instance_arn("h2")


def two(**more) -> Scene:
    """A service with two tasks on the first of two hosts, and one that another brings."""
    scene = Scene().host("h1").host("h2").service("web", {"h1": 2})
    scene.task("web", "h2", **more)
    return scene


@pytest.mark.parametrize(
    ("more", "totals", "on"),
    [
        ({}, {H1: 2, H2: 1}, {H1: 2, H2: 1}),
        ({"desired_status": "STOPPED"}, {H1: 2}, {H1: 2, H2: 1}),
        ({"owner": "", "group": "family:batch"}, {H1: 2}, {H1: 2}),
    ],
)
def test_a_load_are_the_tasks_of_services_that_stay(more, totals, on):
    counted = two(**more).tally()
    assert counted.totals == totals
    assert counted.on == {"service:web": on}
    assert not any(counted.moves.values())


@pytest.mark.parametrize(("desired", "moves"), [("RUNNING", 1), ("STOPPED", 0)])
def test_what_is_replaced_is_no_load_and_moves_while_its_successor_is_to_run(desired, moves):
    scene = two()
    first = scene.tasks[0].arn
    scene.task("web", "h2", replaces=first, desired_status=desired)
    counted = scene.tally()
    assert counted.totals == {H1: 1, H2: 1 + moves}
    assert counted.moves.get("service:web", 0) == moves


def test_a_successor_of_what_is_gone_moves_nothing():
    counted = two(replaces="gone").tally()
    assert counted.totals == {H1: 2, H2: 1}
    assert not any(counted.moves.values())
