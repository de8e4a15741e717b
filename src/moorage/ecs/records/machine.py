"""A machine: one that a pool's source made, or is to make, for a host; and what is known of a pool."""

from typing import Literal

from moorage.ecs.records.resources import Resources
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.ground.record import Record

MachineStatus = Literal["CREATING", "JOINING", "JOINED", "RETIRING", "DESTROYING"]


class Machine(Record):
    """One machine of one pool; `name` is its host's, and nobody else's in the cluster.

    CREATING and DESTROYING are orders to the pool's source, tried from `due_at` on, `tries` times
    so far; `reason` says what went wrong last. JOINING: it was made at `made_at` and its host is
    not there yet. RETIRING: its host (`instance`, an ARN) is being drained.
    """

    account: str
    region: str
    cluster: str
    pool: str
    id: str
    name: str
    status: MachineStatus
    created_at: Instant
    due_at: Instant
    tries: int = 0
    reason: str = ""
    made_at: Instant | None = None
    joined_at: Instant | None = None
    instance: str = ""
    version: int = 1

    @property
    def cluster_arn(self) -> str:
        """The ARN of the cluster, by which hosts find their machine."""
        return make_arn("cluster", self.region, self.account, self.cluster)


class Pool(Record):
    """What is remembered of a pool of hosts; its bounds stand in the settings.

    `host` is the size of the newest host that joined. `failures` in a row to make a machine that
    joins: nothing is made before `retry_at`; `reason` is that of the newest one. `reservation` is
    CapacityProviderReservation as it was last measured, in percent, and `low_since` since when
    there have been more hosts than needed.
    """

    account: str
    region: str
    name: str
    host: Resources | None = None
    wanted: int = 0
    reservation: int = 100
    low_since: Instant | None = None
    failures: int = 0
    failed_at: Instant | None = None
    retry_at: Instant | None = None
    reason: str = ""
    version: int = 1

    @property
    def key(self) -> str:
        """The key under which the pool's controller is woken."""
        return f"{self.account}/{self.region}/{self.name}"
