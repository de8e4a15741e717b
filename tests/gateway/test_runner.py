"""The runner: every key once at the start, then what changes and timers make due; never twice."""

import asyncio
import threading
from collections import Counter

from moorage.gateway.runner import RETRY_SECONDS, Runner
from moorage.ground.instant import later, seconds
from moorage.kernel.controller import controller
from moorage.sql.transaction import Change, StoreFailed
from tests.gateway.ground import Desk, until


class Scene:
    """A runner over controllers of the test's own."""

    def __init__(self, *controllers) -> None:
        self.desk = Desk()
        self.runner = Runner(self.desk.database, self.desk.clock, self.desk.house.site, controllers)
        self.desk.database.watch(self.runner.changed)
        self.task = None

    def start(self):
        self.task = asyncio.create_task(self.runner.run())

    def wake(self, *keys, kind="thing"):
        self.desk.house.write(lambda call: [call.tx.wake(kind, key) for key in keys])


def told(story, *controllers):
    async def run():
        scene = Scene(*controllers)
        try:
            await story(scene)
        finally:
            scene.runner.stop()
            if scene.task is not None:
                await asyncio.wait_for(scene.task, 5)
            scene.desk.close()

    asyncio.run(run())


def noting(turns, keys=(), *, kind="thing", then=None, name=None):
    """A controller that notes its turns; `then(turn, key)` is its answer."""

    def body(turn, key):
        turns.append(key)
        return then(turn, key) if then else None

    body.__name__ = name or f"noting_{kind}"
    return controller(kind=kind, keys=lambda _: keys)(body)


def test_every_key_is_due_once_at_the_start():
    turns = []

    async def story(scene):
        scene.start()
        await until(lambda: len(turns) == 40)
        await asyncio.sleep(0.05)
        assert Counter(turns) == {str(number): 1 for number in range(40)}

    told(story, noting(turns, [str(number) for number in range(40)]))


def test_a_change_does_not_wait_until_everything_was_looked_at():
    turns = []

    def change(turn, key):
        if key == "0":
            turn.tx.wake("thing", "changed")

    async def story(scene):
        scene.start()
        await until(lambda: len(turns) == 1001)
        assert turns.index("changed") < 100

    told(story, noting(turns, [str(number) for number in range(1000)], then=change))


def test_a_change_wakes_every_controller_of_its_kind_and_no_other():
    first, second, other = [], [], []

    async def story(scene):
        scene.start()
        scene.wake("a", "b")
        await until(lambda: len(first) == len(second) == 2)
        assert other == []

    told(
        story,
        noting(first, name="first"),
        noting(second, name="second"),
        noting(other, kind="other"),
    )


def test_a_start_in_a_time_of_trouble_is_only_late():
    """A database that refused the first read once left a server without its controllers."""
    turns = []

    async def story(scene):
        scene.desk.database.broken = StoreFailed("The disk is full.")
        scene.start()
        await until(lambda: scene.desk.database.reads >= 1)
        scene.desk.database.broken = None
        await until(lambda: turns == ["a"])

    told(story, noting(turns, ["a"]))


def test_a_failing_key_backs_off_and_the_others_go_on():
    turns, well = [], []

    def fail(_turn, _key):
        raise AssertionError("a bug")

    async def story(scene):
        scene.start()
        await until(lambda: turns == ["bad"] and well == ["good"])
        scene.wake("good", kind="well")
        await until(lambda: well == ["good", "good"])
        assert turns == ["bad"], "not before its time"
        for count in (2, 3):
            scene.desk.clock.advance(seconds(RETRY_SECONDS * 2 ** (count - 2)))
            scene.wake("good", kind="well")
            await until(lambda: len(turns) == count)  # noqa: B023 - awaited here

    told(story, noting(turns, ["bad"], then=fail), noting(well, ["good"], kind="well"))


def test_a_key_whose_transaction_was_refused_is_tried_again():
    turns = []

    async def story(scene):
        scene.desk.database.failing = 1
        scene.start()
        await until(lambda: scene.runner._agenda.next_look() is not None, "it is to be tried again")
        assert turns == []
        scene.desk.clock.advance(seconds(RETRY_SECONDS))
        scene.runner._bell.set()
        await until(lambda: turns == ["a"])

    told(story, noting(turns, ["a"]))


def test_a_key_woken_while_it_runs_runs_again_and_never_beside_itself():
    turns = []
    entered, leave = threading.Event(), threading.Event()
    beside = []

    def slow(_turn, _key):
        beside.append(len(turns))
        if len(turns) == 1:
            entered.set()
            leave.wait(5)

    async def story(scene):
        scene.start()
        await until(entered.is_set)
        for _ in range(3):
            scene.runner.changed([Change(kind="thing", key="a")])
        await asyncio.sleep(0.05)
        assert turns == ["a"]
        leave.set()
        await until(lambda: turns == ["a", "a"])
        await asyncio.sleep(0.05)
        assert turns == ["a", "a"]

    told(story, noting(turns, ["a"], then=slow))


def test_a_turn_that_asks_for_another_look_gets_it_when_it_is_time():
    turns = []

    def again(turn, _key):
        return later(turn.now, seconds(60)) if len(turns) < 2 else None

    async def story(scene):
        scene.start()
        await until(lambda: turns == ["a"])
        scene.desk.clock.advance(seconds(59))
        scene.runner._bell.set()
        await asyncio.sleep(0.05)
        assert turns == ["a"]
        scene.desk.clock.advance(seconds(1))
        scene.runner._bell.set()
        await until(lambda: turns == ["a", "a"])

    told(story, noting(turns, ["a"], then=again))


def test_a_stop_lets_the_present_turn_finish_and_starts_no_other():
    turns = []
    entered, leave = threading.Event(), threading.Event()

    def slow(_turn, _key):
        entered.set()
        leave.wait(5)

    async def story(scene):
        scene.start()
        await until(entered.is_set)
        scene.runner.changed([Change(kind="thing", key="late")])
        scene.runner.stop()
        await asyncio.sleep(0.02)
        assert not scene.task.done()
        leave.set()
        await asyncio.wait_for(scene.task, 5)
        assert turns == ["a"]

    told(story, noting(turns, ["a"], then=slow))


def test_a_commit_after_the_end_wakes_nobody():
    kept = []

    async def story(scene):
        kept.append(scene.runner)

    told(story, noting([]))
    kept[0].changed([Change(kind="thing", key="a")])


def test_a_key_rests_after_its_turn_where_turns_take_much_of_the_time():
    turns = []

    async def story(scene):
        scene.start()
        await until(lambda: turns == ["a"])
        scene.wake("a")
        scene.wake("a")
        await asyncio.sleep(0.05)
        assert turns == ["a"], "it rests"
        await until(lambda: turns == ["a", "a"], "what woke it meanwhile is looked at together")

    def tired(turn, key):
        scenes[0].desk.clock.advance(seconds(0.15))

    scenes = []

    async def begun(scene):
        scenes.append(scene)
        await story(scene)

    told(begun, noting(turns, ["a"], then=tired))
