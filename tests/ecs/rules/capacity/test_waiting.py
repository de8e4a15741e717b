"""Room is found first come first served; who does not fit stops nobody behind."""

from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Provisioning
from moorage.ecs.rules.capacity.waiting import find_room, gave_up, limit_reached
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.instant import minutes
from moorage.ground.record import evolve
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


def test_without_a_host_the_reason_says_so():
    task, wants = waiting("a", 1, "other")
    found = find_room([(task, wants)], cluster_view([an_instance("h1")], []))
    assert found.reasons == {task.arn: "Reason: No Container Instances were found in your cluster."}


def test_sentences():
    assert "600 s in PROVISIONING" in gave_up("cp", minutes(10), "No room.")
    assert gave_up("cp", minutes(10), "No room.").endswith("capacity provider cp. No room.")
    assert "in this cluster: 500." in limit_reached(500)
