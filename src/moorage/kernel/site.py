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

    @property
    def name(self) -> str:
        """The public name that answers show."""
        return self.names[0]

    @property
    def endpoint(self) -> str:
        """The URL of this server that answers show."""
        return f"{self.scheme}://{self.name}"
