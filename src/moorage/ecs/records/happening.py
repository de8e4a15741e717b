"""A happening: one entry of a cluster's timeline, with what caused it."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Happening(Record):
    """One thing that happened in a cluster (an ARN).

    `kind` is its subject, a hyphen and what became of it: `task-started`, `host-lost`. What it
    concerns stands in `service` (a name), `instance` (an ARN), `task` and `deployment` (ids), each
    "" where there is none. `text` says what happened and why; `cause` which call, and whose, made
    it happen, "" where the scheduler did so by itself. `moment` orders the newest before the older.
    `host` is the host's own name in what tells of hosts: its row is forgotten long before this.
    """

    cluster: str
    kind: str
    text: str
    service: str = ""
    instance: str = ""
    task: str = ""
    deployment: str = ""
    host: str = ""
    cause: str = ""
    at: Instant = Instant(0)
    moment: str = ""

    @property
    def subject(self) -> str:
        """What it is about: task, host, service, deployment, cluster, machine, freeze, brake."""
        return self.kind.partition("-")[0]
