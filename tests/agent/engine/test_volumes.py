"""Volumes and cgroups: which there are, their names, and what makes them."""

import pytest

from moorage.acs.task_messages import DockerVolume, HostVolume, MountPoint, Volume
from moorage.agent.engine.instructions import (
    CreateCgroup,
    CreateVolume,
    RemoveCgroup,
    RemoveVolume,
)
from moorage.agent.engine.volumes import flaw, making, removing, resources
from moorage.agent.records.task import TaskRecord
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import HOST, START, arn

OWN = "ecs-fam-1-data-000000000001"
NO_LIMITS = evolve(HOST, cgroup_root=None)


def docker(**members) -> Volume:
    return Volume(name="data", type="docker", docker_volume_configuration=DockerVolume(**members))


@pytest.mark.parametrize(
    ("volume", "name", "kept"),
    [
        (Volume(name="data"), OWN, False),
        (Volume(name="data", host=HostVolume(source_path="")), OWN, False),
        (docker(scope="task"), OWN, False),
        (docker(scope="shared", autoprovision=True), "data", True),
        (docker(scope="shared"), None, False),
        (Volume(name="data", host=HostVolume(source_path="/srv")), None, False),
    ],
)
def test_which_volumes_are_made(volume, name, kept):
    found = resources(a_task(volumes=(volume,)), NO_LIMITS)
    assert [(r.name, r.kept) for r in found] == ([] if name is None else [(name, kept)])


def test_the_cgroup_comes_first():
    task = a_task(volumes=(Volume(name="data"),), cpu=0.25, memory=32)
    assert [r.kind for r in resources(task, HOST)] == ["cgroup", "volume"]


def test_what_makes_and_removes_them():
    volume = docker(scope="task", driver="local", driver_opts={"o": "1"}, labels={"a": "b"})
    task = a_task(volumes=(volume,), cpu=0.25, memory=32)
    cgroup, own = resources(task, HOST)
    record = TaskRecord(task=task, desired="RUNNING", containers=(), received_at=START)
    assert making(record, cgroup, HOST) == CreateCgroup(
        task_arn=arn(1), name=cgroup.name, cpu=0.25, memory_mebibytes=32
    )
    assert making(record, own, HOST) == CreateVolume(
        task_arn=arn(1),
        name=OWN,
        driver="local",
        driver_options={"o": "1"},
        labels={"a": "b", "com.amazonaws.ecs.task-arn": arn(1), "moorage.host": "h1"},
    )
    assert removing(record, cgroup) == RemoveCgroup(task_arn=arn(1), name=cgroup.name)
    assert removing(record, own) == RemoveVolume(task_arn=arn(1), name=OWN)


def test_a_shared_volume_belongs_to_nobody():
    task = a_task(volumes=(docker(scope="shared", autoprovision=True),))
    (shared,) = resources(task, NO_LIMITS)
    record = TaskRecord(task=task, desired="RUNNING", containers=(), received_at=START)
    made = making(record, shared, HOST)
    assert isinstance(made, CreateVolume)
    assert made.labels == {}


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (Volume(), "has no name"),
        (Volume(name="data", type="efs"), "the type efs"),
        (docker(scope="task", autoprovision=True), "could not be autoprovisioned"),
        (Volume(name="other"), "mounts data, which is no volume"),
        (Volume(name="data"), None),
    ],
)
def test_impossible_volumes_are_found(volume, said):
    mounts = (MountPoint(source_volume="data", container_path="/d"),)
    found = flaw(a_task(a_container(mount_points=mounts), volumes=(volume,)))
    assert (found is None) if said is None else (found is not None and said in found)
