"""The life of one AWS request, on one page: route, verify, decode, run, encode.

`Door.answer` takes bytes in and gives bytes out; all that it decides, it asks of the rooms below.
A fault becomes the protocol's error; a broken invariant becomes a 500 with the request id, and
its trace goes to the log.
"""

import asyncio
import itertools
import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from moorage.gateway import rehearsal
from moorage.gateway.keyring import Keyring, KnownKey
from moorage.gateway.rehearsal import Stage
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.fault import (
    Fault,
    Internal,
    MissingAuthentication,
    UnrecognizedClient,
    Unsupported,
)
from moorage.ground.instant import Duration, in_seconds
from moorage.ground.principal import Principal
from moorage.iam.authorize import authorize
from moorage.iam.keys import bind
from moorage.kernel.api import Api
from moorage.kernel.call import Call
from moorage.kernel.operation import NEWCOMERS, Operation
from moorage.kernel.perform import check, perform
from moorage.kernel.site import Site, Vault
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction, Work
from moorage.wire import json11, query, route, sigv4
from moorage.wire.request import Request, Response

STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
STS_VERSION = "2011-06-15"
OWN_SERVICE = "moorage"
_log = logging.getLogger("moorage.api")
# Who calls, in which region, which operation, and the request's id.
_Call = tuple[Principal, str, Operation[Any, Any], str]
_ANONYMOUS = Principal(kind="anonymous", account="")


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What every door of the gateway stands on."""

    database: Database
    clock: Clock
    chance: Chance
    site: Site
    vault: Vault
    keyring: Keyring


class Door:
    """Where AWS requests come in."""

    def __init__(self, ground: Ground, apis: Sequence[Api], stage: Stage | None = None) -> None:
        """Take the tables of all services; without a stage there are no dry runs."""
        self.ground = ground
        self._stage = stage
        # Ids tell requests apart and keep no secret: random once, then counted.
        self._request_ids = (
            f"{ground.chance.hex(8)}-{ground.chance.hex(4)}-{ground.chance.hex(4)}-"
            f"{ground.chance.hex(4)}-{{:012x}}"
        ).format
        self._numbers = itertools.count(1)
        self._apis = {api.service: api for api in apis}
        self._table = route.Table(
            prefixes={
                api.target: route.Target(service=api.service, protocol="json-1.1") for api in apis
            },
            versions={
                STS_VERSION: route.Target(service="sts", protocol="query", namespace=STS_NAMESPACE)
            },
        )

    async def answer(self, request: Request) -> Response:
        """Answer one request; never raises but for a cancelled task."""
        started = self.ground.clock.monotonic()
        request_id = self.new_request_id()
        way: route.Route | None = None
        who = _ANONYMOUS
        dry = False
        try:
            way = route.route(request, self._table)
            api = self._apis[way.service]
            operation = api.find(way.operation)
            dry = rehearsal.is_wanted(request) and operation.writes
            who, region = await self._caller(request, way, operation)
            decoded = _decode(request, way, operation)
            check(api, decoded)
            call = (who, region, operation, request_id)
            if dry:
                response, code = await self._rehearse(way, call, decoded), "rehearsed"
            else:
                response = _encode(await self._run(call, decoded), way, request_id)
                code = "ok"
        except Fault as fault:
            response, code = _refuse(fault, way, request_id), fault.code
            if who.kind == "host" and way is not None:
                _log.warning("%s: the host %s is refused: %s", way.operation, who.name, fault)
        except Exception:  # noqa: BLE001 - the gateway's edge: the caller gets an id, the log the trace
            _log.exception("request %s failed by a fault of ours", request_id)
            broken = Internal(
                f"Internal error. The log says more under the request id {request_id}."
            )
            response, code = _refuse(broken, way, request_id), broken.code
        spent = Duration(self.ground.clock.monotonic() - started)
        self._record(request_id, who, way, code, spent)
        return rehearsal.marked(response) if dry else response

    async def verified(self, request: Request, service: str) -> tuple[Principal, str]:
        """Who signed `request` for `service`, and for which region; raises the faults of sigv4."""
        ground = self.ground
        asked: list[str] = []
        known: KnownKey | None = None

        def lookup(key: str) -> str | None:
            nonlocal known
            asked.append(key)
            known = known or ground.keyring.get(key)
            return known.secret if known else None

        try:
            proof = sigv4.verify(request, lookup, ground.clock.now(), service, ground.site.regions)
        except UnrecognizedClient:
            known = await self._load(asked[0]) if asked else None
            if known is None:
                raise
            proof = sigv4.verify(request, lookup, ground.clock.now(), service, ground.site.regions)
        assert known is not None, "whose signature was verified, has a key"
        if known.unused:
            await self._take_over(known.principal)
        return known.principal, proof.region

    async def _take_over(self, who: Principal) -> None:
        """A new key of a host is used for the first time: the old one is good no more."""
        await asyncio.wrap_future(
            self.ground.database.write(lambda tx: bind(tx, who.access_key_id, who.instance))
        )

    async def _caller(
        self, request: Request, way: route.Route, operation: Operation[Any, Any]
    ) -> tuple[Principal, str]:
        try:
            return await self.verified(request, way.service)
        except MissingAuthentication:
            if operation.callers is not NEWCOMERS:
                raise
            return _ANONYMOUS, self.ground.site.regions[0]

    async def _run(self, call: _Call, request: Any) -> msgspec.Struct:
        database, work = self.ground.database, self._work(call, request)
        run = database.write if call[2].writes else database.look
        return await asyncio.wrap_future(run(work))

    async def _rehearse(self, way: route.Route, call: _Call, request: Any) -> Response:
        """Do a write and all that follows from it, and take it back; answers what it came to."""
        name, stage = call[2].name, self._stage
        if stage is None or not stage.covers(way.service, name):
            raise Unsupported(f"There is no dry run of {way.service}:{name}. Nothing was done.")
        work = self._work(call, request)
        try:
            await asyncio.wrap_future(
                self.ground.database.write(lambda tx: stage.play(tx, name, lambda: work(tx)))
            )
        except rehearsal.RolledBack as back:
            return rehearsal.render(back.outcome, call[3])

    def _work(self, call: _Call, request: Any) -> Work[msgspec.Struct]:
        principal, region, operation, request_id = call
        ground = self.ground

        def work(tx: Transaction) -> msgspec.Struct:
            return perform(
                Call(
                    tx=tx,
                    principal=principal,
                    account=principal.account,
                    region=region,
                    site=ground.site,
                    vault=ground.vault,
                    operation=operation.name,
                    request_id=request_id,
                ),
                operation,
                request,
                authorize,
            )

        return work

    async def _load(self, key: str) -> KnownKey | None:
        ground, age = self.ground, self.ground.keyring.age
        known = await asyncio.wrap_future(
            ground.database.look(lambda tx: ground.keyring.load(tx, key))
        )
        if known is not None:
            ground.keyring.keep(known, age)
        return known

    def new_request_id(self) -> str:
        """An id that an answer and the log both carry."""
        return self._request_ids(next(self._numbers))

    def _record(
        self, request_id: str, who: Principal, way: route.Route | None, code: str, spent: Duration
    ) -> None:
        _log.info(
            "request",
            extra={
                "request_id": request_id,
                "account": who.account,
                "operation": f"{way.service}:{way.operation}" if way else "",
                "code": code,
                "milliseconds": round(in_seconds(spent) * 1000, 2),
            },
        )


def _decode(request: Request, way: route.Route, operation: Operation[Any, Any]) -> Any:
    if way.protocol == "query":
        return query.decode(query.form(request), operation.request)
    return json11.decode(request.body, operation.request)


def _encode(answer: msgspec.Struct, way: route.Route, request_id: str) -> Response:
    if way.protocol == "query":
        return query.render(answer, way.operation, way.target.namespace, request_id)
    return json11.render(answer, request_id)


def _refuse(fault: Fault, way: route.Route | None, request_id: str) -> Response:
    if way is not None and way.protocol == "query":
        return query.render_fault(fault, way.target.namespace, request_id)
    return json11.render_fault(fault, request_id)
