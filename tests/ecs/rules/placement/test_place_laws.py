"""Laws of placement: no host is ever over-promised, spreads are even, nothing is given up early."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants, obstacle
from moorage.ecs.rules.placement.orders import Orders
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.strategy import levels
from moorage.ecs.rules.placement.view import ClusterView, cluster_view
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import a_task, an_instance

STRATEGIES = [
    PlacementStrategy(type="spread", field="attribute:ecs.availability-zone"),
    PlacementStrategy(type="spread", field="attribute:rack"),
    PlacementStrategy(type="spread", field="instanceId"),
    PlacementStrategy(type="binpack", field="cpu"),
    PlacementStrategy(type="binpack", field="memory"),
    PlacementStrategy(type="random"),
]


@st.composite
def clusters(draw):
    """Hosts of several sizes, zones and racks, some of them with tasks already."""
    hosts = [
        an_instance(
            f"h{index}",
            zone=draw(st.sampled_from("abc")),
            cpu=draw(st.integers(0, 2000)),
            memory=draw(st.integers(0, 2000)),
            connected=draw(st.integers(0, 9)) > 0,
            attributes={"rack": draw(st.sampled_from("xyz"))},
        )
        for index in range(draw(st.integers(0, 7)))
    ]
    tasks = [
        a_task(
            f"t{index}",
            host=f"h{draw(st.integers(0, 7))}",
            reserved=Resources(cpu=draw(st.integers(0, 300)), memory=draw(st.integers(0, 300))),
        )
        for index in range(draw(st.integers(0, 5)))
    ]
    return cluster_view(hosts, tasks)


@st.composite
def batches(draw):
    count = draw(st.integers(0, 12))
    return Batch(
        wants=Wants(
            needs=Resources(
                cpu=draw(st.integers(0, 700)),
                memory=draw(st.integers(0, 700)),
                ports=draw(st.sampled_from([(), (80,), (80, 81)])),
            ),
            group="service:web",
            distinct=draw(st.booleans()),
        ),
        count=count,
        strategies=tuple(draw(st.lists(st.sampled_from(STRATEGIES), max_size=5))),
        numbers=tuple(draw(st.lists(st.integers(0, 2**32 - 1), min_size=count, max_size=count))),
    )


@given(clusters(), batches())
def test_no_host_is_over_promised_and_nothing_is_given_up_early(view, batch):
    placements = place(batch, view)
    assert len(placements.chosen) + placements.unplaced.count == batch.count
    after = view
    for arn in placements.chosen:
        assert obstacle(batch.wants, after.hosts[arn]) is None
        after = after.with_promises(batch.wants.needs, batch.wants.group, [arn])
    if placements.unplaced.count:
        found = {one.instance: one.obstacle for one in placements.unplaced.hindrances}
        assert set(found) == set(view.hosts)
        for arn, load in after.hosts.items():
            assert obstacle(batch.wants, load) == found[arn]


def by_hand(batch, view):
    """The hosts that the rule names, each found by looking at all of them."""
    after, chosen = view, []
    group = batch.wants.group
    while len(chosen) < batch.count:
        left = [x for x in after.hosts.values() if obstacle(batch.wants, x) is None]
        if not left:
            break
        chain = list(levels(batch.strategies))
        seen = []
        while chain and {level.kind for level in chain} & {"attribute"}:
            level = chain.pop(0)
            if level.kind == "attribute":
                seen.append(level.attribute)
                left = least(
                    left,
                    lambda x, names=tuple(seen): [x.attributes.get(name, "") for name in names],
                    after,
                    group,
                )
            elif level.kind == "instance":
                left = of_least(left, lambda x: x.groups.get(group, 0))
            else:
                left = of_least(left, lambda x, kind=level.kind: getattr(x, kind))
        for level in chain:
            kind = level.kind
            left = of_least(
                left, lambda x, k=kind: x.groups.get(group, 0) if k == "instance" else getattr(x, k)
            )
        best = min(left, key=lambda x: (x.groups.get(group, 0), x.tasks, x.instance.arn))
        chosen.append(best.instance.arn)
        after = after.with_promises(batch.wants.needs, group, chosen[-1:])
    return chosen


def of_least(hosts, figure):
    return [x for x in hosts if figure(x) == min(map(figure, hosts))]


def least(hosts, values, view, group):
    """The hosts of the group with the fewest tasks, counted on all hosts that stay."""
    tasks = Counter()
    for x in view.hosts.values():
        if x.instance.status == "ACTIVE" and x.instance.lost_at is None:
            tasks[tuple(values(x))] += x.groups.get(group, 0)
    best = min({tuple(values(x)) for x in hosts}, key=lambda key: (tasks[key], key))
    return [x for x in hosts if tuple(values(x)) == best]


@given(clusters(), batches())
def test_it_is_the_host_that_the_rule_names(view, batch):
    kept = tuple(one for one in batch.strategies if one.type != "random")
    batch = evolve(batch, strategies=kept)
    assert list(place(batch, view).chosen) == by_hand(batch, view)


@given(clusters(), st.lists(batches(), max_size=4))
def test_kept_orders_choose_as_a_look_at_every_host_does(view, several):
    orders, now = Orders(), view
    for batch in several:
        placed = place(batch, ClusterView(now.hosts, now.kept, orders))
        assert placed == place(batch, ClusterView(now.hosts))
        now = now.with_promises(batch.wants.needs, batch.wants.group, placed.chosen)
        for arn in placed.chosen:
            orders.changed(arn)


@given(clusters(), batches())
def test_the_same_question_has_the_same_answer_whatever_the_order_of_the_hosts(view, batch):
    turned = type(view)(dict(reversed(view.hosts.items())))
    assert sorted(place(batch, turned).chosen) == sorted(place(batch, view).chosen) or any(
        one.type == "random" for one in batch.strategies
    )


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=8),
    st.integers(0, 40),
)
def test_spreads_differ_by_one_at_most_where_there_is_room(zones, count):
    view = cluster_view([an_instance(f"h{n}", zone=zone) for n, zone in enumerate(zones)], [])
    wants = Wants(needs=Resources(cpu=1, memory=1), group="service:web")
    chosen = place(Batch(wants=wants, count=count), view).chosen
    assert len(chosen) == count
    by_zone = Counter(dict.fromkeys(zones, 0))
    by_zone.update(view.hosts[arn].instance.zone for arn in chosen)
    assert max(by_zone.values()) - min(by_zone.values()) <= 1
    by_host = Counter(chosen)
    for zone in set(zones):
        within = [by_host[arn] for arn, load in view.hosts.items() if load.instance.zone == zone]
        assert max(within) - min(within) <= 1


@given(clusters(), st.integers(1, 10))
def test_binpack_always_takes_the_fullest_host_that_fits(view, count):
    wants = Wants(needs=Resources(cpu=100, memory=100), group="service:web")
    strategies = (PlacementStrategy(type="binpack", field="memory"),)
    after = view
    for arn in place(Batch(wants=wants, count=count, strategies=strategies), view).chosen:
        fits = [load for load in after.hosts.values() if obstacle(wants, load) is None]
        assert after.hosts[arn].memory == min(load.memory for load in fits)
        after = after.with_promises(wants.needs, wants.group, [arn])
