"""GPUs: what is asked for, what is free, and who gets which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.gpus import fewest, free_gpus, gpu_wish, with_gpus
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import (
    ContainerDefinition,
    ResourceRequirement,
    SharingStrategy,
)
from tests.ecs.rules.builders import a_container, a_task, an_instance

GPUS = ("g0", "g1", "g2", "g3")


def a_gpu_host(name="h1", gpus=GPUS):
    host = an_instance(name)
    return evolve(host, resources=evolve(host.resources, gpus=len(gpus), gpu_ids=gpus))


def asking(*wishes, identity="t1", **more):
    containers = tuple(a_container(f"c{n}", gpu_wish=wish) for n, wish in enumerate(wishes))
    return a_task(
        identity,
        containers=containers,
        reserved=Resources(gpus=fewest(wishes), all_gpus="ALL" in wishes),
        **more,
    )


def container(*requirements):
    return ContainerDefinition(name="web", resource_requirements=list(requirements))


@pytest.mark.parametrize(
    ("requirements", "wish"),
    [
        ((), ""),
        ((ResourceRequirement(type="GPU", value="2"),), "2"),
        ((ResourceRequirement(type="GPU", value="ALL"),), "ALL"),
        ((ResourceRequirement(type="NeuronDevice", value="ALL"),), ""),
        ((ResourceRequirement(type="GPU", sharing_strategy=SharingStrategy()),), ""),
    ],
)
def test_wishes(requirements, wish):
    assert gpu_wish(container(*requirements)) == wish


@pytest.mark.parametrize(
    ("wishes", "given"),
    [
        (("1",), [("g0",)]),
        (("2", "1"), [("g0", "g1"), ("g2",)]),
        (("", "2"), [(), ("g0", "g1")]),
        (("ALL",), [GPUS]),
        (("ALL", "1"), [("g0", "g1", "g2"), ("g3",)]),
        (("1", "ALL"), [("g0",), ("g1", "g2", "g3")]),
        (("ALL", "ALL"), [("g0", "g1", "g2"), ("g3",)]),
    ],
)
def test_who_gets_which(wishes, given):
    task = with_gpus(asking(*wishes), GPUS)
    assert [one.gpu_ids for one in task.containers] == given
    assert task.reserved.gpu_ids == tuple(gpu for one in given for gpu in one)
    assert task.reserved.gpus == len(task.reserved.gpu_ids)
    assert not task.reserved.all_gpus


def test_what_is_held_is_not_free_until_its_task_is_stopped():
    host = a_gpu_host()
    held = with_gpus(asking("2"), GPUS)
    assert free_gpus(host, [held]) == ("g2", "g3")
    assert free_gpus(host, [evolve(held, last_status="STOPPED")]) == GPUS


def test_a_task_that_wants_all_has_a_host_to_itself():
    view = cluster_view([a_gpu_host("h1"), a_gpu_host("h2")], [])
    wants = Wants(needs=Resources(gpus=1, all_gpus=True), group="family:x")
    placed = place(Batch(wants=wants, count=3), view)
    assert len(set(placed.chosen)) == 2
    assert placed.unplaced.count == 1
    assert {one.obstacle.reason for one in placed.unplaced.hindrances} == {"RESOURCE:GPU"}


@given(st.lists(st.sampled_from(["1", "2", "ALL"]), max_size=8))
def test_no_gpu_is_given_twice_and_counts_agree_with_ids(wishes):
    host, tasks = a_gpu_host(), []
    for number, wish in enumerate(wishes):
        view = cluster_view([host], tasks)
        task = asking(wish, identity=f"t{number}")
        wants = Wants(needs=task.reserved, group="family:x")
        free = free_gpus(host, tasks)
        assert view.hosts[host.arn].gpus == len(free)
        if place(Batch(wants=wants, count=1), view).chosen:
            tasks.append(with_gpus(task, free))
    held = [gpu for task in tasks for gpu in task.reserved.gpu_ids]
    assert len(set(held)) == len(held)
    assert set(held) <= set(GPUS)
