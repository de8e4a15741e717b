"""Post-mortems from a virtual engine: read, kept, told; patient, bounded, and in nobody's way."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from moorage.agent import post_mortems as module
from moorage.agent.engine.instructions import GatherPostMortem
from moorage.agent.post_mortems import PostMortems, fitting, post_mortem_of, signal_of
from moorage.agent.records.container import RunEnd
from moorage.agent.records.post_mortem import ContainerEnd, PostMortem
from moorage.agent.runtime.port import CannotRead, LogChunk
from moorage.agent.shell import forever
from moorage.agent.tail import Tail
from moorage.ground.fault import Fault, TooLarge, Unavailable, UnknownOperation
from moorage.ground.instant import Instant
from moorage.shapes.moorage.post_mortem import (
    ContainerPostMortem,
    OutputLine,
    SubmitPostMortemRequest,
)
from tests.agent.engine.world import arn

SECONDS_MAX = 10


class Engine:
    """As much of a runtime as a post-mortem needs."""

    def __init__(self) -> None:
        self.printed: dict[str, list[bytes]] = {}
        self.asked: list[tuple[str, int | None]] = []

    async def logs(self, request):
        self.asked.append((request.id, request.tail))
        if request.id == "hangs":
            await asyncio.Event().wait()
        if request.id not in self.printed:
            raise CannotRead("configured logging driver does not support reading")
        for content in self.printed[request.id]:
            yield LogChunk(stream="stdout", content=content, at=Instant(1_000_000))


class Scene:
    """A folder, an engine, and a server that books or refuses."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.engine = Engine()
        self.told: list[SubmitPostMortemRequest] = []
        self.refusals: list[Fault] = []
        self.tries = 0
        self.begin()

    def begin(self) -> None:
        self.kept = PostMortems(self.folder / "pm", self.engine, "default", self.submit)

    async def submit(self, request: SubmitPostMortemRequest) -> None:
        self.tries += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.told.append(request)

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "pm").glob("*.json"))

    @asynccontextmanager
    async def telling(self):
        working = asyncio.ensure_future(forever(self.kept.step))
        try:
            async with asyncio.timeout(SECONDS_MAX):
                yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def until(self, holds) -> None:
        while not holds():  # noqa: ASYNC110 - what is waited for may be anywhere
            await asyncio.sleep(0.005)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def an_end(name: str = "web", **members) -> ContainerEnd:
    return ContainerEnd(name=name, **{"runtime_id": f"id-{name}", "exit_code": 137, **members})


def wanted(number: int = 1, *containers: ContainerEnd, ended: bool = True) -> GatherPostMortem:
    return GatherPostMortem(
        post_mortem=PostMortem(
            task=arn(number),
            ended=ended,
            at=Instant(5_000_000),
            reason="Fenced: so",
            containers=containers or (an_end(),),
        )
    )


def test_it_is_read_kept_and_told(scene):
    scene.engine.printed["id-web"] = [b"hello\n", b"no such database\n"]

    async def story() -> None:
        async with scene.telling():
            done = await scene.kept.gather(wanted())
            assert (done.task_arn, done.ended) == (arn(1), True)
            await scene.until(lambda: scene.told and not scene.files())

    asyncio.run(story())
    (told,) = scene.told
    assert (told.cluster, told.task, told.ended, told.at) == ("default", arn(1), True, 5.0)
    assert told.reason == "Fenced: so"
    (container,) = told.containers
    assert (container.exit_code, container.signal) == (137, 9)
    assert [line.text for line in container.lines] == ["hello", "no such database"]
    assert scene.engine.asked == [("id-web", 201)]


def test_what_cannot_be_read_is_told_of_without(scene, tmp_path):
    async def story() -> None:
        async with scene.telling():
            await scene.kept.gather(wanted(1, an_end(), an_end("gone", runtime_id=None)))
            await scene.until(lambda: scene.told)

    asyncio.run(story())
    web, gone = scene.told[0].containers
    assert "does not support reading" in web.unreadable
    assert (gone.unreadable, gone.lines) == (None, None)


def test_an_engine_that_hangs_delays_it_for_seconds_only(scene):
    scene.engine.printed["id-web"] = [b"fine\n"]

    async def story() -> None:
        async with scene.telling():
            await scene.kept.gather(wanted(1, an_end("slow", runtime_id="hangs"), an_end()))
            await scene.until(lambda: scene.told)

    asyncio.run(story())
    slow, web = scene.told[0].containers
    assert slow.unreadable == module.TOO_SLOW
    assert web.lines[0].text == "fine"


def test_a_task_that_was_healed_is_told_of_without_output(scene):
    async def story() -> None:
        async with scene.telling():
            end = RunEnd(finished_at=Instant(1), exit_code=3, reason="why")
            healed = an_end(healings=2, last_end=end, exit_code=None)
            done = await scene.kept.gather(wanted(1, healed, ended=False))
            assert (done.ended, done.healings) == (False, 2)
            await scene.until(lambda: scene.told)

    asyncio.run(story())
    assert scene.engine.asked == []
    (container,) = scene.told[0].containers
    assert (container.healings, container.last_exit_code, container.last_reason) == (2, 3, "why")


