"""Port Machines: a source of machines for hosts."""

from collections.abc import Mapping
from typing import Protocol

from moorage.ground.record import Record


class MachinesFailed(Exception):  # noqa: N818 - an expected outcome, kept as the order's reason
    """The source could not do it now; the message says why, and holds no secret."""


class Order(Record):
    """One machine to be made.

    `name` is the name of its host and the idempotency key at once: made twice, it is one machine.
    `token` is good once, for a host of that name alone; a secret.
    """

    name: str
    pool: str
    cluster: str
    region: str
    account: str
    endpoint: str
    token: str
    zone: str = ""
    attributes: Mapping[str, str] = {}


class Machines(Protocol):
    """A source of machines. Each may be asked the same twice: a server may end between."""

    async def create(self, order: Order) -> None:
        """See to it that the machine is there and its agent joins; raises MachinesFailed.

        Where a machine of that name is there already it is left as it is; one that is there only
        in part (its agent has ended) is completed.
        """
        ...

    async def destroy(self, name: str) -> None:
        """See to it that the machine is gone; one that is not there is gone. MachinesFailed."""
        ...

    async def list(self) -> frozenset[str] | None:
        """The names of the machines that are there; None where this source cannot tell.

        Raises MachinesFailed.
        """
        ...

    async def aclose(self) -> None:
        """The server ends. What runs elsewhere runs on."""
        ...
