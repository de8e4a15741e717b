"""What the gateway's doors stand on, in memory: a database that can be held up, a table of handlers."""

import asyncio
import contextlib
from collections import deque
from concurrent.futures import Future

from moorage.ecs.api import TABLES as ECS_TABLES
from moorage.ecs.controllers.assignments import Outgoing
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.store import container_instances
from moorage.gateway.aws import Ground
from moorage.gateway.keyring import Keyring
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.iam.api import TABLES as IAM_TABLES
from moorage.iam.keys import Holder, issue
from moorage.iam.store import access_keys
from moorage.kernel.images import IMAGE_CLAIMS, TAG_DIGESTS
from moorage.kernel.perform import KEPT_ANSWERS
from moorage.sql.transaction import StoreFailed
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request
from moorage.wire.sigv4 import sign
from tests.house import ACCOUNT, REGION, House

TABLES = (*ECS_TABLES, *IAM_TABLES, IMAGE_CLAIMS, TAG_DIGESTS, KEPT_ANSWERS)
PATIENCE_SECONDS = 5.0


class HeldUp:
    """Port Database over a real one: it can be slow (`hold`, `release`) and fail (`failing`)."""

    def __init__(self, database) -> None:
        self.database = database
        self.failing = 0
        self.broken = None
        self.writes = 0
        self.reads = 0
        self._held = None

    def hold(self):
        self._held = deque()

    def release(self):
        held, self._held = self._held, None
        for work, future in held:
            _hand_on(self.database.write(work), future)

    def write(self, work):
        self.writes += 1
        if self.failing:
            self.failing -= 1
            return _failed(StoreFailed("The disk is full."))
        if self.broken is not None:
            return _failed(self.broken)
        if self._held is None:
            return self.database.write(work)
        future = Future()
        self._held.append((work, future))
        return future

    def read(self, work):
        self.reads += 1
        if self.broken is not None:
            return _failed(self.broken)
        return self.database.read(work)

    def look(self, work):
        return self.read(work)

    def watch(self, listener):
        self.database.watch(listener)

    def failure(self):
        return None

    def close(self):
        self.database.close()


def _failed(error):
    future = Future()
    future.set_exception(error)
    return future


def _hand_on(source, future):
    def done(_):
        if future.set_running_or_notify_cancel():
            error = source.exception()
            if error is None:
                future.set_result(source.result())
            else:
                future.set_exception(error)

    source.add_done_callback(done)


class Desk:
    """House, database and ground of one test."""

    def __init__(self) -> None:
        self.house = House(TABLES)
        self.clock = self.house.clock
        self.database = HeldUp(self.house.database)
        self.ground = Ground(
            database=self.database,
            clock=self.clock,
            chance=self.house.chance,
            site=self.house.site,
            vault=self.house.vault,
            keyring=Keyring(self.house.vault),
        )
        self.database.watch(self.ground.keyring.changed)

    def instance(self, name="host-1", **members) -> ContainerInstance:
        """A registered host."""
        identity = self.house.chance.hex(32)
        record = ContainerInstance(
            account=ACCOUNT,
            region=REGION,
            cluster="default",
            id=identity,
            arn=make_arn("container-instance", REGION, ACCOUNT, "default", identity),
            name=name,
            status="ACTIVE",
            registered_at=self.clock.now(),
            resources=Resources(cpu=1024, memory=1024),
        )
        record = evolve(record, **members)
        self.house.write(lambda call: container_instances.create(call.tx, record))
        return record

    def key(self, kind, instance="", account=ACCOUNT) -> Credentials:
        """A new key; a host's is bound to `instance`."""

        def work(call):
            holder = Holder(account=account, kind=kind, name="host-1", region=REGION)
            key, secret = issue(call.tx, call.vault, holder)
            access_keys.put(call.tx, evolve(key, instance=instance))
            return Credentials(access_key_id=key.id, secret_access_key=secret)

        return self.house.write(work)

    def signed(self, key, request, service="ecs", region=REGION) -> Request:
        """The request as the key's holder sends it now."""
        return sign(request, key, service, region, self.clock.now())

    def row(self, arn) -> ContainerInstance:
        found = self.house.read(lambda call: container_instances.get(call.tx, arn))
        assert found is not None
        return found

    def close(self):
        self.house.close()


class Handlers:
    """An AgentTable's handlers that note what they were asked; each may be made to fail."""

    def __init__(self) -> None:
        self.calls = []
        self.failing = {}
        self.outgoing_now = Outgoing()
        self.replies = ()
        self.messages = {}

    def _note(self, name, *rest):
        self.calls.append((name, *rest))
        left = self.failing.get(name, 0)
        if left:
            self.failing[name] = left - 1
            raise StoreFailed("The disk is full.")

    def awaited(self, _tx, hosts):
        self._note("awaited")
        return frozenset(one.arn for one in hosts)

    def connected(self, _call, _arn, hello):
        self._note("connected", hello.agent_version)

    def disconnected(self, _call, _arn, how):
        self._note("disconnected", how)

    def doubted(self, _call, _arn, suspect):
        self._note("doubted", suspect)

    def lost(self, _call, _arn, why):
        self._note("lost", why)

    def returned(self, _call, _arn):
        self._note("returned")

    def outgoing(self, _call, _arn, on_connect):
        self._note("outgoing", on_connect)
        return self.outgoing_now

    def heard(self, _call, _arn, message):
        self._note("heard", message.message_id)
        return self.replies

    def names(self):
        return [call[0] for call in self.calls]


class Wire:
    """ASGI's send and receive of one websocket, for a test that plays the agent."""

    def __init__(self) -> None:
        self.sent = []
        self.incoming = asyncio.Queue()
        self.blocked = asyncio.Event()
        self.blocked.set()

    async def send(self, message):
        await self.blocked.wait()
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.say({"type": "websocket.disconnect", "code": message["code"]})

    async def receive(self):
        return await self.incoming.get()

    def say(self, message):
        self.incoming.put_nowait(message)

    @property
    def frames(self):
        return [one["text"] for one in self.sent if one["type"] == "websocket.send"]

    @property
    def closed(self):
        return [one["code"] for one in self.sent if one["type"] == "websocket.close"]


async def until(holds, what="it happens"):
    """Wait until `holds()`; fails where it never does."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110 - what is waited for rings no bell
                await asyncio.sleep(0.002)
    assert holds(), f"waited in vain until {what}"
