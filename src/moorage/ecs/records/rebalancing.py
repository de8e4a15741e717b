"""What is kept of rebalancing: of each service, and of each cluster."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record

# Why a task moves: its zone has too many of its service, its host has, or its host has too many
# tasks of all services.
RelocationKind = Literal["zone", "host", "load"]


class Relocation(Record):
    """One task that shall move: a successor starts on `instance` (an ARN), then `task` (an ARN) stops.

    `why` says it to people.
    """

    task: str
    instance: str
    kind: RelocationKind
    why: str


class Rebalancing(Record):
    """What a service knows of its rebalancing.

    `planned` are the moves that it shall begin next, if it is still steady. `since` is when the
    rebalancing began that is not over yet, `zones` whether it moved tasks between zones. Nothing is
    moved before `rest_until`, because a move came to nothing. `mode` is what the service's tags and
    its availabilityZoneRebalancing asked for when its controller last looked, `off` where its
    percentages let nothing of it move.
    """

    planned: tuple[Relocation, ...] = ()
    since: Instant | None = None
    zones: bool = False
    rest_until: Instant | None = None
    mode: str = ""


class ClusterRebalancing(Record):
    """When the balance of a cluster was last looked at, and whether a person asked for it.

    `asked_at` is when, None for nobody; `asked_services` those (by their names) that it was asked
    for, none for all.
    """

    account: str
    region: str
    cluster: str
    looked_at: Instant
    asked_at: Instant | None = None
    asked_services: tuple[str, ...] = ()
