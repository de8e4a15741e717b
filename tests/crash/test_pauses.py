"""A server that stands still for a while (F03), and one that is asked to end while it works (F04)."""

import asyncio
import json
import os
import signal

from tests.crash.scene import CONVERGED_SECONDS_MAX, Scene, check_hosts, check_rows
from tests.crash.stories import DESIRED, served, steady
from tests.crash.sweep import scene_of

PAUSE_SECONDS = 9.0  # longer than hosts may be silent, which beat each five seconds
AFTER_SECONDS = 2.0
REQUESTS = 50
STEP_SECONDS = 0.01


def test_a_server_that_stood_still_loses_no_host_and_moves_nothing():
    """It is stopped for longer than a host may be silent: time in which it did not run is none."""

    async def story() -> None:
        async with scene_of(seed=1) as scene:
            scene.settings |= {"suspect_seconds": 6.0, "lost_seconds": 7.0}
            await scene.start()
            await scene.add_hosts()
            await served(scene)
            before = scene.running()
            os.kill(scene.pid, signal.SIGSTOP)
            await asyncio.sleep(PAUSE_SECONDS)
            os.kill(scene.pid, signal.SIGCONT)
            await asyncio.sleep(AFTER_SECONDS)
            assert scene.running() == before
            told = await scene.tasks()
            assert {task["connectivity"] for task in told} == {"CONNECTED"}
            assert await steady(scene, DESIRED)
            assert "is taken for lost" not in scene.log()
            check_hosts(scene)
            await check_rows(scene)

    asyncio.run(story())


class Line:
    """A connection of its own, with one request under way."""

    def __init__(
        self, scene: Scene, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.scene = scene
        self.reader = reader
        self.writer = writer

    @classmethod
    async def opened(cls, scene: Scene) -> "Line":
        """Known to the server: it has answered on it once."""
        line = cls(scene, *await asyncio.open_connection("127.0.0.1", scene.port))
        line.writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await line.answer())[0] == 200
        return line

    def ask(self, operation: str, **members: object) -> None:
        body = json.dumps(members).encode()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "content-length": str(len(body)),
        }
        caller = self.scene.ask
        signed = caller.client.signed_headers("POST", f"{caller.url}/", "ecs", headers, body)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        self.writer.write(f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def answer(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(
            line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line
        )
        body = await self.reader.readexactly(int(fields["content-length"]))
        return int(head.split()[1]), body


def test_a_server_that_is_asked_to_end_cuts_no_request():
    """Fifty requests and a deployment are under way at SIGTERM: all are answered, none is lost."""

    async def story() -> None:
        async with scene_of(seed=2) as scene:
            await scene.start()
            await scene.add_hosts()
            await served(scene)
            lines = [await Line.opened(scene) for _ in range(REQUESTS)]
            await scene.ask.must(
                "UpdateService", cluster="default", service="web", taskDefinition="web:2"
            )
            for number, line in enumerate(lines):
                line.ask(
                    "CreateService",
                    cluster="default",
                    serviceName=f"s{number}",
                    taskDefinition="web:1",
                    desiredCount=0,
                )
            await asyncio.sleep(STEP_SECONDS)
            os.kill(scene.pid, signal.SIGTERM)
            answers = await asyncio.gather(*(line.answer() for line in lines))
            assert {status for status, _ in answers} == {200}
            for line in lines:
                line.writer.close()
            await scene.kill(signal.SIGTERM)
            assert "Traceback" not in scene.log()
            await scene.start()
            await scene.connected()
            for number in range(REQUESTS):
                assert (await scene.service(f"s{number}"))["status"] == "ACTIVE"
            await scene.until(
                lambda: steady(scene, DESIRED), CONVERGED_SECONDS_MAX, "the deployment's end"
            )
            assert (await scene.service())["taskDefinition"].endswith("web:2")
            check_hosts(scene)
            await check_rows(scene)

    asyncio.run(story())
