"""Who calls, where and when: what every operation is handed first."""

from dataclasses import dataclass

from moorage.ground.chance import Chance
from moorage.ground.instant import Instant
from moorage.ground.principal import Principal
from moorage.kernel.site import Site, Vault
from moorage.sql.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one operation: its caller, its account and region, its one transaction.

    `account` and `region` are where state is looked up: nothing crosses them.
    """

    tx: Transaction
    principal: Principal
    account: str
    region: str
    site: Site
    vault: Vault
    operation: str = ""
    request_id: str = ""

    @property
    def now(self) -> Instant:
        """The one instant of this call."""
        return self.tx.now

    @property
    def chance(self) -> Chance:
        """The one source of chance of this call."""
        return self.tx.chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of one controller for one key: its transaction, and the site's settings."""

    tx: Transaction
    site: Site

    @property
    def now(self) -> Instant:
        """The one instant of this turn."""
        return self.tx.now

    @property
    def chance(self) -> Chance:
        """The one source of chance of this turn."""
        return self.tx.chance
