"""What an agent asks and says but seldom: thousands of them are to cost their server little."""

import asyncio

import pytest

from moorage.acs.codec import Refusal
from moorage.acs.telemetry import (
    InstanceStatus,
    Published,
    PublishInstanceStatusRequest,
    decode_publication,
)
from moorage.agent.control import ControlPlane
from moorage.agent.dial import Dialler, NotOpened, Opened
from moorage.agent.shell import forever
from moorage.agent.telemetry import TcsLink
from moorage.ground.chance import SystemChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.instant import seconds
from tests.agent.test_shell_links import Server, run


def test_where_the_websockets_are_is_asked_once_and_again_after_a_refusal() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        for _ in range(2):
            await (await dialler.open_acs("20", first=True, timeline=0)).socket.close()
            await (await dialler.open_tcs("20")).socket.close()
        assert [operation for operation, _ in server.calls] == ["DiscoverPollEndpoint"]
        server.refusal = Refusal(name="ServerException", text="busy")
        with pytest.raises(NotOpened):
            await dialler.open_tcs("20")
        server.refusal = None
        await (await dialler.open_tcs("20")).socket.close()
        assert [operation for operation, _ in server.calls] == ["DiscoverPollEndpoint"] * 2

    run(story)


def test_how_the_engine_is_is_said_at_once_when_it_changes_and_seldom_else() -> None:
    def word(said: str) -> PublishInstanceStatusRequest:
        engine = InstanceStatus(type="ContainerRuntime", status=said, last_updated=1.0)
        return PublishInstanceStatusRequest(statuses=(engine,))

    async def story(server: Server, control: ControlPlane, dialler: Dialler) -> None:
        clock = ManualClock()
        link = TcsLink(
            lambda: dialler.open_tcs("20.10.24"),
            lambda url, body: control.client.signed_headers("GET", url, "ecs", body=body),
            clock,
            SystemChance(),
        )
        running = asyncio.ensure_future(forever(link.step))
        await server.sockets.get()
        for said in ("OK", "IMPAIRED", "OK"):
            for _ in range(4):  # heartbeats of twenty seconds
                link.publish(word(said))
                clock.advance(seconds(5))
        for _ in range(8):
            link.publish(word("OK"))
            clock.advance(seconds(5))
        heard: list[str | None] = []
        while len(heard) < 5:
            published = decode_publication(await server.frames.get())
            assert isinstance(published, Published)
            assert isinstance(published.message, PublishInstanceStatusRequest)
            heard += [one.status for one in published.message.statuses or ()]
        assert heard == ["OK", "IMPAIRED", "OK", "OK", "OK"]
        await asyncio.sleep(0.05)
        assert server.frames.empty()
        running.cancel()

    run(story)


def test_telemetry_waits_no_longer_once_the_server_is_there() -> None:
    async def story() -> None:
        tried: asyncio.Queue[None] = asyncio.Queue()

        async def nowhere() -> Opened:
            tried.put_nowait(None)
            raise NotOpened("nobody listens")

        link = TcsLink(nowhere, lambda _url, _body: {}, SystemClock(), SystemChance())
        running = asyncio.ensure_future(forever(link.step))
        async with asyncio.timeout(5):  # with the back-off alone it were a quarter of an hour
            for _ in range(20):
                await tried.get()
                link.hurry()
        running.cancel()

    asyncio.run(story())


def test_a_server_that_was_there_before_its_end_hurries_nobody() -> None:
    """Thousands whose connections end together would else all dial again at once."""

    class Ended:
        closed = True

        async def close(self) -> None:
            """It is closed already."""

    async def story() -> None:
        dialled: list[None] = []

        async def opened() -> Opened:
            dialled.append(None)
            link.hurry()
            return Opened(socket=Ended(), url="")  # type: ignore[arg-type]

        link = TcsLink(opened, lambda _url, _body: {}, SystemClock(), SystemChance())
        running = asyncio.ensure_future(forever(link.step))
        await asyncio.sleep(0.2)
        assert len(dialled) == 1
        running.cancel()

    asyncio.run(story())
