"""The search for one move: bounded however large the cluster, and it says where it gave up."""

import pytest
from hypothesis import given, settings

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ecs.rules.rebalancing.balance import Balance
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ground.instant import seconds
from moorage.ground.record import evolve
from tests.ecs.rules.builders import NOW
from tests.ecs.rules.rebalancing.scene import Scene, tagged
from tests.ecs.rules.rebalancing.test_plan import scenes


class Told(Field):
    """Counts how often it is asked for a zone."""

    asked = 0

    def zone(self, arn: str) -> str:
        self.asked += 1
        return super().zone(arn)


@pytest.mark.parametrize("mode", ["zones", "all"])
def test_a_search_in_vain_among_many_hosts_has_an_end(mode):
    scene = Scene()
    for number in range(200):
        cpu = 9999 if number < 100 else 100
        scene.host(f"h{number:03}", zone=f"z{number:03}", cpu=cpu, memory=99999)
    scene.service("web", {f"h{number:03}": 3 for number in range(100)}, tags=tagged(mode))
    view = cluster_view(scene.hosts.values(), scene.tasks)
    field = Told(view, scene.tally().totals, seconds(60), NOW)
    assert Balance(scene.cases()[0], field, NOW).next() is None
    assert field.asked < 2000, "hosts are told apart by their zones once, not for each pair"


def test_what_lies_evenly_is_balanced_however_many_hosts_have_more_of_others():
    scene = Scene()
    for number in range(300):
        scene.host(f"h{number:03}", zone="a", cpu=9999, memory=99999)
    scene.service("web", {f"h{number:03}": 1 for number in range(300)}, tags=tagged("hosts"))
    heavy = {f"h{number:03}": 3 for number in range(150)}
    scene.service("heavy", heavy, tags=tagged("off"))
    web = next(one for one in scene.plan(whole=False).stays if one.case.service.name == "web")
    assert web.balanced


def test_a_search_that_was_given_up_is_no_balance():
    scene = Scene()
    for number in range(300):
        scene.host(f"h{number:03}", zone="a", cpu=9999, memory=99999 if number < 150 else 3000)
    scene.service("web", {f"h{number:03}": 1 for number in range(150)}, tags=tagged("hosts"))
    heavy = {f"h{number:03}": 4 for number in range(150)}
    scene.service("heavy", heavy, tags=tagged("off"))
    for number in range(150, 300):
        scene.task("web", f"h{number:03}", owner="", reserved=Resources(memory=2900))
    web = next(one for one in scene.plan(whole=False).stays if one.case.service.name == "web")
    assert not web.balanced
    assert web.until is not None
    assert "and there are more" in web.why


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_what_is_even_is_so_whichever_tasks_may_move(scene):
    field = scene.field()
    for case in scene.cases():
        found = Balance(case, field, NOW)
        step = found.next()
        told = [found.blocks, found.short_zones, found.held_zones]
        if Balance(evolve(case, tasks=None), field, NOW).is_even():
            assert step is None
            assert not any(told)
        else:
            unread = Balance(evolve(case, tasks=None), field, NOW)
            assert unread.next() is None, "what has no tasks moves none"
