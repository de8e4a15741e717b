"""What the process table shows under a number."""

import os
from pathlib import Path

import pytest

from moorage.agent.engine.ghosts import Sight
from moorage.agent.process_table import Processes, booted_at
from moorage.ground.instant import Instant, from_epoch

ID = "c" * 64


def process(root: Path, pid: int, *, state: str = "S", began: int = 100, cgroup: str = ID) -> None:
    folder = root / str(pid)
    folder.mkdir(exist_ok=True)
    fields = [state, *("1" for _ in range(18)), str(began), "0"]
    (folder / "stat").write_text(f"{pid} (a name) with) {' '.join(fields)}\n")
    (folder / "cgroup").write_text(f"1:cpu:/docker/{cgroup}\n0::/docker/{cgroup}\n")


@pytest.mark.parametrize(
    ("members", "sight"),
    [
        ({}, Sight.THERE),
        ({"cgroup": "moorage/h1/t1/" + ID}, Sight.THERE),
        ({"cgroup": f"docker-{ID}.scope"}, Sight.THERE),
        ({"cgroup": "another"}, Sight.UNCLEAR),
        ({"state": "Z"}, Sight.GONE),
        ({"state": "X"}, Sight.GONE),
        ({"state": "D"}, Sight.THERE),
    ],
)
def test_a_process_is_a_containers_by_its_cgroup(tmp_path: Path, members, sight) -> None:
    process(tmp_path, 7, **members)
    assert Processes(tmp_path).see(7, ID) is sight


def test_no_process_is_gone_and_no_number_says_nothing(tmp_path: Path) -> None:
    assert Processes(tmp_path).see(7, ID) is Sight.GONE
    assert Processes(tmp_path).see(0, ID) is Sight.UNCLEAR


def test_a_number_that_is_in_use_again_is_another_process(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    process(tmp_path, 7)
    assert processes.see(7, ID) is Sight.THERE
    process(tmp_path, 7, began=200, cgroup="another")
    assert processes.see(7, ID) is Sight.GONE
    processes.forget(frozenset({"others"}))
    assert processes.see(7, ID) is Sight.UNCLEAR


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").mkdir()
    (tmp_path / "8").mkdir()
    (tmp_path / "8" / "stat").write_text("8 (short) S 1")
    (tmp_path / "8" / "cgroup").write_text(ID)
    assert Processes(tmp_path).see(7, ID) is Sight.UNCLEAR
    assert Processes(tmp_path).see(8, ID) is Sight.UNCLEAR


@pytest.mark.parametrize(
    ("stat", "told"),
    [
        ("cpu 1 2\nbtime 1800000000\nprocesses 3\n", from_epoch(1_800_000_000)),
        ("cpu 1 2\n", None),
        ("btime soon\n", None),
    ],
)
def test_when_the_machine_came_up(tmp_path: Path, stat: str, told: Instant | None) -> None:
    (tmp_path / "stat").write_text(stat)
    assert booted_at(tmp_path) == told
    assert booted_at(tmp_path / "absent") is None


def test_this_very_process_is_in_some_cgroup() -> None:
    (first, *_) = Path("/proc/self/cgroup").read_text().splitlines()
    assert Processes().see(os.getpid(), first.rpartition(":")[2]) is Sight.THERE
