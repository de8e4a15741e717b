"""The data plane's door: /v2/ paths to handlers by one table, faults to OCI errors.

OCI distribution specification 1.1, "Endpoints". `HOST/NAME` means the registry that the token was
made for, `HOST/ACCOUNT/REGION/NAME` says which; nothing crosses accounts. A host may only pull.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from moorage.blob.store import BlobStore, Refusal
from moorage.ecr.distribution import blobs, manifests, tags, uploads
from moorage.ecr.distribution.errors import (
    API_VERSION,
    Refused,
    body_of,
    refused_by_fault,
    refused_by_store,
)
from moorage.ecr.distribution.exchange import Desk, Exchange
from moorage.ecr.distribution.login import Logins, RegistryCaller
from moorage.ecr.distribution.sweep import Sweeper
from moorage.ecr.distribution.visit import Registry, Visit
from moorage.ecr.records.login import Login
from moorage.ecr.rules.reference import RepositoryPath, parse_repository
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration
from moorage.kernel.site import Site

Handler = Callable[[Visit], Awaitable[None]]
ROOTS = frozenset({"/v2", "/v2/"})
READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Route:
    """A form of paths, and its handlers by method."""

    path: re.Pattern[str]
    handlers: Mapping[str, Handler]


def _route(path: str, **handlers: Handler) -> Route:
    return Route(re.compile(f"(?P<prefix>/v2/(?P<name>.+)){path}", re.ASCII), handlers)


# The first that matches counts: an upload's path has the form of a blob's.
ROUTES = (
    _route("/blobs/uploads/?", POST=uploads.begin),
    _route(
        "/blobs/uploads/(?P<upload>[^/]+)",
        GET=uploads.status,
        PATCH=uploads.append,
        PUT=uploads.finish,
        DELETE=uploads.cancel,
    ),
    _route("/blobs/(?P<digest>[^/]+)", HEAD=blobs.head, GET=blobs.get, DELETE=blobs.delete),
    _route(
        "/manifests/(?P<reference>[^/]+)",
        HEAD=manifests.head,
        GET=manifests.get,
        PUT=manifests.put,
        DELETE=manifests.delete,
    ),
    _route("/tags/list", GET=tags.get),
)


class Distribution:
    """The registry under /v2/ of one server."""

    def __init__(
        self, desk: Desk, blobs: BlobStore, clock: Clock, chance: Chance, site: Site
    ) -> None:
        """Take the ports; nothing runs before the first exchange."""
        self._registry = Registry(desk, blobs, clock, site)
        self._logins = Logins(desk, clock, site)
        self._sweeper = Sweeper(self._registry, chance)

    async def answer(self, exchange: Exchange) -> None:
        """Answer one exchange; raises ClientCut, and nothing else but for a fault of ours."""
        try:
            await self._answer(exchange)
        except Refused as refused:
            await _refuse(exchange, refused)
        except Fault as fault:
            await _refuse(exchange, _with_advice(exchange, refused_by_fault(fault)))
        except Refusal as refusal:
            await _refuse(exchange, refused_by_store(refusal))

    async def sweep(self, upload_expiry: Duration) -> None:
        """Throw away what has outlived its use; called every minute."""
        await self._sweeper.sweep(upload_expiry)

    def keeping_blobs(self) -> AbstractAsyncContextManager[None]:
        """While this is open, the bytes of no blob go: for whoever copies rows first, bytes then."""
        return self._sweeper.held()

    async def _answer(self, exchange: Exchange) -> None:
        login = await self._logins.who(exchange.header("authorization"))
        if exchange.path in ROOTS:
            _check_method(exchange, READING)
            body = b"" if exchange.method == "HEAD" else b"{}"
            await exchange.answer(200, {**API_VERSION, "content-type": "application/json"}, body)
            return
        route, parts = _find(exchange.path)
        _check_method(exchange, route.handlers.keys())
        path = parse_repository(parts["name"])
        if path is None:
            raise Refused("NAME_INVALID")
        await route.handlers[exchange.method](
            Visit(
                registry=self._registry,
                exchange=exchange,
                caller=_admit(self._registry.site, exchange, login, path),
                prefix=parts["prefix"],
                name=path.name,
                parts=parts,
            )
        )


def _find(path: str) -> tuple[Route, dict[str, str]]:
    for route in ROUTES:
        match = route.path.fullmatch(path)
        if match is not None:
            return route, match.groupdict()
    raise Refused("UNSUPPORTED", "the registry has nothing under this path", status=404)


def _check_method(exchange: Exchange, allowed: Collection[str]) -> None:
    if exchange.method not in allowed:
        raise Refused("UNSUPPORTED", headers={"allow": ", ".join(sorted(allowed))})


def _admit(site: Site, exchange: Exchange, login: Login, path: RepositoryPath) -> RegistryCaller:
    """Who asks for whose registry; raises Refused where the token does not open it."""
    account, region = path.account or login.account, path.region or login.region
    if account != login.account:
        raise Refused("DENIED", f"the token is not of the account {account}")
    if region not in site.regions:
        raise Refused("NAME_UNKNOWN", f"this registry has no region {region}")
    if login.principal.kind == "host" and exchange.method not in READING:
        raise Refused("DENIED", "a host's token only pulls")
    return RegistryCaller(principal=login.principal, account=account, region=region)


def _with_advice(exchange: Exchange, refused: Refused) -> Refused:
    """What is missing is named; for a push, so is the command that mends it."""
    if refused.code == "NAME_UNKNOWN" and exchange.method not in READING:
        name = re.search(r"name '([^']+)'", refused.message)
        if name is not None:
            refused.message += f". Create it: aws ecr create-repository --repository-name {name[1]}"
    return refused


async def _refuse(exchange: Exchange, refused: Refused) -> None:
    if exchange.started:
        # What was answered stands; only a pull's time, written afterwards, can fail here.
        return
    headers = {**API_VERSION, "content-type": "application/json", **refused.headers}
    body = body_of(refused)
    if exchange.method == "HEAD":
        headers["content-length"] = str(len(body))
        body = b""
    await exchange.answer(refused.status, headers, body)
