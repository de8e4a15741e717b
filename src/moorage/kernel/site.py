"""What operations and controllers may know of the installation they run in."""

from typing import Protocol

from moorage.ground.instant import Duration, hours, minutes, seconds
from moorage.ground.record import Record


class Vault(Protocol):
    """Seals what must be recovered, with the key that lies outside the database."""

    def seal(self, secret: str) -> str:
        """An encrypted text that only `reveal` opens."""
        ...

    def reveal(self, sealed: str) -> str:
        """The secret; asserts where the text was sealed with another key."""
        ...


class PoolRule(Record):
    """A pool of hosts of the settings, as far as decisions depend on it.

    Its hosts join `cluster`; there are `size_min` to `size_max` of them. A machine has `join` to
    become a host; a surplus is taken away when it has lasted for `scale_in`; a host that goes is
    drained for `drain` at the most.
    """

    name: str
    account: str
    region: str
    cluster: str = "default"
    size_min: int = 0
    size_max: int = 1
    join: Duration = minutes(10)
    scale_in: Duration = minutes(15)
    drain: Duration = hours(48)


class Site(Record):
    """The settings that decisions depend on; made once, by the composition root.

    `names` are the public names of this server as `host:port`, the first is the one shown;
    `scheme` is what is served there. Each duration's default and reason stand in the settings.
    """

    names: tuple[str, ...]
    scheme: str = "http"
    regions: tuple[str, ...] = ("us-east-1",)
    operator_account: str = "000000000000"
    settle: Duration = seconds(40)
    stopped_task_retention: Duration = hours(24)
    reserved_ports: tuple[int, ...] = ()
    steady_state_repeat: Duration = hours(6)
    start_failure_within: Duration = seconds(30)
    start_backoff_reset: Duration = minutes(5)
    progress_deadline: Duration = minutes(10)
    suspect_after: Duration = seconds(8)
    lost_after: Duration = seconds(12)
    closed_grace: Duration = seconds(60)
    goodbye_grace: Duration = minutes(5)
    reconnect_window: Duration = seconds(60)
    engine_grace: Duration = seconds(60)
    flapping_window: Duration = minutes(10)
    flapping_rest: Duration = minutes(5)
    brake_window: Duration = seconds(60)
    brake_timeout: Duration = minutes(15)
    brake_pace: Duration = minutes(1)
    heal_after: Duration = seconds(10)
    fence_after: Duration = seconds(60)
    fence_margin: Duration = seconds(10)
    post_mortem_retention: Duration = hours(7 * 24)
    avoid_failures: int = 5
    avoid_window: Duration = minutes(5)
    avoid_rest: Duration = minutes(15)
    provisioning_timeout: Duration = minutes(10)
    provisioning_tasks: int = 500
    pools: tuple[PoolRule, ...] = ()
    rebalance_moves_max: int = 0
    rebalance_pause: Duration = seconds(10)
    rebalance_settling: Duration = minutes(2)

    def pool(self, account: str, region: str, name: str) -> PoolRule | None:
        """The pool of that name in an account and region, or None."""
        wanted = (account, region, name)
        return next(
            (one for one in self.pools if (one.account, one.region, one.name) == wanted), None
        )

    def pools_of(self, account: str, region: str, cluster: str) -> tuple[PoolRule, ...]:
        """The pools whose hosts join a cluster."""
        wanted = (account, region, cluster)
        return tuple(one for one in self.pools if (one.account, one.region, one.cluster) == wanted)

    @property
    def name(self) -> str:
        """The public name that answers show."""
        return self.names[0]

    @property
    def endpoint(self) -> str:
        """The URL of this server that answers show."""
        return f"{self.scheme}://{self.name}"
