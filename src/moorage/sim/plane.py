"""The control plane as a simulated process: composed as the gateway composes it, on other adapters.

Doors, agents' door, runner, operations, controllers and session machines are the real ones, on a
database in memory. A kill leaves what was committed, and nothing else; the next process is opened on
that. What the composition is made of stands in `Composition`, so that a test can put a broken part
in the place of a sound one.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import moorage.ecr.api as ecr
import moorage.ecs.api as ecs
import moorage.iam.api as iam
from moorage.ecs.agents import AgentTable
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.aws import Door, Ground
from moorage.gateway.compose import TABLES, own_api
from moorage.gateway.keyring import Keyring
from moorage.gateway.machines.foreman import Foreman, Sourced, configure
from moorage.gateway.rehearsal import Stage
from moorage.gateway.runner import Runner
from moorage.gateway.server import forget_answers
from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.fault import Fault
from moorage.ground.instant import as_datetime, minutes, seconds
from moorage.ground.principal import Kind
from moorage.ground.record import evolve
from moorage.iam.keys import Holder, issue
from moorage.iam.records.account import Account
from moorage.iam.store import accounts
from moorage.iam.trust import take
from moorage.kernel.api import Api
from moorage.kernel.controller import Controller
from moorage.kernel.site import PoolRule, Site
from moorage.sim.loop import Process
from moorage.sim.network import Host, Network
from moorage.sim.sight import Books, Commit, Row
from moorage.sim.tap import Killed, Tap, Trouble
from moorage.sim.world import BEGINNING, SkewedClock, World
from moorage.sql.inline import InlineDatabase
from moorage.sql.transaction import Transaction
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request, Response

ACCOUNT = "111122223333"
REGION = "us-east-1"
POOL = "yard"
NAME = "moor.sim:4750"
ENDPOINT = f"http://{NAME}"
SWEEP_SECONDS = 60.0
STORE_POLL_SECONDS = 1.0
REFUSED_STATUS = 400
WORDS_MAX = 160
COMMIT_SECONDS = (0.000_2, 0.004)
WORKS_AT_ONCE_MAX = 8
TIMELINE = "timeline"
WATCHED = (
    "tasks",
    "services",
    "service_deployments",
    "container_instances",
    "freezes",
    "task_definitions",
    "machines",
    "pools",
    TIMELINE,
)


class PlainVault:
    """Port Vault that seals nothing: in a simulated world there is nobody to keep a secret from."""

    def seal(self, secret: str) -> str:
        """The secret, marked."""
        return f"sealed:{secret}"

    def reveal(self, sealed: str) -> str:
        """The secret."""
        return sealed.removeprefix("sealed:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a control plane is made of."""

    apis: Callable[[], Sequence[Api]] = lambda: (ecs.ECS, ecr.ECR, iam.STS, own_api())
    controllers: Sequence[Controller] = ecs.CONTROLLERS
    agents: AgentTable = ecs.AGENT
    runner: type[Runner] = Runner
    door: type[Door] = Door
    links: type[AgentsDoor] = AgentsDoor
    database: type[InlineDatabase] = InlineDatabase


@cache
def blank() -> bytes:
    """A database with the schema and no rows: the same for every world, and made once a process."""
    database = InlineDatabase(clock=ManualClock(BEGINNING), chance=SeededChance(0), tables=TABLES)
    image = database.image()
    database.close()
    return image


def site() -> Site:
    """The settings of a simulated site: the defaults, but that what takes time takes less of it."""
    return Site(
        names=(NAME,),
        settle=seconds(5),
        stopped_task_retention=minutes(60),
        progress_deadline=minutes(2),
        provisioning_timeout=minutes(2),
        rebalance_moves_max=2,
        rebalance_pause=seconds(5),
        rebalance_settling=seconds(20),
        pools=(
            PoolRule(
                name=POOL,
                account=ACCOUNT,
                region=REGION,
                size_max=3,
                join=minutes(1),
                scale_in=seconds(40),
                drain=minutes(2),
            ),
        ),
    )


