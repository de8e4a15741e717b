"""Machines in memory: the peer of the sources in tests."""

from moorage.gateway.machines.port import MachinesFailed, Order


class MemoryMachines:
    """Keeps what it was told; says no for as long as `broken` holds a sentence."""

    def __init__(self) -> None:
        """Begin without a machine."""
        self.orders: dict[str, Order] = {}
        self.made = 0
        self.broken = ""

    async def create(self, order: Order) -> None:
        """Have the machine; raises MachinesFailed while broken."""
        self._heed()
        if order.name not in self.orders:
            self.made += 1
            self.orders[order.name] = order

    async def destroy(self, name: str) -> None:
        """Have it no more; raises MachinesFailed while broken."""
        self._heed()
        self.orders.pop(name, None)

    async def list(self) -> frozenset[str] | None:
        """The names; raises MachinesFailed while broken."""
        self._heed()
        return frozenset(self.orders)

    async def aclose(self) -> None:
        """Nothing to be done."""

    def _heed(self) -> None:
        if self.broken:
            raise MachinesFailed(self.broken)
