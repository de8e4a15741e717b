"""Limits of whole tasks: on directories that look like cgroups, and on the real ones."""

import asyncio
from pathlib import Path

import pytest

from moorage.agent.cgroups import (
    MOUNT,
    CgroupRefused,
    CgroupsOne,
    CgroupsTwo,
    Slices,
    find_cgroups,
)
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.port import EngineFacts
from moorage.ground.chance import SystemChance
from tests.contract.container_runtime import Desk

FACTS = EngineFacts(engine_id="E", version="20", api_version="1.41")


def one(mount: Path) -> CgroupsOne:
    for controller in ("cpu", "memory", "pids"):
        (mount / controller).mkdir(parents=True)
        (mount / controller / "tasks").touch()
    return CgroupsOne(mount)


def test_version_one_limits_in_each_tree(tmp_path: Path) -> None:
    asyncio.run(one(tmp_path).create("/moorage/h/t", 0.5, 64))
    assert (tmp_path / "cpu/moorage/h/t/cpu.cfs_quota_us").read_text() == "50000\n"
    assert (tmp_path / "cpu/moorage/h/t/cpu.cfs_period_us").read_text() == "100000\n"
    assert (tmp_path / "memory/moorage/h/t/memory.limit_in_bytes").read_text() == "67108864\n"


def test_version_two_hands_its_controllers_down(tmp_path: Path) -> None:
    asyncio.run(CgroupsTwo(tmp_path).create("/moorage/h/t", 1.5, None))
    assert (tmp_path / "moorage/h/t/cpu.max").read_text() == "150000 100000\n"
    assert (tmp_path / "moorage/h/t/memory.max").read_text() == "max\n"
    for level in ("", "moorage", "moorage/h"):
        assert (tmp_path / level / "cgroup.subtree_control").read_text() == "+cpu +memory\n"
    assert not (tmp_path / "moorage/h/t/cgroup.subtree_control").exists()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("/moorage/h1/0a", "moorage-h1-0a.slice"),
        ("/moorage/a-b/0a", "moorage-a_b-0a.slice"),
    ],
)
def test_a_slice_is_named_by_its_levels(name: str, unit: str) -> None:
    assert Slices().parent(name) == unit


@pytest.mark.parametrize("name", ["", "/", "moorage/x", "/moorage/../x", "/a/..", "/a b", "/a//b"])
def test_what_is_no_path_of_a_cgroup_is_refused(tmp_path: Path, name: str) -> None:
    for cgroups in (one(tmp_path / "1"), CgroupsTwo(tmp_path / "2"), Slices()):
        with pytest.raises(CgroupRefused):
            asyncio.run(cgroups.create(name, 1.0, 64))


def test_where_no_way_works_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "moorage").write_text("in the way")
    assert asyncio.run(find_cgroups(FACTS, "/moorage/h", tmp_path)) is None


def read_limit(path: str, version: str) -> int:
    if version == "2":
        return int((MOUNT / path.lstrip("/") / "memory.max").read_text())
    return int((MOUNT / "memory" / path.lstrip("/") / "memory.limit_in_bytes").read_text())


@pytest.mark.engine
def test_containers_run_below_their_tasks_limits(engine_socket: str) -> None:
    async def story() -> None:
        async with DockerRuntime(engine_socket) as runtime:
            facts = await runtime.describe()
            root = f"/moorage-test/{SystemChance().hex(8)}"
            cgroups = await find_cgroups(facts, f"{root}/probe")
            assert cgroups is not None
            name = f"{root}/task"
            await cgroups.create(name, 0.5, 48)
            await cgroups.create(name, 0.5, 48)
            assert read_limit(name, facts.cgroup_version) == 48 << 20
            desk = Desk(runtime)
            container = await desk.run(HostConfig={"CgroupParent": cgroups.parent(name)})
            found = await runtime.inspect(container)
            assert found is not None
            inside = await asyncio.to_thread(Path(f"/proc/{found.pid}/cgroup").read_text)
            assert f"{name}/{container}" in inside
            with pytest.raises(CgroupRefused):
                await cgroups.remove(name)
            await runtime.remove("container", container)
            await cgroups.remove(name)
            await cgroups.remove(name)
            await cgroups.remove(root)
            await cgroups.remove("/moorage-test")

    asyncio.run(story())
