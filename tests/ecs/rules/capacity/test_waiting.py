"""Room is found first come first served; who does not fit stops nobody behind."""

from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Provisioning
from moorage.ecs.rules.capacity.waiting import find_room, gave_up, limit_reached
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.instant import minutes
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import NOW, a_task, an_instance, instance_arn


def waiting(name, cpu, provider="cp"):
    task = evolve(
        a_task(name * 8),
        instance="",
        last_status="PROVISIONING",
        capacity_provider=provider,
        provisioning=Provisioning(until=NOW),
    )
    return task, Wants(needs=Resources(cpu=cpu), group="family:web")


def test_the_small_pass_the_large_and_the_first_come_first():
    view = cluster_view(
        [
            an_instance("h1", cpu=1024, capacity_provider="cp"),
            an_instance("h2", cpu=9999, capacity_provider=""),
        ],
        [],
    )
    queue = [waiting("a", 4096), waiting("b", 600), waiting("c", 600), waiting("d", 400)]
    found = find_room(queue, view)
    arns = {task.arn: task.id[0] for task, _ in queue}
    assert {arns[arn]: host for arn, host in found.places.items()} == {
        "b": instance_arn("h1"),
        "d": instance_arn("h1"),
    }
    assert sorted(arns[arn] for arn in found.reasons) == ["a", "c"]
    assert all("insufficient CPU" in why for why in found.reasons.values())


@given(
    st.lists(
        st.tuples(
            st.sampled_from([200, 300, 700]), st.sampled_from(["cp", "other"]), st.booleans()
        ),
        max_size=14,
    ),
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
)
def test_asked_at_once_they_find_what_they_find_one_by_one(asked, sizes):
    view = cluster_view(
        [
            an_instance(f"h{at}", cpu=256 * size, capacity_provider="cp" if at % 3 else "other")
            for at, size in enumerate(sizes)
        ],
        [],
    )
    queue = []
    for at, (cpu, provider, packed) in enumerate(asked):
        task, wants = waiting(f"{at:02d}", cpu, provider)
        chain = [PlacementStrategy(type="binpack", field="cpu")] if packed else []
        after = evolve(task.provisioning, placement_strategy=chain)
        queue.append((evolve(task, provisioning=after), wants))
    found = find_room(queue, view)
    assert found.places.keys() | found.reasons.keys() == {task.arn for task, _ in queue}
    for task, wants in queue:
        alone = find_room([(task, wants)], view)
        assert alone.places.get(task.arn) == found.places.get(task.arn)
        view = view.with_promises(wants.needs, wants.group, alone.places.values())


def test_without_a_host_the_reason_says_so():
    task, wants = waiting("a", 1, "other")
    found = find_room([(task, wants)], cluster_view([an_instance("h1")], []))
    assert found.reasons == {
        task.arn: "Reason: No Container Instances were found in your capacity provider."
    }


def test_sentences():
    assert "600 s in PROVISIONING" in gave_up("cp", minutes(10), "No room.")
    assert gave_up("cp", minutes(10), "No room.").endswith("capacity provider cp. No room.")
    assert "in this cluster: 500." in limit_reached(500)
