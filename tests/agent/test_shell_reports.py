"""Reports are tried until they are taken; output is joined, cut, and ends."""

import asyncio

from moorage.acs.messages import LogsChunk
from moorage.agent.engine.instructions import StreamLogs, SubmitTaskStateChange
from moorage.agent.output import BROKEN_OFF, OutputStreams
from moorage.agent.records.report import TaskReport
from moorage.agent.reports import BACK_OFF_SECONDS_MAX, Reporter, back_off_seconds
from moorage.agent.runtime.breaker import Breaker
from moorage.agent.runtime.guarded import GuardedRuntime
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import Script, plays
from moorage.agent.runtime.port import ContainerSpec
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import seconds
from tests.agent.rig import IMAGE, stocked


def test_a_report_is_tried_until_it_is_taken_or_refused_for_good() -> None:
    class Refused(Fault):
        code = "InvalidParameterException"

    outcomes: list[Fault | None] = [Fault("down"), Fault("down"), None, Refused("unknown task")]

    async def submit(_report: TaskReport) -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    async def story() -> None:
        reporter = Reporter(submit, SystemChance())
        report = SubmitTaskStateChange(sequence=4, report=TaskReport(task="t", status="RUNNING"))
        waiting = asyncio.ensure_future(reporter.report(report))
        for _ in range(3):
            await asyncio.sleep(0.01)
            reporter.server_heard()
        async with asyncio.timeout(5):
            taken = await waiting
            refused = await reporter.report(report)
        assert type(taken).__name__ == "ReportAcknowledged"
        assert taken.sequence == 4
        assert type(refused).__name__ == "ReportRefused"

    asyncio.run(story())


def test_waits_grow_to_their_bound() -> None:
    waits = back_off_seconds()
    found = [next(waits) for _ in range(40)]
    assert found == sorted(found)
    assert found[0] < 0.5
    assert found[-1] == BACK_OFF_SECONDS_MAX


def stream(output, *, follow: bool = False, connected: bool = True) -> list[LogsChunk]:
    said: list[LogsChunk] = []

    async def say(message: LogsChunk) -> bool:
        said.append(message)
        return connected

    async def story() -> None:
        scripts = plays(Script(runs=seconds(0.05), output=output))
        runtime = MemoryRuntime(stocked(scripts), SystemClock())
        made = await runtime.create(
            ContainerSpec(name="c", labels={"x": "y"}, body={"Image": IMAGE})
        )
        await runtime.start(made.id)
        streams = OutputStreams(runtime, say)
        streams.begin(StreamLogs(request_id="r", runtime_id=made.id, follow=follow))
        streams.begin(StreamLogs(request_id="r", runtime_id=made.id, follow=follow))
        streams.begin(StreamLogs(request_id="q", runtime_id="absent", follow=follow))
        async with asyncio.timeout(5):
            while streams._open:  # noqa: ASYNC110 - the end of a task of its own
                await asyncio.sleep(0.01)
        await runtime.aclose()

    asyncio.run(story())
    return said


def test_output_is_joined_cut_and_ended() -> None:
    long = b"x" * 100_000
    output = (("stdout", b"a\n"), ("stdout", b"b\n"), ("stderr", b"c\n"), ("stdout", long))
    for follow in (False, True):
        said = [chunk for chunk in stream(output, follow=follow) if chunk.request_id == "r"]
        assert [(c.stream, c.data) for c in said[:2]] == [
            ("stdout", b"a\nb\n"),
            ("stderr", b"c\n"),
        ]
        assert b"".join(c.data or b"" for c in said[2:]) == long
        assert max(len(c.data or b"") for c in said) <= 64 * 1024
        assert said[-1] == LogsChunk(request_id="r", end=True)


def test_output_goes_on_as_it_is_read() -> None:
    """What is sent ahead is bounded, so that heartbeats are not behind megabytes of output."""
    said: list[LogsChunk] = []

    async def say(message: LogsChunk) -> bool:
        said.append(message)
        return True

    async def story() -> None:
        text = tuple((("stdout", "stderr")[number % 2], b"x") for number in range(20))
        runtime = MemoryRuntime(
            stocked(plays(Script(runs=seconds(0.01), output=text))), SystemClock()
        )
        made = await runtime.create(
            ContainerSpec(name="c", labels={"x": "y"}, body={"Image": IMAGE})
        )
        await runtime.start(made.id)
        streams = OutputStreams(runtime, say)
        streams.begin(StreamLogs(request_id="r", runtime_id=made.id, follow=False, window=3))
        await asyncio.sleep(0.1)
        assert len(said) == 3
        streams.allow("r", 2)
        streams.allow("nobody", 2)
        await asyncio.sleep(0.05)
        assert len(said) == 5
        streams.allow("r", 100)
        async with asyncio.timeout(5):
            while streams._open:  # noqa: ASYNC110 - the end of a task of its own
                await asyncio.sleep(0.01)
        assert len(said) == 21
        assert said[-1] == LogsChunk(request_id="r", end=True)
        await runtime.aclose()

    asyncio.run(story())


def test_output_is_broken_off_when_the_engine_is_lost() -> None:
    said: list[LogsChunk] = []

    async def say(message: LogsChunk) -> bool:
        said.append(message)
        return True

    async def story() -> None:
        engine = MemoryRuntime(stocked(plays(Script(output=(("stdout", b"x"),)))), SystemClock())
        runtime = GuardedRuntime(engine, Breaker())
        spec = ContainerSpec(name="c", labels={"x": "y"}, body={"Image": IMAGE})
        made = await runtime.create(spec)
        await runtime.start(made.id)
        streams = OutputStreams(runtime, say, runtime.breaker.enrol)
        streams.begin(StreamLogs(request_id="r", runtime_id=made.id, follow=True))
        async with asyncio.timeout(5):
            while not said:  # noqa: ASYNC110 - the work of a task of its own
                await asyncio.sleep(0.01)
            runtime.breaker.open("the engine is lost")
            streams.begin(StreamLogs(request_id="q", runtime_id=made.id, follow=True))
            while streams._open:  # noqa: ASYNC110 - the end of a task of its own
                await asyncio.sleep(0.01)
        await engine.aclose()

    asyncio.run(story())
    ends = {chunk.request_id: chunk.error for chunk in said if chunk.end}
    assert ends == {"r": BROKEN_OFF, "q": "not asked, since the engine is lost"}


def test_output_that_cannot_be_read_ends_with_its_reason() -> None:
    (ended,) = [chunk for chunk in stream(()) if chunk.request_id == "q"]
    assert ended.end
    assert ended.error is not None
    assert "absent" in ended.error


def test_output_stops_where_nobody_is_connected() -> None:
    said = stream((("stdout", b"a"), ("stderr", b"b"), ("stdout", b"c")), connected=False)
    assert len([chunk for chunk in said if chunk.request_id == "r"]) == 1
