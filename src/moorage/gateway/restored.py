"""The first start on a restored backup: freeze what might act on old facts, and say so.

`moorage restore` leaves the file RESTORED in the data folder. The first start turns it into freezes
of all clusters with the cause `restore`, and lets the numbers under which hosts are sent orders jump:
Amazon's agent drops a manifest whose number it has seen. Our agents' hosts need no
marker: they tell in their handshake what they have seen (`ecs/operations/session.py`).
"""

import logging
import os
from pathlib import Path

import msgspec

from moorage.ecs.store import clusters, container_instances, restoration
from moorage.gateway.folder import FolderRefused
from moorage.ground.record import Record, evolve
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

MARKER = "RESTORED"
# More orders than any host is sent between a backup and its restore.
SEQUENCE_JUMP = 1_000_000
_log = logging.getLogger("moorage.server")


class Restored(Record):
    """What `moorage restore` says of the backup: when it was begun, and when it was restored."""

    begun_at: str
    restored_at: str


def take_up_restored(data: Path, database: Database) -> None:
    """Freeze all clusters where the data folder was restored; done once. Raises FolderRefused."""
    marker = data / MARKER
    try:
        told = msgspec.json.decode(marker.read_bytes(), type=Restored)
    except FileNotFoundError:
        return
    except (OSError, msgspec.DecodeError) as error:
        raise FolderRefused(
            f"{marker} cannot be read ({error}): this folder was restored from a backup, and "
            "nothing says from which. Restore it again."
        ) from error
    frozen = database.write(lambda tx: _freeze(tx, told)).result()
    _log.warning(
        "the database was restored from the backup of %s: %d clusters are frozen until you thaw "
        "them (moorage thaw CLUSTER)",
        told.begun_at,
        frozen,
    )
    marker.unlink()
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _freeze(tx: Transaction, told: Restored) -> int:
    hosts = container_instances.every_live(tx)
    known = {(one.account, one.region, one.cluster) for one in hosts}
    known |= {
        (one.account, one.region, one.name)
        for one in clusters.written(tx)
        if one.status == "ACTIVE"
    }
    reason = f"The database was restored from the backup of {told.begun_at}."
    for cluster in sorted(known):
        restoration.freeze(tx, cluster, reason)
    for host in hosts:
        container_instances.note(tx, evolve(host, sequence=host.sequence + SEQUENCE_JUMP))
    return len(known)