class ControlPlane:
    """The machine on which the server runs, and the process that it is now."""

    def __init__(self, world: World, network: Network, composition: Composition) -> None:
        """Not started yet."""
        self.world = world
        self.network = network
        self.composition = composition
        self.host = Host("server")
        self.clock = SkewedClock(world)
        self.site = site()
        self.process: Process | None = None
        self.number = 0
        self.commits = 0
        self.trouble = Trouble(lambda: world.now)
        self.books: dict[str, dict[tuple[Any, ...], Any]] = {name: {} for name in WATCHED}
        self.sight = Books(self.books)
        self.watchers: list[Callable[[Commit], None]] = []
        self.on_death: list[Callable[[], None]] = []
        self.on_start: list[Callable[[], None]] = []
        # Where the machines of pools come from; none are made without.
        self.sourced: tuple[Sourced, ...] = ()
        self.keys: dict[str, Credentials] = {}
        self._image = blank()
        self._chance = world.chance_of("server")
        self._pace = world.chance_of("commits")
        self._database: InlineDatabase | None = None
        self._door: Door | None = None
        self._links: AgentsDoor | None = None
        self._runner: Runner | None = None
        self._ringing = False
        self._latest = BEGINNING

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a server on what the last one committed."""
        assert self.process is None or self.process.dead, "one server a database"
        self.number = number = self.number + 1
        self.world.tell("server starts", number)
        process = self.process = self.world.process(f"server-{number}")
        self.host.process = process
        tables = {table.name: table for table in TABLES if table.name in WATCHED}
        self.trouble.clear()
        database = self._database = self.composition.database(
            clock=self.clock,
            chance=self._chance,
            tables=TABLES,
            image=self._image,
            lens=lambda cursor: Tap(
                cursor, tables, self.books, self.trouble, partial(self._committed, number)
            ).disguised(),
        )
        if not self.keys:
            self.keys = database.write(self._first_keys).result()
            database.write(lambda tx: take(tx, "none")).result()
            configure(database, self.site)
        vault = PlainVault()
        ground = Ground(
            database=database,
            clock=self.clock,
            chance=self._chance,
            site=self.site,
            vault=vault,
            keyring=Keyring(vault),
        )
        database.watch(ground.keyring.changed)
        stage = Stage(
            self.site,
            self.clock,
            self.composition.controllers,
            ecs.FORESEE,
            {"ecs": ecs.ECS.operations, "moorage": ecs.FORESEEN},
        )
        self._door = self.composition.door(ground, tuple(self.composition.apis()), stage)
        self._links = self.composition.links(ground, self._door, self.composition.agents)
        self._ringing = False
        for listener in self.on_start:
            listener()
        database.paced(self._ring)
        process.call_soon(lambda: process.create_task(self._main(database)))

    def kill(self) -> None:
        """Kill the server; what it had committed is kept."""
        process, database = self.process, self._database
        if process is None or process.dead or database is None:
            return
        self.world.tell("server dies", self.number)
        process.kill()
        self._image = database.image()
        self._database = None
        self.network.process_died(process)
        for listener in self.on_death:
            listener()

    def rows(self, name: str) -> dict[tuple[Any, ...], Any]:
        """The rows of a watched table as they are stored, by their keys."""
        assert self._database is not None, "a server runs"
        table = next(table for table in TABLES if table.name == name)
        found = self._database.look(table.query().all).result()
        return {tuple(getattr(one, key) for key in table.keys): one for one in found}

    @property
    def is_up(self) -> bool:
        """Whether a server runs."""
        return self.process is not None and not self.process.dead

    # --- doors -----------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Answer one request, bytes in and bytes out."""
        assert self._door is not None, "it has started"
        response = await self._door.answer(request)
        if response.status >= REFUSED_STATUS:
            self.world.tell("server refuses", _operation(request), response.body[:WORDS_MAX])
        # As uvicorn says it: clients whose clocks are wrong sign by it.
        date = as_datetime(self.clock.now()).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return evolve(response, headers=(*response.headers, ("date", date)))

    async def serve(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve one websocket of an agent."""
        assert self._links is not None, "it has started"
        await self._links.serve(scope, receive, send)

    # --- inside ----------------------------------------------------------------------------------

    async def _main(self, database: InlineDatabase) -> None:
        """What `gateway.server` does, but for what a simulated world has no use for."""
        assert self._links is not None, "it is composed"
        runner = self._runner = self.composition.runner(
            database, self.clock, self.site, self.composition.controllers
        )
        database.watch(runner.changed)
        database.watch(self._links.changed)
        await self._links.begin()
        foreman = Foreman(database, self.clock, self.site, self.sourced)
        database.watch(foreman.changed)
        loop = asyncio.get_running_loop()
        parts = [
            loop.create_task(runner.run()),
            loop.create_task(foreman.run()),
            loop.create_task(self._sweep(database)),
            loop.create_task(self._watch_store(database)),
        ]
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            error = part.exception()
            if error is not None:
                self.world.failed("server", "a part of it has ended", error)
        self.world.after(0.0, self.kill)

    async def _sweep(self, database: InlineDatabase) -> None:
        while self.is_up:
            await asyncio.sleep(SWEEP_SECONDS)
            with contextlib.suppress(Fault):  # as the server does: the next round tries again
                await forget_answers(database)

    async def _watch_store(self, database: InlineDatabase) -> None:
        while database.failure() is None:  # noqa: ASYNC110 - as the server does
            await asyncio.sleep(STORE_POLL_SECONDS)

    def _first_keys(self, tx: Transaction) -> dict[str, Credentials]:
        accounts.create(tx, Account(id=ACCOUNT, name="main", created_at=tx.now))
        keys: dict[str, Credentials] = {}
        kinds: tuple[Kind, ...] = ("operator", "root")
        for kind in kinds:
            holder = Holder(account=ACCOUNT, kind=kind, name="main", region=REGION)
            key, secret = issue(tx, PlainVault(), holder)
            keys[kind] = Credentials(access_key_id=key.id, secret_access_key=secret)
        return keys

    def _ring(self) -> None:
        if not self._ringing and self.process is not None:
            self._ringing = True
            self.process.call_later(self._pace.uniform(*COMMIT_SECONDS), self._turn)

    def _turn(self) -> None:
        self._ringing = False
        database = self._database
        assert database is not None, "the process lives"
        try:
            more = database.turn(1 + self._pace.below(WORKS_AT_ONCE_MAX))
        except Killed:
            self.kill()
            return
        if more:
            self._ring()

    def _committed(self, server: int, rows: Sequence[Row]) -> None:
        self.commits += 1
        # As the database counts it: a wall clock that is set back does not turn time back there.
        self._latest = max(self._latest, self.clock.now())
        # Of what the timeline tells the rows themselves are in the trace.
        shown = [_shown(row) for row in rows if row.table != TIMELINE]
        self.world.tell("commit", self.commits, *shown)
        commit = Commit(
            number=self.commits,
            server=server,
            at=self.world.now,
            now=self._latest,
            rows=tuple(rows),
        )
        for watcher in self.watchers:
            watcher(commit)


def _operation(request: Request) -> str:
    return (request.get("x-amz-target") or "").rpartition(".")[2]


def _shown(row: Row) -> str:
    """A row in the trace: what it is, and what of it changed."""
    after, before = row.after, row.before
    if after is None:
        return f"-{row.table}:{_name(before)}"
    if row.table == "tasks":
        return (
            f"task:{after.id[:8]}@{after.instance[-8:]}={after.last_status}/{after.desired_status}"
        )
    if row.table == "container_instances":
        here = "here" if after.connected else after.disconnection
        return f"host:{after.name}={after.status},{here},{after.loss or 'known'}"
    return f"{row.table}:{_name(after)}={getattr(after, 'status', '')}"


def _name(record: Any) -> str:
    return str(getattr(record, "name", "") or getattr(record, "id", ""))[:24]
