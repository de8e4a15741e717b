"""The round finds what the engine did not tell, and what it tells wrongly."""

import asyncio
from pathlib import Path

import pytest

from moorage.agent.engine.ghosts import Sight
from moorage.agent.engine.lifecycle import GHOST
from moorage.agent.patrol import INSPECTIONS_MAX, MUTE, PATROL_PERIOD_SECONDS
from moorage.agent.runtime.memory_engine import MemoryEngine, Script, plays
from moorage.agent.runtime.port import CannotRemove, EngineUnavailable
from moorage.agent.vigil import Rhythm
from moorage.agent.watching import Timing
from moorage.ground.clock import SystemClock
from moorage.ground.instant import seconds
from tests.agent.rig import Rig, stocked, task

QUICK = Timing(
    rhythm=Rhythm(period_seconds=0.1, answer_seconds=1.0, return_seconds=0.02), patrol_seconds=0.03
)
SLOW = EngineUnavailable("slow", timed_out=True)


class Table:
    """A process table: everything is there, but for the containers that are said to be gone."""

    def __init__(self, *, sees: bool = True) -> None:
        self.gone: set[str] = set()
        self.sees = sees
        self.looked = 0

    def see(self, pid: int, container: str) -> Sight:
        del pid
        self.looked += 1
        return Sight.THERE if self.sees and container not in self.gone else Sight.GONE

    def forget(self, kept: frozenset[str]) -> None:
        self.gone &= kept


def tell(story, folder: Path, engine: MemoryEngine | None = None, table: Table | None = None):
    rig = Rig(folder, engine or stocked(), QUICK, table or Table())

    async def whole() -> None:
        async with rig.running():
            await story(rig)

    asyncio.run(whole())
    return rig


def first(rig: Rig) -> str:
    return next(iter(rig.runtime.engine.containers))


def test_an_end_that_no_event_told_of_is_found(tmp_path: Path, caplog) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        rig.runtime.fall_silent()
        await rig.runtime.exit(first(rig), 3)
        await rig.until(lambda: ["RUNNING", "STOPPED"] in (rig.told(1), rig.told(2)))
        await rig.until(lambda: "fell silent" in caplog.text)
        (other,) = (c.id for c in rig.runtime.engine.containers.values() if c.status == "running")
        await rig.until(lambda: rig.observer.heard(first(rig)))
        await rig.runtime.exit(other, 4)
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING", "STOPPED"])
        await rig.until(lambda: rig.observer.heard(other))

    rig = tell(story, tmp_path)
    assert sorted(r.containers[0].exit_code for r in rig.reports if r.status == "STOPPED") == [3, 4]


def test_a_container_that_vanished_untold_is_found(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])
        rig.runtime.fall_silent()
        rig.runtime.engine.remove_container(first(rig), SystemClock().now())
        await rig.until(lambda: rig.told() == ["RUNNING", "STOPPED"])

    tell(story, tmp_path)


def test_a_ghost_is_stopped_and_removed_and_its_neighbour_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table()

    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        looked = table.looked
        await rig.until(lambda: table.looked > looked + 2)
        table.gone.add(first(rig))
        await rig.until(lambda: len(rig.runtime.engine.containers) == 1)

    rig = tell(story, tmp_path, table=table)
    (stopped,) = (report for report in rig.reports if report.status == "STOPPED")
    assert (stopped.reason, stopped.containers[0].reason) == (GHOST, GHOST)
    assert stopped.containers[0].exit_code is None
    assert "is a ghost" in caplog.text
    assert not [status for status in rig.statuses if status.impaired]


def test_a_ghost_that_cannot_be_removed_impairs_its_host(tmp_path: Path) -> None:
    table = Table()

    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        await rig.until(lambda: table.looked > 2)
        for _ in range(2):
            rig.runtime.fail("remove", CannotRemove("driver failed to remove root filesystem"))
        table.gone.add(first(rig))
        await rig.until(lambda: any(status.impaired for status in rig.statuses))
        await rig.until(lambda: not rig.statuses[-1].impaired)
        assert len(rig.runtime.engine.containers) == 1

    said = [status.reason for status in tell(story, tmp_path, table=table).statuses]
    assert said[0] is not None
    assert said[0].startswith("ContainerStuck: container web of task ")
    assert "root filesystem" in said[0]
    assert said[-1] is None


def test_where_nothing_can_be_seen_the_engines_word_is_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table(sees=False)

    async def story(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])
        await rig.until(lambda: table.looked > 6)
        assert rig.told() == ["RUNNING"]

    tell(story, tmp_path, table=table)
    assert caplog.text.count("cannot be seen from here") == 1


def test_an_engine_that_pings_and_lists_nothing_is_lost(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        for _ in range(3):
            rig.runtime.fail("roster", SLOW)
        await rig.until(lambda: len(rig.statuses) == 2)

    lost, back = tell(story, tmp_path).statuses
    assert (lost.impaired, back.impaired) == (True, False)
    assert lost.reason == f"EngineLost: {MUTE}"


def test_one_list_that_fails_is_no_loss(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.runtime.fail("roster", SLOW)
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])
        await asyncio.sleep(0.2)

    assert tell(story, tmp_path).statuses == []


def test_a_container_that_cannot_be_shown_hides_no_other(tmp_path: Path) -> None:
    engine = stocked()

    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        engine.unreadable.add(min(engine.containers))

    async def go_on(rig: Rig) -> None:
        rig.give(task(3))
        await rig.until(lambda: rig.told(3) == ["RUNNING"])
        await rig.runtime.exit(sorted(engine.containers)[1], 5)
        await rig.until(lambda: ["STOPPED"] in (rig.told(1), rig.told(2)))
        await asyncio.sleep(0.1)
        assert sorted(map(len, (rig.told(1), rig.told(2)))) == [0, 1]

    tell(story, tmp_path, engine)
    rig = tell(go_on, tmp_path, engine)
    assert not [status for status in rig.statuses if status.impaired]


def test_the_price_of_a_round_is_one_call_however_many_run(tmp_path: Path) -> None:
    count = 100
    engine = stocked(plays(Script(runs=seconds(600))))

    async def story(rig: Rig) -> None:
        rig.give(*(task(number) for number in range(1, count + 1)))
        await rig.until(lambda: all(rig.told(n) == ["RUNNING"] for n in range(1, count + 1)))
        for _ in range(count // INSPECTIONS_MAX + 2):
            await rig.patrol.go()
        before = dict(rig.runtime.calls)
        await rig.patrol.go()
        made = {name: n - before.get(name, 0) for name, n in rig.runtime.calls.items()}
        assert {name: n for name, n in made.items() if n} == {"roster": 1}

    tell(story, tmp_path, engine)
    assert PATROL_PERIOD_SECONDS == 10.0
