"""Mounts the registry's data plane: its Desk over our database, its Exchange over our connection."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from moorage.ecr.distribution.exchange import Caller, ClientCut
from moorage.ecr.distribution.route import Distribution
from moorage.gateway.aws import Ground
from moorage.gateway.exchange import Receive, Scope, Send, StreamedExchange
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

_T = TypeVar("_T")
_log = logging.getLogger("moorage.registry")


class DatabaseDesk:
    """Runs the data plane's questions as transactions; implements exchange.Desk."""

    def __init__(self, ground: Ground) -> None:
        """Stand on the gateway's database."""
        self._ground = ground

    async def read(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Run a work that writes nothing."""
        return await asyncio.wrap_future(self._ground.database.read(self._called(caller, work)))

    async def write(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Run a work that writes; its answer is durable when it is given."""
        return await asyncio.wrap_future(self._ground.database.write(self._called(caller, work)))

    def _called(self, caller: Caller, work: Callable[[Call], _T]) -> Callable[[Transaction], _T]:
        ground = self._ground

        def called(tx: Transaction) -> _T:
            return work(
                Call(
                    tx=tx,
                    principal=caller.principal,
                    account=caller.account,
                    region=caller.region,
                    site=ground.site,
                    vault=ground.vault,
                )
            )

        return called


class RegistryDoor:
    """Where registry clients come in."""

    def __init__(self, distribution: Distribution) -> None:
        """Take the data plane."""
        self._distribution = distribution

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one exchange under /v2/; a client that went away is no error."""
        exchange = StreamedExchange(scope, receive, send)
        try:
            await self._distribution.answer(exchange)
        except ClientCut:
            _log.info("the client of %s %s went away", exchange.method, exchange.path)
        except Exception:  # noqa: BLE001 - the gateway's edge
            _log.exception("%s %s failed by a fault of ours", exchange.method, exchange.path)
            if not exchange.started:
                body = b'{"errors":[{"code":"UNKNOWN","message":"internal error; see the log"}]}'
                await exchange.answer(500, {"content-type": "application/json"}, body)
