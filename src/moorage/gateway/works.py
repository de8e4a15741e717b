"""What one host's link does in the database: each work a transaction in the host's own name."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.gateway.aws import Ground
from moorage.ground.fault import Fault
from moorage.ground.principal import Principal
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

# Hosts whose works the database is given at once: thousands that come back together do not fill its
# queue, where the calls of people wait, too.
TURNS_AT_ONCE = 32
RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 15.0
_T = TypeVar("_T")
_log = logging.getLogger("moorage.agents")


class Works:
    """One host's works, and the pause after one that came to nothing."""

    __slots__ = ("_account", "_arn", "_failures", "_ground", "_region", "_retry", "_ring", "turn")

    def __init__(
        self,
        ground: Ground,
        instance: ContainerInstance,
        turns: asyncio.Semaphore | None,
        ring: Callable[[], None],
    ) -> None:
        """Share turns with other hosts, and `ring` when a work is to be tried again.

        Who runs works holds the `turn`; what changes while one waits for it is part of them.
        """
        self._ground = ground
        self._arn = instance.arn
        self._account = sys.intern(instance.account)
        self._region = sys.intern(instance.region)
        self.turn = turns or asyncio.Semaphore(TURNS_AT_ONCE)
        self._ring = ring
        self._failures = 0
        self._retry: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[[Call], _T]) -> _T:
        """Run a work that writes; raises what it raises."""
        ground = self._ground

        def called(tx: Transaction) -> _T:
            return work(
                Call(
                    tx=tx,
                    principal=Principal(kind="host", account=self._account, instance=self._arn),
                    account=self._account,
                    region=self._region,
                    site=ground.site,
                    vault=ground.vault,
                )
            )

        return await asyncio.wrap_future(ground.database.write(called))

    async def kept(self, what: str, work: Coroutine[Any, Any, object]) -> bool:
        """Whether a work was done; one that was not is to be tried again, after a growing pause."""
        try:
            await work
        except Fault as fault:
            _log.warning("%s of %s is not kept now: %s", what, self._arn, fault.message)
        except Exception:  # noqa: BLE001 - the gateway's edge: one host's trouble is its own
            _log.exception("%s of %s failed by a fault of ours", what, self._arn)
        else:
            self._failures = 0
            return True
        self._failures += 1
        pause = min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(self._failures - 1, 8))
        self.close()
        self._retry = asyncio.get_running_loop().call_later(pause, self._ring)
        return False

    def close(self) -> None:
        """Try nothing again."""
        if self._retry is not None:
            self._retry.cancel()
