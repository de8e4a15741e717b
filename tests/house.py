"""A house in memory for tests: a database, a site, a call; no server and no network."""

from collections.abc import Callable
from typing import Any, TypeVar

from moorage.gateway.vault import AesVault
from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.principal import Principal
from moorage.kernel.call import Call
from moorage.kernel.operation import Operation
from moorage.kernel.perform import perform
from moorage.kernel.site import Site
from moorage.sql.engine import open_database

T = TypeVar("T")
ACCOUNT = "111122223333"
OTHER = "444455556666"
REGION = "us-east-1"


class House:
    """One database with the tables given; each call is a transaction of its own."""

    def __init__(self, tables: Any, **site: Any) -> None:
        self.clock = ManualClock()
        self.chance = SeededChance(7)
        self.vault = AesVault(b"m" * 32, self.chance)
        self.site = Site(names=("registry.test:4750",), **site)
        self.database = open_database(
            "sqlite://:memory:", clock=self.clock, chance=self.chance, tables=tables
        )

    def write(self, work: Callable[[Call], T], **members: Any) -> T:
        return self.database.write(lambda tx: work(self.call(tx, **members))).result()

    def read(self, work: Callable[[Call], T], **members: Any) -> T:
        return self.database.read(lambda tx: work(self.call(tx, **members))).result()

    def run(self, operation: Operation[Any, Any], request: Any, authorize=None, **members: Any):
        """Perform an operation as the gateway does."""
        members.setdefault("operation", operation.name)
        door = authorize or (lambda *_: None)
        run = self.write if operation.writes else self.read
        return run(lambda call: perform(call, operation, request, door), **members)

    def call(self, tx: Any, **members: Any) -> Call:
        principal = members.pop("principal", None) or root(members.get("account", ACCOUNT))
        return Call(
            tx=tx,
            principal=principal,
            account=members.pop("account", principal.account or ACCOUNT),
            region=members.pop("region", REGION),
            site=self.site,
            vault=self.vault,
            **members,
        )

    def close(self) -> None:
        self.database.close()


def root(account: str = ACCOUNT) -> Principal:
    return Principal(kind="root", account=account, access_key_id="AKIAROOT")


def host(instance: str = "", account: str = ACCOUNT) -> Principal:
    return Principal(
        kind="host", account=account, name="host-1", access_key_id="AKIAHOST", instance=instance
    )