def test_while_the_server_is_away_all_is_kept_and_told_in_order_by_the_next_process(scene):
    scene.refusals = [Unavailable("away") for _ in range(1000)]

    async def before() -> None:
        async with scene.telling():
            for number in (1, 2):
                await scene.kept.gather(wanted(number))
            await scene.until(lambda: scene.tries >= 2)

    asyncio.run(before())
    assert len(scene.files()) == 2
    scene.refusals.clear()
    scene.begin()

    async def after() -> None:
        async with scene.telling():
            await scene.until(lambda: len(scene.told) == 2 and not scene.files())

    asyncio.run(after())
    assert [one.task for one in scene.told] == [arn(1), arn(2)]


def test_a_server_that_is_heard_again_is_told_at_once(scene):
    scene.refusals = [Unavailable("away") for _ in range(1000)]

    async def story() -> None:
        async with scene.telling():
            await scene.kept.gather(wanted())
            await scene.until(lambda: scene.tries >= 3)
            scene.refusals.clear()
            scene.kept.server_heard()
            await scene.until(lambda: scene.told)

    asyncio.run(story())


@pytest.mark.parametrize("refusal", [UnknownOperation("older"), Fault("unknown task")])
def test_what_the_server_will_never_take_is_dropped(scene, refusal):
    if type(refusal) is Fault:
        refusal = type("Refused", (Fault,), {"code": "InvalidParameterException"})("no such task")
    scene.refusals = [refusal]

    async def story() -> None:
        async with scene.telling():
            await scene.kept.gather(wanted())
            await scene.until(lambda: scene.tries and not scene.files())

    asyncio.run(story())
    assert scene.told == []


def test_a_server_that_takes_less_is_told_less(scene):
    scene.engine.printed["id-web"] = [(b"%03d" % n) * 100 + b"\n" for n in range(200)]
    scene.refusals = [TooLarge("too long") for _ in range(6)]

    async def story() -> None:
        async with scene.telling():
            await scene.kept.gather(wanted())
            await scene.until(lambda: scene.told)

    asyncio.run(story())
    (container,) = scene.told[0].containers
    assert container.lines[-1].text.startswith("199")
    assert container.lines_left_out
    assert len(msgspec.json.encode(scene.told[0])) <= module.REQUEST_BYTES_MAX >> 6


def test_a_newer_word_of_a_task_takes_the_place_of_the_older(scene):
    async def story() -> None:
        await scene.kept.gather(wanted(1, an_end(healings=1), ended=False))
        await scene.kept.gather(wanted(1, an_end(healings=1)))
        assert len(scene.files()) == 1
        async with scene.telling():
            await scene.until(lambda: scene.told and not scene.files())

    asyncio.run(story())
    assert [one.ended for one in scene.told] == [True]


def test_only_so_many_are_kept_and_the_newest_stay(scene):
    folder = scene.folder / "pm"
    for number in range(module.FILES_MAX + 5):
        (folder / f"old-{number:04d}.json").write_bytes(b"{}")
    asyncio.run(scene.kept.gather(wanted()))
    assert len(scene.files()) == module.FILES_MAX
    assert any(name.startswith("000000000001") for name in scene.files())


def test_a_torn_file_is_removed(scene):
    (scene.folder / "pm" / "torn.json").write_bytes(b'{"task": ')

    async def story() -> None:
        async with scene.telling():
            await scene.until(lambda: not scene.files())

    asyncio.run(story())
    assert scene.tries == 0


def test_a_disk_that_is_full_loses_it_and_holds_nothing_up(scene):
    (scene.folder / "pm" / f"{arn(1).rpartition('/')[2]}.new").mkdir()
    done = asyncio.run(scene.kept.gather(wanted()))
    assert done.ended
    assert scene.files() == []


@pytest.mark.parametrize(
    ("code", "number"), [(None, None), (0, None), (1, None), (128, None), (137, 9), (143, 15), (255, None)]
)  # fmt: skip
def test_a_signal_is_read_from_the_exit_code(code, number):
    assert signal_of(code) == number


def test_the_longest_output_gives_way_first():
    long = [OutputLine(stream="stdout", text="x" * 100) for _ in range(100)]
    short = [OutputLine(stream="stdout", text="short")]
    request = SubmitPostMortemRequest(
        task="t",
        containers=[
            ContainerPostMortem(name="long", lines=long),
            ContainerPostMortem(name="short", lines=short),
        ],
    )
    assert fitting(request, 100_000) == request
    cut = fitting(request, 5000)
    assert len(msgspec.json.encode(cut)) <= 5000
    assert cut.containers[1].lines == short
    assert 0 < len(cut.containers[0].lines) < 100
    bare = fitting(request, 10)
    assert [one.lines for one in bare.containers] == [None, None]


def test_a_container_that_never_was_has_no_times():
    told = post_mortem_of(ContainerEnd(name="web", reason="r" * 5000), Tail(), None)
    assert (told.started_at, told.exit_code, told.signal, told.out_of_memory) == (None,) * 4
    assert len(told.reason) == 1024
