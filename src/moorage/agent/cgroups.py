"""Limits of whole tasks: a parent cgroup for the containers of a task.

Three ways, by what the engine says of itself: cgroup v1 and v2 as directories (driver cgroupfs),
and systemd slices (driver systemd). Docker puts a container under the parent that is named in
`HostConfig.CgroupParent` and removes nothing of it afterwards; that is ours to do.
"""

import asyncio
import errno
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from moorage.agent.runtime.port import EngineFacts

MOUNT = Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 100_000
BYTES_PER_MEBIBYTE = 1 << 20
SYSTEMCTL_SECONDS_MAX = 10.0
DEPTH_MAX = 8
_LIMITED = ("cpu", "memory")
_NAME = re.compile(r"/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*", re.ASCII)
_SLICE_FOREIGN = re.compile(r"[^A-Za-z0-9_.]", re.ASCII)


class CgroupRefused(Exception):  # noqa: N818 - shown as the task's reason
    """The cgroup could not be made or removed; the text says why."""


class Cgroups(Protocol):
    """Parent cgroups on this machine; names are paths such as `/moorage/HOST/TASK`."""

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        """Make it, or set the limits of the one that is there; raises CgroupRefused.

        `cpu` in cores; None for no limit.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove it; nothing happens where it is gone. Raises CgroupRefused while it is in use."""
        ...

    def parent(self, name: str) -> str:
        """What `HostConfig.CgroupParent` must say for it."""
        ...


class _Directories:
    """What v1 and v2 share: a cgroup is a directory in one or several trees."""

    def __init__(self, trees: Sequence[Path]) -> None:
        self.trees = tuple(trees)

    async def remove(self, name: str) -> None:
        """Remove the directory from all trees, and those below it that hold nothing."""
        for tree in self.trees:
            folder = tree / _checked(name).lstrip("/")
            try:
                below = sorted((p for p in folder.glob("*/") if p.is_dir()), reverse=True)
                for path in (*below, folder):
                    path.rmdir()
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise CgroupRefused(f"cannot remove the cgroup {folder}: {error}") from error

    def parent(self, name: str) -> str:
        """The path itself."""
        return _checked(name)


class CgroupsOne(_Directories):
    """Version 1: a tree for each controller."""

    def __init__(self, mount: Path = MOUNT) -> None:
        """Use the trees below `mount`."""
        super().__init__([p for p in sorted(mount.glob("*")) if (p / "tasks").exists()])
        self.mount = mount

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        """Make it in the trees of the controllers that limit."""
        path = _checked(name).lstrip("/")
        memory = -1 if memory_mebibytes is None else memory_mebibytes * BYTES_PER_MEBIBYTE
        quota = -1 if cpu is None else max(round(cpu * PERIOD_MICROSECONDS), 1000)
        try:
            for controller in _LIMITED:
                (self.mount / controller / path).mkdir(parents=True, exist_ok=True)
            _write(self.mount / "cpu" / path / "cpu.cfs_period_us", PERIOD_MICROSECONDS)
            _write(self.mount / "cpu" / path / "cpu.cfs_quota_us", quota)
            _write(self.mount / "memory" / path / "memory.limit_in_bytes", memory)
        except OSError as error:
            raise CgroupRefused(f"cannot make the cgroup {name}: {error}") from error


class CgroupsTwo(_Directories):
    """Version 2: one tree; controllers are handed down from parent to child."""

    def __init__(self, mount: Path = MOUNT) -> None:
        """Use the tree at `mount`."""
        super().__init__([mount])
        self.mount = mount

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        """Make it, with cpu and memory handed down to it and to its children."""
        folder = self.mount / _checked(name).lstrip("/")
        memory = "max" if memory_mebibytes is None else memory_mebibytes * BYTES_PER_MEBIBYTE
        quota = "max" if cpu is None else max(round(cpu * PERIOD_MICROSECONDS), 1000)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            steps = list(reversed(folder.relative_to(self.mount).parents))[:DEPTH_MAX]
            for step in steps:
                _write(self.mount / step / "cgroup.subtree_control", "+cpu +memory")
            _write(folder / "cpu.max", f"{quota} {PERIOD_MICROSECONDS}")
            _write(folder / "memory.max", memory)
        except OSError as error:
            raise CgroupRefused(f"cannot make the cgroup {name}: {error}") from error


class Slices:
    """With Docker's systemd driver a parent is a slice; systemd owns the tree."""

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        """Start the slice and set its limits for as long as the machine runs."""
        unit = self.parent(name)
        quota = "" if cpu is None else f"{max(round(cpu * 100), 1)}%"
        memory = "infinity" if memory_mebibytes is None else f"{memory_mebibytes}M"
        await self._systemctl("start", unit)
        await self._systemctl(
            "set-property", "--runtime", unit, f"CPUQuota={quota}", f"MemoryMax={memory}"
        )

    async def remove(self, name: str) -> None:
        """Stop the slice, and forget its limits."""
        unit = self.parent(name)
        await self._systemctl("stop", unit)
        await self._systemctl("revert", unit)

    def parent(self, name: str) -> str:
        """`/a/b/c` is `a-b-c.slice`: a dash in a slice's name means a level (systemd.slice(5))."""
        levels = _checked(name).strip("/").split("/")
        return "-".join(_SLICE_FOREIGN.sub("_", level) for level in levels) + ".slice"

    async def _systemctl(self, *arguments: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                "systemctl",
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise CgroupRefused(f"systemctl: {error}") from error
        try:
            async with asyncio.timeout(SYSTEMCTL_SECONDS_MAX):
                _, complaint = await process.communicate()
        except TimeoutError as error:
            process.kill()
            raise CgroupRefused(f"systemctl {arguments[0]} did not end in time") from error
        if process.returncode:
            raise CgroupRefused(f"systemctl {arguments[0]}: {complaint.decode().strip()}")


async def find_cgroups(facts: EngineFacts, probe: str, mount: Path = MOUNT) -> Cgroups | None:
    """The way that works on this machine, tried with the cgroup `probe`; None where none does.

    `probe` is nobody else's, so that agents which begin at once do not take it from each other.
    """
    directories = CgroupsTwo if facts.cgroup_version == "2" else CgroupsOne
    cgroups: Cgroups = Slices() if facts.cgroup_driver == "systemd" else directories(mount)
    try:
        await cgroups.create(probe, 1.0, 64)
        await cgroups.remove(probe)
    except CgroupRefused:
        return None
    return cgroups


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None or ".." in name.split("/"):
        raise CgroupRefused(f"{name} is not the path of a cgroup")
    return name


def _write(path: Path, value: object) -> None:
    path.write_text(f"{value}\n", "ascii")
