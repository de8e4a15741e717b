"""A scripted agent over the real wire: it joins, takes orders, reports, and outlives servers.

Its containers are entries of a dictionary: what it runs is what a container engine would run. What
must never happen is noted where it would happen: a task begun twice, or stopped without an order.
"""

import asyncio
import contextlib
import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from moorage.acs import messages as m
from moorage.acs.codec import decode_from_server, encode
from tests.crash.caller import Caller

BROKEN = "broken"
RETRY_SECONDS = 0.02
REPORT_SECONDS_MAX = 15.0
DIGEST = "sha256:" + "d" * 64


@dataclass
class Run:
    """One task on this host: PENDING, RUNNING, then STOPPED; `told` is what was acknowledged."""

    family: str
    status: str = "PENDING"
    reason: str = ""
    told: str = ""
    ordered_to_stop: bool = False
    begun: int = 0


@dataclass
class Memory:
    """What a real agent keeps on its disk and its engine."""

    key: dict[str, str]
    instance: str
    timeline: int = 0
    runs: dict[str, Run] = field(default_factory=dict)


class ScriptedAgent:
    """One host."""

    def __init__(self, url: str, memory: Memory, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.memory = memory
        self.call = Caller(url, memory.key, session)
        self.session = session
        self.welcomed = False  # the server that is there now knows of this connection
        self._over = False
        self._task: asyncio.Task[None] | None = None
        self._reports: dict[str, asyncio.Task[None]] = {}

    @classmethod
    async def join(
        cls, url: str, token: str, name: str, session: aiohttp.ClientSession
    ) -> "ScriptedAgent":
        """A new host of the cluster `default`."""
        joined = await Caller(url, {}, session).must("Join", "moorage", token=token, name=name)
        key = {
            "access_key_id": joined["accessKeyId"],
            "secret_access_key": joined["secretAccessKey"],
        }
        registered = await Caller(url, key, session).must(
            "RegisterContainerInstance",
            cluster="default",
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": 4096},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096},
            ],
            attributes=[{"name": "moorage.capability.agent"}],
        )
        arn = registered["containerInstance"]["containerInstanceArn"]
        return cls(url, Memory(key, arn), session)

    def running(self) -> list[str]:
        """The tasks whose containers run now."""
        return [arn for arn, run in self.memory.runs.items() if run.status == "RUNNING"]

    def snapshot(self) -> Memory:
        return copy.deepcopy(self.memory)

    def start(self) -> None:
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        self._over = True
        tasks = [self._task, *self._reports.values()]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(one for one in tasks if one), return_exceptions=True)

    async def _serve(self) -> None:
        while not self._over:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._session()
            self.welcomed = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _session(self) -> None:
        query = urlencode(
            {
                "agentHash": "scripted",
                "agentVersion": "1.0.0",
                "clusterArn": "default",
                "containerInstanceArn": self.memory.instance,
                "protocolVersion": "2",
                "sendCredentials": "true",
                "seqNum": "1",
                "timeline": str(self.memory.timeline),
            },
            quote_via=quote,
        )
        url = f"{self.url.replace('http', 'ws')}/acs/ws?{query}"
        headers = self.call.client.signed_headers("GET", url, "ecs")
        async with self.session.ws_connect(URL(url, encoded=True), headers=headers) as socket:
            for arn in self.memory.runs:
                self._report(arn)
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    for reply in self._hear(decode_from_server(frame.data)):
                        await socket.send_str(encode(reply))

    def _hear(self, message: Any) -> list[Any]:
        if isinstance(message, m.HeartbeatMessage):
            return [m.HeartbeatAckRequest(message_id=message.message_id)]
        if isinstance(message, m.PayloadMessage):
            self.memory.timeline = max(self.memory.timeline, message.seq_num or 0)
            for task in message.tasks or ():
                self._ordered(task)
            return [m.AckRequest(message_id=message.message_id)]
        if isinstance(message, m.TaskManifestMessage):
            self.welcomed = True
            return self._manifest(message)
        if isinstance(message, m.TaskStopVerificationAck):
            for stop in message.stop_tasks or ():
                self._stop(stop.task_arn)
        return []

    def _manifest(self, message: m.TaskManifestMessage) -> list[Any]:
        if (message.timeline or 0) <= self.memory.timeline:
            return []
        self.memory.timeline = message.timeline or 0
        listed = {one.task_arn for one in message.tasks or ()}
        for arn in listed - self.memory.runs.keys():
            self.memory.runs[arn] = Run("", status="STOPPED", reason="this host has no such task")
            self._report(arn)
        beyond = tuple(
            m.TaskIdentifier(task_arn=arn, desired_status="STOPPED")
            for arn, run in self.memory.runs.items()
            if run.status in {"PENDING", "RUNNING"} and arn not in listed
        )
        asked = m.TaskStopVerificationMessage(message_id=message.message_id, stop_candidates=beyond)
        return [m.AckRequest(message_id=message.message_id), *([asked] if beyond else [])]

    def _ordered(self, task: Any) -> None:
        if task.desired_status == "STOPPED":
            self.memory.runs.setdefault(task.arn, Run(task.family or ""))
            self._stop(task.arn)
        elif task.arn not in self.memory.runs:
            run = self.memory.runs[task.arn] = Run(task.family or "")
            run.begun += 1
            image = task.containers[0].image or ""
            broken = BROKEN in image
            run.status = "STOPPED" if broken else "RUNNING"
            run.reason = f"CannotPullContainerError: no {image}" if broken else ""
            self._report(task.arn)

    def _stop(self, arn: str) -> None:
        run = self.memory.runs[arn]
        run.ordered_to_stop = True
        run.status = "STOPPED"
        self._report(arn)

    def _report(self, arn: str) -> None:
        """Say how the task is, until the server has taken it in; one report of a task at a time."""
        if arn not in self._reports or self._reports[arn].done():
            self._reports[arn] = asyncio.create_task(self._reporting(arn))

    async def _reporting(self, arn: str) -> None:
        run = self.memory.runs[arn]
        async with asyncio.timeout(REPORT_SECONDS_MAX):
            while run.told != run.status:
                saying = run.status
                outcome = await self.call(
                    "SubmitTaskStateChange",
                    cluster="default",
                    task=arn,
                    status=saying,
                    reason=run.reason or "as ordered",
                    containers=[
                        {
                            "containerName": "main",
                            "status": saying,
                            "runtimeId": arn[-32:] * 2,
                            **({"imageDigest": DIGEST} if saying == "RUNNING" else {}),
                            **({"reason": run.reason} if run.reason else {}),
                        }
                    ],
                )
                if outcome.acknowledged:
                    run.told = saying
                elif outcome.status == 400:
                    return  # refused for good: the task was never acknowledged to anybody
                else:
                    await asyncio.sleep(RETRY_SECONDS)
