"""Which tasks move: one row a cluster; and laws that hold of all."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.rebalancing import Rebalancing, Relocation
from moorage.ecs.rules.rebalancing.case import at_once
from moorage.ground.instant import Duration, earlier, hours, later, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import NOW, a_configuration, instance_arn
from tests.ecs.rules.rebalancing.scene import LONG_AGO, Scene, tagged

ZONE_FIRST = [PlacementStrategy(type="spread", field="attribute:ecs.availability-zone")]
BY_HOST = [PlacementStrategy(type="spread", field="instanceId")]
NO_ROOM = (
    "maximumPercent 100 lets it run no task too many, so that none can start before another stops"
)
BINPACK = [PlacementStrategy(type="binpack", field="cpu")]


def moved(scene: Scene, **asked) -> list[tuple[str, str, str, str]]:
    """(service, from, to, kind) of each move, by the names of hosts."""
    return [
        (
            one.case.service.name,
            one.source.rpartition("/")[2],
            one.step.target.rpartition("/")[2],
            one.step.kind,
        )
        for one in scene.plan(**asked).moves
    ]


def two_hosts(first: int, second: int, **more) -> Scene:
    return Scene().host("h1").host("h2").service("web", {"h1": first, "h2": second}, **more)


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [(4, 0, 2), (5, 0, 2), (2, 0, 1), (1, 0, 0), (3, 2, 0), (3, 3, 0), (0, 6, 3)],
)
def test_two_apart_moves_until_they_are_one_apart(first, second, count):
    scene = two_hosts(first, second)
    assert len(moved(scene)) == count
    scene.apply(scene.plan())
    places = scene.places("web")
    assert abs(places.get("h1", 0) - places.get("h2", 0)) <= 1


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"tags": tagged("off")}, "its tag moorage:rebalance is off"),
        ({"placement_strategy": BINPACK}, "its placement strategy packs hosts (binpack)"),
        (
            {"placement_strategy": BINPACK, "tags": tagged("hosts")},
            "its placement strategy packs hosts (binpack)",
        ),
        (
            {"placement_strategy": [PlacementStrategy(type="random")]},
            "its placement strategy is random, and it has no tag moorage:rebalance",
        ),
        ({"scheduling_strategy": "DAEMON"}, "a DAEMON service has one task on every host"),
        (
            {"deployment_configuration": a_configuration(0, 100)},
            NO_ROOM,
        ),
        (
            {"steady_at": None},
            "it is not steady: a deployment or a replacement is under way",
        ),
        (
            {"steady_at": earlier(NOW, seconds(3))},
            "it has only just become steady; it rests until 2027-01-15T08:00:07.000Z",
        ),
        (
            {"rebalancing": Rebalancing(rest_until=later(NOW, seconds(60)))},
            "a move of it came to nothing; nothing of it is moved until 2027-01-15T08:01:00.000Z",
        ),
        (
            {
                "rebalancing": Rebalancing(
                    planned=(Relocation(task="x", instance="y", kind="host", why=""),)
                )
            },
            "tasks of it are being moved already",
        ),
    ],
)
def test_what_stays_and_why(members, why):
    outcome = two_hosts(4, 0, **members).plan()
    assert outcome.moves == ()
    (stay,) = outcome.stays
    assert stay.why == why
    assert not stay.looked


def test_a_service_without_tasks_stays():
    (stay,) = two_hosts(0, 0).plan().stays
    assert stay.why == "it has no tasks"


def test_the_tag_asks_for_hosts_where_tasks_lie_by_chance():
    random = [PlacementStrategy(type="random")]
    assert moved(two_hosts(2, 0, placement_strategy=random, tags=tagged("hosts")))


def test_a_frozen_service_stays_until_it_is_thawed():
    scene = two_hosts(4, 0)
    until = later(NOW, hours(1))
    scene.freezes["web"] = Freeze(
        account="1",
        region="r",
        cluster="c",
        service="",
        cause="operator",
        reason="audit",
        created_at=NOW,
        until=until,
    )
    (stay,) = scene.plan().stays
    assert stay.why == 'it is frozen until 2027-01-15T09:00:00.000Z ("audit")'
    assert stay.until == until


@pytest.mark.parametrize(
    "members",
    [
        {"status": "DRAINING"},
        {"connected": False},
        {"suspect": True},
        {"lost_at": NOW},
        {"flapping_until": later(NOW, seconds(1))},
        {"engine_gone_at": NOW},
        {"runtime_status": "IMPAIRED"},
        {"ready_at": None},
        {"ready_at": earlier(NOW, seconds(59))},
        {"connected_at": earlier(NOW, seconds(59))},
        {"cpu": 255},
        {"memory": 511},
    ],
)
def test_hosts_that_take_nothing(members):
    scene = Scene().host("h1").host("h2", **members).service("web", {"h1": 4})
    assert moved(scene) == []


def test_when_a_host_will_have_settled_is_known():
    ready = earlier(NOW, seconds(50))
    scene = Scene().host("h1").host("h2", ready_at=ready).service("web", {"h1": 4})
    outcome = scene.plan()
    assert outcome.look_again == later(NOW, seconds(10))
    closed = scene.field().closed
    assert closed == {
        instance_arn("h2"): "The host has only just joined or returned: it takes them from "
        "2027-01-15T08:00:10.000Z on."
    }
    assert moved(scene, settling=Duration(0)), "a person who asks need not wait"


def test_protected_tasks_are_left_out():
    outcome = two_hosts(4, 0, protected=4).plan()
    assert outcome.moves == ()
    assert "h1: its tasks of the service are protected, or do not run" in outcome.stays[0].why
    assert outcome.look_again == later(NOW, seconds(300))
    scene = two_hosts(4, 0, protected=3)
    assert len(moved(scene)) == 1


def test_what_hinders_is_named():
    scene = Scene().host("h1").host("h2", cpu=100).service("web", {"h1": 4})
    (stay,) = scene.plan().stays
    assert stay.why == "h2: it cannot take one more: RESOURCE:CPU (256 wanted, 100 left)"
    assert stay.looked
    assert not stay.balanced


def test_the_youngest_task_moves():
    scene = two_hosts(1, 0)
    scene.task("web", "h1", created_at=later(NOW, seconds(1)))
    scene.services["web"] = evolve(scene.services["web"], desired_count=2)
    (move,) = scene.plan().moves
    assert move.step.task.id == "t001"


def test_zones_come_first_and_hosts_keep_them_even():
    scene = (
        Scene()
        .host("a1", zone="a")
        .host("b1", zone="b")
        .host("b2", zone="b")
        .service("web", {"a1": 6, "b1": 0}, availability_zone_rebalancing="ENABLED")
    )
    assert {kind for _, _, _, kind in moved(scene)} == {"zone"}
    scene.apply(scene.plan())
    assert scene.places("web") in ({"a1": 3, "b1": 2, "b2": 1}, {"a1": 3, "b1": 1, "b2": 2})
    scene.host("a2", zone="a")
    scene.apply(scene.plan())
    assert sorted(scene.places("web").values()) == [1, 1, 2, 2]


def test_hosts_do_not_make_zones_uneven():
    scene = Scene().host("a1", zone="a").host("b1", zone="b").host("a2", zone="a")
    scene.service("web", {"a1": 3, "b1": 3})
    assert moved(scene) == [("web", "a1", "a2", "host")]


def test_a_strategy_without_zones_takes_no_heed_of_them():
    scene = Scene().host("a1", zone="a").host("b1", zone="b").host("a2", zone="a")
    scene.service("web", {"a1": 3, "b1": 3}, placement_strategy=BY_HOST)
    scene.apply(scene.plan())
    assert sorted(scene.places("web").values()) == [2, 2, 2]


def test_zones_alone_leave_hosts_alone():
    scene = Scene().host("a1", zone="a").host("a2", zone="a")
    scene.service("web", {"a1": 4}, tags=tagged("zones"))
    assert moved(scene) == []


def test_a_zone_without_room_is_said_to_be_short():
    scene = Scene().host("a1", zone="a").host("b1", zone="b", cpu=1)
    scene.service("web", {"a1": 4}, availability_zone_rebalancing="ENABLED")
    (stay,) = scene.plan().stays
    assert stay.short_zones == ("b",)
    assert stay.zones == (("a", 4), ("b", 0))


def test_many_small_services_share_a_new_host():
    scene = Scene().host("h1").host("h2")
    for number in range(6):
        scene.service(f"s{number}", {"h1": 1})
    assert len(moved(scene)) == 3
    assert {kind for *_, kind in moved(scene)} == {"load"}


def test_a_small_host_is_not_filled_for_the_sake_of_counts():
    scene = Scene().host("h1", cpu=8192, memory=16384).host("h2", cpu=300, memory=600)
    for number in range(4):
        scene.service(f"s{number}", {"h1": 1})
    assert moved(scene) == []


def test_tasks_of_nobody_are_no_load():
    scene = Scene().host("h1").host("h2").service("web", {"h1": 1})
    for _ in range(5):
        scene.task("web", "h1", owner="", group="family:batch")
    assert moved(scene) == []


def test_distinct_instances_stay_distinct():
    scene = Scene().host("h1").host("h2").host("h3").service("web", {"h1": 1, "h2": 1})
    scene.distinct = True
    assert moved(scene) == []


def test_the_provider_of_a_service_keeps_it():
    scene = Scene().host("h1", capacity_provider="p").host("h2")
    scene.service("web", {"h1": 4}, capacity_provider_strategy=["p"])
    assert moved(scene) == []


@pytest.mark.parametrize(
    ("desired", "maximum", "moves_max", "count"),
    [
        (10, 200, 5, 1),
        (20, 200, 5, 2),
        (100, 200, 5, 5),
        (20, 105, 5, 1),
        (20, 104, 5, 0),
        (1, 150, 5, 0),
        (2, 150, 5, 1),
        (30, 200, 0, 0),
    ],
)
def test_how_many_of_a_service_move_at_once(desired, maximum, moves_max, count):
    scene = two_hosts(desired, 0, deployment_configuration=a_configuration(100, maximum))
    assert at_once(scene.services["web"], moves_max) == count


def test_moves_under_way_count_in_the_budget():
    scene = Scene().host("h1", cpu=9999, memory=99999).host("h2", cpu=9999, memory=99999)
    scene.service("one", {"h1": 4}).service("two", {"h1": 4})
    scene.task("two", "h2", replaces=scene.tasks[-1].arn)
    assert moved(scene, whole=False, moves_max=1) == []
    assert moved(scene, whole=False, moves_max=2) == [("one", "h1", "h2", "host")]


# --- laws ------------------------------------------------------------------------------------------

MODES = ["", "off", "zones", "hosts", "all"]
STRATEGIES = [[], ZONE_FIRST, BY_HOST, BINPACK, [*ZONE_FIRST, *BY_HOST]]


@st.composite
def scenes(draw):
    scene = Scene()
    names = [f"h{number}" for number in range(1, draw(st.integers(1, 5)) + 1)]
    for name in names:
        scene.host(
            name,
            zone=draw(st.sampled_from("ab")),
            cpu=256 * draw(st.integers(0, 12)),
            memory=512 * draw(st.integers(4, 12)),
            status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "DRAINING"])),
            ready_at=draw(st.sampled_from([LONG_AGO, LONG_AGO, None, NOW])),
        )
    for number in range(draw(st.integers(1, 4))):
        places = {name: draw(st.integers(0, 6)) for name in names}
        mode = draw(st.sampled_from(MODES))
        scene.service(
            f"s{number}",
            places,
            tags=tagged(mode) if mode else [],
            placement_strategy=draw(st.sampled_from(STRATEGIES)),
            availability_zone_rebalancing=draw(st.sampled_from(["ENABLED", "DISABLED"])),
            protected=draw(st.integers(0, 2)),
            deployment_configuration=a_configuration(100, draw(st.sampled_from([100, 150, 200]))),
        )
    return scene


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_a_whole_plan_ends_where_nothing_is_left_to_move(scene):
    before = {name: sum(scene.places(name).values()) for name in scene.services}
    first = scene.plan()
    scene.apply(first)
    assert scene.plan().moves == (), "what is balanced stays"
    assert before == {name: sum(scene.places(name).values()) for name in scene.services}


@settings(max_examples=300, deadline=None)
@given(scenes(), st.integers(0, 4))
def test_every_move_is_allowed(scene, moves_max):
    field = scene.field()
    outcome = scene.plan(moves_max, whole=False)
    assert len(outcome.moves) <= moves_max
    each = Counter(one.case.service.arn for one in outcome.moves)
    for one in outcome.moves:
        assert each[one.case.service.arn] <= at_once(one.case.service, moves_max)
        assert not one.step.task.is_protected(NOW)
        assert one.step.target in field.takers
        assert one.step.target != one.source
        mode = one.case.mode
        assert mode.zones if one.step.kind == "zone" else mode.hosts
    by_target = Counter(one.step.target for one in outcome.moves)
    for arn, count in by_target.items():
        load = field.loads[arn]
        assert load.cpu >= 256 * count
        assert load.memory >= 512 * count


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_each_move_alone_makes_it_more_even(scene):
    while (outcome := scene.plan(1, whole=False)).moves:
        before = unevenness(scene)
        scene.apply(outcome)
        assert unevenness(scene) < before


def unevenness(scene: Scene) -> tuple[int, int, int]:
    """The squares that the rules make smaller: zones where they matter, hosts, all services."""
    zones = hosts = 0
    totals = Counter[str]()
    for case in scene.cases():
        by_zone = Counter[str]()
        for host, count in scene.places(case.service.name).items():
            by_zone[scene.hosts[host].zone] += count
            totals[host] += count
            hosts += count * count
        if case.mode.zones:
            zones += sum(count * count for count in by_zone.values())
    return zones, hosts, sum(count * count for count in totals.values())


@pytest.mark.parametrize(
    ("source", "target", "moves"),
    [("", "", True), ("p", "", True), ("p", "p", True), ("", "p", False), ("q", "p", False)],
)
def test_nobody_is_moved_onto_the_hosts_of_a_provider_from_elsewhere(source, target, moves):
    scene = Scene().host("h1", capacity_provider=source).host("h2", capacity_provider=target)
    scene.service("web", {"h1": 4})
    assert bool(scene.plan().moves) is moves
