"""A simulated host's TCS: how its engine is, and the figures of its containers each 20 s."""

import asyncio
from urllib.parse import quote, urlencode

from fleet.ground import Ground
from fleet.identity import Identity
from fleet.lines import signed
from fleet.runs import Runs
from fleet.websocket import NotOpened, Socket
from moorage.acs import telemetry as tcs
from moorage.ground.instant import epoch

METRICS_PERIOD_SECONDS = 20.0
STATUS_PERIOD_SECONDS = 18.0
BACK_OFF_SECONDS_FIRST = 1.0
BACK_OFF_SECONDS_MAX = 60.0
BACK_OFF_JITTER = 0.2
LASTING_SECONDS = 5.0
# Each answer is one; a connection without is made again. Our agent waits up to a minute longer.
SILENCE_SECONDS = 90.0
BYTES_PER_MEBIBYTE = 1 << 20


class Telemetry:
    """One host's end of TCS, across its connections."""

    __slots__ = (
        *("_dialled_at", "_ground", "_heard_at", "_identity", "_query", "_runs", "_since"),
        *("_socket", "_status_at", "_task", "_timer", "_wait_seconds", "is_over"),
    )

    def __init__(self, ground: Ground, identity: Identity, runs: Runs) -> None:
        """Begin without a connection."""
        self._ground = ground
        self._identity = identity
        self._runs = runs
        self._query = ""
        self._socket: Socket | None = None
        self._since = epoch(ground.clock.now())
        self._wait_seconds = BACK_OFF_SECONDS_FIRST
        self._dialled_at = self._heard_at = 0.0
        self._status_at = -STATUS_PERIOD_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_over = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._socket is not None

    def begin(self) -> None:
        """Dial, and measure from a moment of its own on."""
        if self.is_over:
            return
        self._task = asyncio.create_task(self._dial())
        if self._timer is None:
            phase = self._ground.chance.random() * METRICS_PERIOD_SECONDS
            self._timer = asyncio.get_running_loop().call_later(phase, self._measure)

    def cut(self) -> None:
        """Lose the connection as by a cut cable that is whole again."""
        if self._socket is not None:
            self._socket.abort()

    def end(self) -> None:
        """Be gone for good."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self.cut()

    def heartbeat(self) -> None:
        """ACS has heard one: that the engine is well is said then, where it was not lately."""
        told_seconds_ago = asyncio.get_running_loop().time() - self._status_at
        if self._socket is not None and told_seconds_ago >= STATUS_PERIOD_SECONDS:
            self.say_status()

    def say_status(self) -> None:
        """The engine is well."""
        self._status_at = asyncio.get_running_loop().time()
        now = epoch(self._ground.clock.now())
        self._publish(
            tcs.PublishInstanceStatusRequest(
                metadata=tcs.InstanceStatusMetadata(
                    cluster=self._identity.cluster,
                    container_instance=self._identity.instance,
                    request_id=self._ground.hex(32),
                ),
                statuses=(
                    tcs.InstanceStatus(
                        type="ContainerRuntime",
                        status="OK",
                        last_updated=now,
                        last_status_change=self._since,
                    ),
                ),
                timestamp=now,
            )
        )

    # What the websocket tells

    def opened(self, socket: Socket) -> None:
        """A handshake was accepted."""
        self._socket = socket
        self._heard_at = asyncio.get_running_loop().time()
        self.say_status()

    def heard(self, socket: Socket, text: bytes) -> None:
        """The server answers what was published."""
        del socket, text
        self._ground.counters.answers += 1
        self._heard_at = asyncio.get_running_loop().time()

    def ended(self, socket: Socket, code: int) -> None:
        """The connection is gone."""
        del code
        if socket is self._socket:
            self._socket = None
            self._again()

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        if self.is_over:
            return
        if loop.time() - self._dialled_at >= LASTING_SECONDS:
            self._wait_seconds = BACK_OFF_SECONDS_FIRST
        wait_seconds = self._wait_seconds * (1 + BACK_OFF_JITTER * self._ground.chance.random())
        loop.call_later(wait_seconds, self.begin)
        self._wait_seconds = min(2 * self._wait_seconds, BACK_OFF_SECONDS_MAX)

    async def _dial(self) -> None:
        self._dialled_at = asyncio.get_running_loop().time()
        self._query = urlencode(
            {
                "agentHash": "fleet",
                "agentVersion": "1.0.0",
                "cluster": self._identity.cluster,
                "containerInstance": self._identity.instance,
                "dockerVersion": "20.10.24",
            },
            quote_via=quote,
        )
        try:
            await Socket.open(self._ground, ("/tcs/ws", self._query), self._identity.key, self)
        except NotOpened:
            self._ground.counters.failed_dials += 1
            self._again()

    def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(METRICS_PERIOD_SECONDS, self._measure)
        if self._socket is None:
            return
        if loop.time() - self._heard_at > SILENCE_SECONDS:
            self._socket.close(1000)
            return
        for message in self._metrics():
            self._publish(message)

    def _metrics(self) -> list[tcs.PublishMetricsRequest]:
        """The figures of all that runs, ten tasks a message."""
        running, most = self._runs.running, tcs.TASKS_IN_MESSAGE_MAX
        parts = [running[start : start + most] for start in range(0, len(running), most)] or [[]]
        identity, now = self._ground.hex(32), epoch(self._ground.clock.now())
        return [
            tcs.PublishMetricsRequest(
                metadata=tcs.MetricsMetadata(
                    cluster=self._identity.cluster,
                    container_instance=self._identity.instance,
                    message_id=f"{identity}-{number}",
                    idle=not running,
                    fin=number == len(parts),
                ),
                task_metrics=tuple(self._metric(arn) for arn in part) or None,
                timestamp=now,
            )
            for number, part in enumerate(parts, 1)
        ]

    def _metric(self, arn: str) -> tcs.TaskMetric:
        run = self._runs.known[arn]
        return tcs.TaskMetric(
            task_arn=arn,
            task_definition_family=run.family,
            task_definition_version=run.version,
            container_metrics=tuple(
                tcs.ContainerMetric(
                    container_name=name,
                    cpu_stats_set=_one(1.5),
                    memory_stats_set=_one(12.25),
                    storage_stats_set=tcs.StorageStatisticSet(
                        read_size_bytes=_one(0), write_size_bytes=_one(4096)
                    ),
                )
                for name, _ in run.containers
            ),
        )

    def _publish(self, message: tcs.Publication) -> None:
        if self._socket is None:
            return
        self._ground.counters.publications += 1
        body = tcs.publication_body(message).encode()
        at = ("GET", "/tcs/ws", self._query)
        headers = signed(
            self._ground, "ecs", {"host": self._ground.host}, body, self._identity.key, at
        )
        self._socket.send(tcs.encode_publication(message, headers))


def _one(value: float) -> tcs.StatisticSet:
    """A set of one reading."""
    return tcs.StatisticSet(min=value, max=value, sample_count=1, sum=value)
