"""A host changes its key: stored, used, and only then alone; whoever dies in between comes back."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from moorage.acs.codec import REPLACED_KEY_REFUSAL, SECOND_AGENT_REFUSAL, Refusal
from moorage.agent import identity
from moorage.agent.control import ControlPlane, Registration
from moorage.agent.engine.events import AgentStarted, ServerSilent
from moorage.agent.membership import Membership, Waits
from moorage.agent.options import OptionsRefused
from moorage.agent.records.report import TaskReport
from moorage.agent.rotation import LIFE, HostKeys, Rotation
from moorage.agent.shell import forever
from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.instant import Duration, seconds
from moorage.ground.record import evolve
from moorage.shapes.moorage.host import RotateHostKeyResponse
from moorage.wire.client import RemoteFault, Unreachable
from tests.agent.rig import INSTANCE
from tests.agent.test_shell_links import WHO

REGISTERED = {"containerInstance": {"containerInstanceArn": INSTANCE}}
REGISTRATION = Registration(
    attributes=(), resources=(), client_token="t", container_instance_arn=INSTANCE
)


class Server:
    """Knows some keys, and gives out new ones; a double of what `iam.keys` decides."""

    def __init__(self) -> None:
        self.good = {WHO.access_key_id}
        self.given: list[str] = []
        self.used: list[tuple[str, str]] = []
        self.fault: RemoteFault | None = None

    async def call(self, key: str, operation: str) -> Any:
        self.used.append((operation, key))
        if self.fault is not None:
            raise self.fault
        if key not in self.good:
            raise RemoteFault("UnrecognizedClientException", 400, "no such key")
        if operation == "RotateHostKey":
            self.given.append(f"NEW{len(self.given) + 1}")
            self.good = {key, self.given[-1]}
            return {"access_key_id": self.given[-1], "secret_access_key": "new"}
        self.good = {key}
        return INSTANCE


class Control(ControlPlane):
    """The real one, whose calls end at the double."""

    def __init__(self, server: Server, who: identity.Identity, session: Any) -> None:
        super().__init__("http://h:1", who, session, SystemClock(), SeededChance(1))
        self._server = server
        self.key = who.access_key_id
        self.reports: list[TaskReport] = []
        self.fault: RemoteFault | None = None

    def sign_with(self, access_key_id: str, secret_access_key: str) -> None:
        super().sign_with(access_key_id, secret_access_key)
        self.key = access_key_id

    async def rotate_key(self) -> Any:
        return RotateHostKeyResponse(**await self._server.call(self.key, "RotateHostKey"))

    async def register(self, registration: Registration) -> str:
        assert registration.container_instance_arn == INSTANCE
        return str(await self._server.call(self.key, "Register"))

    async def submit(self, report: TaskReport) -> None:
        if self.fault is not None:
            raise self.fault
        self.reports.append(report)


class Host:
    """One process of an agent; make another on the same folder to restart it."""

    def __init__(self, folder: Path, server: Server, session: Any) -> None:
        self.clock = ManualClock()
        found = identity.load(folder)
        if found is None:
            identity.keep(folder, WHO)
        self.folder = folder
        self.control = Control(server, found or WHO, session)
        self.keys = HostKeys(folder, found or WHO, self.control, self.clock)
        self.member = Membership(self.control, self.keys, REGISTRATION, SeededChance(2))
        self.rotation = Rotation(self.keys, self.member.register, self.clock, SeededChance(3))

    @property
    def kept(self) -> identity.Identity:
        found = identity.load(self.folder)
        assert found is not None
        return found


Story = Callable[[Server, Callable[[], Host]], Coroutine[Any, Any, None]]


def told(folder: Path, story: Story) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            server = Server()
            await story(server, lambda: Host(folder, server, session))

    asyncio.run(run())


def test_a_key_that_is_asked_for_is_changed(tmp_path: Path) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        await host.member.register()
        host.rotation.request()
        await host.rotation.step()
        assert [key for _, key in server.used] == ["HOSTKEY", "HOSTKEY", "NEW1"]
        assert server.good == {"NEW1"}
        assert (host.kept.access_key_id, host.kept.next_access_key_id) == ("NEW1", "")
        assert host.kept.secret_access_key == "new"
        await start().member.register()

    told(tmp_path, story)


def test_a_key_is_changed_when_it_is_old(tmp_path: Path) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        step = asyncio.ensure_future(host.rotation.step())
        await asyncio.sleep(0.05)
        assert not step.done()
        step.cancel()
        assert host.kept.key_since == host.clock.now()
        again = start()
        again.clock.advance(LIFE)
        await again.rotation.step()
        assert server.good == {"NEW1"}
        assert again.kept.key_since == again.clock.now()

    told(tmp_path, story)


def test_who_dies_before_the_answer_is_stored_has_lost_nothing(tmp_path: Path) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        await host.control.rotate_key()
        again = start()
        await again.member.register()
        again.rotation.request()
        await again.rotation.step()
        assert server.good == {"NEW2"}

    told(tmp_path, story)


@pytest.mark.parametrize("lapsed", [False, True])
def test_who_dies_after_it_was_stored_tries_the_new_key_first(tmp_path: Path, lapsed: bool) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        await start().keys.ask()
        if lapsed:
            server.good = {"HOSTKEY"}
        again = start()
        assert again.control.key == "NEW1"
        await again.member.register()
        expected = "HOSTKEY" if lapsed else "NEW1"
        assert server.good == {expected}
        assert (again.kept.access_key_id, again.kept.next_access_key_id) == (expected, "")

    told(tmp_path, story)


def test_who_cannot_write_goes_on_with_what_is_on_the_disk(tmp_path: Path) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        await host.keys.ask()
        good = host.folder
        host.keys._data = tmp_path / "full"
        await host.member.register()
        assert host.keys.who.access_key_id == "NEW1"
        assert host.kept.next_access_key_id == "NEW1", "as it was stored"
        host.folder = good
        await start().member.register()
        assert server.good == {"NEW1"}

    told(tmp_path, story)


def test_a_change_that_fails_is_tried_later(tmp_path: Path) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        await host.member.register()
        server.fault = Unreachable("http://h:1", "away")
        host.rotation.request()
        running = asyncio.ensure_future(forever(host.rotation.step))
        await asyncio.sleep(0.05)
        assert server.good == {"HOSTKEY"}
        assert host.kept.next_access_key_id == ""
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    told(tmp_path, story)


def test_reports_wait_until_this_process_speaks_for_the_host(tmp_path: Path) -> None:
    """The agent of a clone would tell that the tasks of the first machine have ended (F27)."""

    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        report = TaskReport(task="t", status="STOPPED")
        server.fault = RemoteFault("ThrottlingException", 400, "Another agent ...")
        registering = asyncio.ensure_future(host.member.register())
        reporting = asyncio.ensure_future(host.member.submit(report))
        await asyncio.sleep(0.05)
        assert not reporting.done()
        assert host.member.is_refused
        server.fault = None
        assert await registering == INSTANCE
        await reporting
        assert host.control.reports == [report]
        host.member.refused(Refusal(name=SECOND_AGENT_REFUSAL))
        waiting = asyncio.ensure_future(host.member.submit(report))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert not host.member.is_registered
        await host.member.confirm()
        await waiting
        before = list(server.used)
        host.member.refused(Refusal(name="ServerException"))
        await host.member.confirm()
        assert server.used == before

    told(tmp_path, story)


@pytest.mark.parametrize("code", [REPLACED_KEY_REFUSAL, "UnrecognizedClientException"])
def test_a_report_that_shows_a_key_to_be_good_for_nothing_is_the_last(
    tmp_path: Path, code: str
) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        host = start()
        await host.member.register()
        host.control.fault = RemoteFault(code, 400, "join with a new token")
        report = TaskReport(task="t", status="STOPPED")
        with pytest.raises(RemoteFault):
            await host.member.submit(report)
        assert not host.member.is_registered
        waiting = asyncio.ensure_future(host.member.submit(report))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        host.control.fault = None
        await host.member.confirm()
        await waiting
        assert server.good == {"HOSTKEY"}

    told(tmp_path, story)


def test_a_refusal_is_no_absence(tmp_path: Path) -> None:
    async def story(_server: Server, start: Callable[[], Host]) -> None:
        member = start().member
        silent = ServerSilent(unheard=seconds(60), unconfirmed=seconds(90))
        assert member.tempered(silent) == silent
        member.is_refused = True
        assert member.tempered(silent) == evolve(silent, unheard=Duration(0))
        assert member.tempered(AgentStarted()) == AgentStarted()

    told(tmp_path, story)


@pytest.mark.parametrize("code", ["ClientException", "InvalidParameterException"])
def test_a_final_word_ends_the_agent(tmp_path: Path, code: str) -> None:
    async def story(server: Server, start: Callable[[], Host]) -> None:
        server.fault = RemoteFault(code, 400, "was deregistered")
        with pytest.raises(OptionsRefused, match="was deregistered"):
            await start().member.register()

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("ServerException", 0.5, 15),
        ("ThrottlingException", 0.5, 60),
        (REPLACED_KEY_REFUSAL, 60, 3600),
        ("UnrecognizedClientException", 60, 3600),
    ],
)
def test_each_refusal_at_its_own_pace_and_said_once(
    code: str, first: float, last: float, caplog: pytest.LogCaptureFixture
) -> None:
    waits, found = Waits(), []
    with caplog.at_level(logging.INFO):
        for _ in range(12):
            waits.note(RemoteFault(code, 400, "join with a new token"))
            found.append(waits.seconds)
    assert (found[0], found[-1]) == (first, last)
    assert found == sorted(found)
    assert caplog.text.count("new token") == 1
