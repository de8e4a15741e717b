"""Making a data folder of a backup, while no server runs on it.

Everything is checked before anything is changed: BACKUP.json, the database's digest and integrity,
each blob as it is copied. The new folder is made beside the old one and put in its place at the
end; with `replace` the old one is moved aside, never removed. A file RESTORED tells the first
start what happened (`restored.py`).
"""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.store import Refusal
from moorage.ecr.store import layers
from moorage.gateway import folder
from moorage.gateway.backup import (
    FORMAT,
    KEYS,
    LISTED_MAX,
    MANIFEST,
    SETTINGS_FILE,
    Manifest,
    Progress,
    copy_blob,
    copy_keys,
    sha256_of,
)
from moorage.gateway.compose import TABLES
from moorage.gateway.restored import MARKER, Restored
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import iso
from moorage.ground.record import Record
from moorage.sql.claim import Claim
from moorage.sql.copying import CopyFailed, check_copy, pour, reading_copy
from moorage.sql.engine import open_database
from moorage.sql.migrate import SCHEMA
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import OpenRefused, Transaction

SQLITE_WORD = "sqlite"
DATABASE = "moorage.db"
AGENTS = "agents"
UP_PLAN = Path("run") / "up.json"  # what `moorage up` was told to start here
SERVER_SECONDS_MAX = 2.0
FOLDER_MODE = 0o700
ID_DIGITS = 8


class RestoreRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The backup cannot be restored there; the message says why and what to do."""


class Wanted(Record):
    """What is to be restored where; `database` is a URL, `sqlite`, or "" for what it was."""

    source: Path
    data: Path
    replace: bool = False
    database: str = ""


class Outcome(Record):
    """What was done: the backup, where the old folder lies now, and what was lost before."""

    manifest: Manifest
    aside: Path | None
    missing: tuple[str, ...]


Tell = Callable[[Progress], None]


def read_manifest(source: Path) -> Manifest:
    """BACKUP.json of a backup that this program can restore. Raises RestoreRefused."""
    try:
        text = (source / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise RestoreRefused(
            f"{source} holds no finished backup: there is no {MANIFEST}. Begin the backup again "
            "with the same folder."
        ) from None
    except OSError as error:
        raise RestoreRefused(f"{source / MANIFEST}: {error.strerror}.") from error
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise RestoreRefused(f"{source / MANIFEST} is damaged: {error}.") from error
    newer = manifest.format > FORMAT or manifest.schema > SCHEMA
    if newer or manifest.layout > folder.LAYOUT_VERSION:
        raise RestoreRefused(
            f"The backup was made by Moorage {manifest.moorage}, which is newer than this program: "
            "install that version, or a newer one."
        )
    return manifest


def restore(wanted: Wanted, clock: Clock, chance: Chance, tell: Tell) -> Outcome:
    """Make the data folder; raises RestoreRefused, and leaves everything as it was then."""
    try:
        manifest = read_manifest(wanted.source)
        _check(wanted, manifest)
        return _restore(wanted, manifest, (clock, chance), tell)
    except (CopyFailed, OpenRefused, folder.FolderRefused) as refused:
        raise RestoreRefused(str(refused)) from refused
    except (Refusal, OSError) as error:
        raise RestoreRefused(f"The restore failed, and nothing was changed: {error}.") from error


def _check(wanted: Wanted, manifest: Manifest) -> None:
    """Everything that can be known beforehand."""
    if manifest.engine != SQLITE_WORD and not wanted.database:
        raise RestoreRefused(
            "The backup is one of a PostgreSQL database. Name an empty database with --database "
            "postgresql://..., or say --database sqlite to go on with SQLite."
        )
    database = wanted.source / Path(manifest.database).name
    if sha256_of(database) != manifest.database_sha256:
        raise RestoreRefused(f"{database} is damaged: its digest is not the one in {MANIFEST}.")
    check_copy(database)
    if not manifest.keys:
        raise RestoreRefused(
            "The backup was made without keys, and without the master key no secret in its "
            f"database can be opened. Copy the keys to {wanted.source / KEYS} and set "
            f'"keys": true in {MANIFEST}.'
        )
    _check_place(wanted)


def _check_place(wanted: Wanted) -> None:
    data = wanted.data
    if wanted.source.resolve() == data.resolve() or data.resolve() in wanted.source.parents:
        raise RestoreRefused(f"{wanted.source} lies inside the data folder that it is to replace.")
    if not data.exists():
        return
    if not data.is_dir():
        raise RestoreRefused(f"{data} is no folder.")
    if any(data.iterdir()) and not wanted.replace:
        raise RestoreRefused(
            f"{data} is not empty. Name a new folder, or say --replace: the old one is then moved "
            "aside."
        )
    if (data / DATABASE).exists():
        Claim(data / DATABASE).release()
    _check_nobody_serves(data)


def _check_nobody_serves(data: Path) -> None:
    """A server on PostgreSQL holds nothing in its data folder but the address it told there."""
    try:
        address = urlsplit((data / "run" / "address").read_text("ascii").strip())
        port = address.port or 0
        with socket.create_connection((address.hostname or "", port), SERVER_SECONDS_MAX):
            pass
    except (OSError, ValueError):
        return
    raise RestoreRefused(f"A server of {data} answers at {address.geturl()}: stop it first.")


def _restore(
    wanted: Wanted, manifest: Manifest, ports: tuple[Clock, Chance], tell: Tell
) -> Outcome:
    clock, chance = ports
    data = wanted.data
    data.parent.mkdir(parents=True, exist_ok=True)
    suffix = f"{clock.now()}-{chance.hex(ID_DIGITS)}"
    staged = data.with_name(f".{data.name}.restoring-{suffix}")
    try:
        staged.mkdir(mode=FOLDER_MODE)
        missing = _fill(wanted, manifest, staged, ports, tell)
        aside = _put_in_place(data, staged, data.with_name(f"{data.name}.replaced-{clock.now()}"))
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Outcome(manifest=manifest, aside=aside, missing=missing)


def _fill(
    wanted: Wanted, manifest: Manifest, staged: Path, ports: tuple[Clock, Chance], tell: Tell
) -> tuple[str, ...]:
    clock, chance = ports
    source = wanted.source
    database = source / Path(manifest.database).name
    missing = _copy_blobs(source, database, staged, chance, tell)
    folder.prepare(staged)
    copy_keys(source / KEYS, staged / KEYS)
    if (source / SETTINGS_FILE).is_file():
        shutil.copyfile(source / SETTINGS_FILE, staged / SETTINGS_FILE)
    marker = Restored(begun_at=manifest.begun_at, restored_at=iso(clock.now()))
    folder.write_durably(staged / MARKER, msgspec.json.encode(marker) + b"\n", mode=0o600)
    copy = staged / DATABASE
    shutil.copyfile(database, copy)
    copy.chmod(0o600)
    if wanted.database in {"", SQLITE_WORD}:
        _sync(copy)
    else:
        _pour(copy, wanted.database, ports, tell)
        copy.unlink()
    _sync(staged)
    return missing


def _copy_blobs(
    source: Path, database: Path, staged: Path, chance: Chance, tell: Tell
) -> tuple[str, ...]:
    """Copy what the rows name, each byte of it digested. Raises RestoreRefused, Refusal."""
    with reading_copy(database, chance) as tx:
        named = layers.every_blob(tx)
    have, made = FilesystemBlobStore(source), FilesystemBlobStore(staged)
    missing = []
    try:
        for done, blob in enumerate(named):
            tell(Progress(phase="blobs", done=done, total=len(named)))
            if not copy_blob(have, made, blob, chance):
                missing.append(blob.digest)
    finally:
        have.close()
        made.close()
    tell(Progress(phase="blobs", done=len(named), total=len(named)))
    known = read_manifest(source).missing
    lost = set(missing) - set(known)
    if lost and len(known) < LISTED_MAX:
        raise RestoreRefused(
            f"The backup is damaged: {len(lost)} blobs are missing or have another digest, first "
            f"{min(lost)}."
        )
    return tuple(missing)


def _pour(copy: Path, url: str, ports: tuple[Clock, Chance], tell: Tell) -> None:
    """Fill an empty PostgreSQL database with what the copy holds."""
    clock, chance = ports
    SQLiteDatabase(copy, clock=clock, chance=chance, tables=TABLES).close()  # to this schema
    target = open_database(url, clock=clock, chance=chance, tables=TABLES)

    def told(done: int, total: int) -> bool:
        tell(Progress(phase="database", done=done, total=total))
        return True

    def work(tx: Transaction) -> bool:
        if any(table.query().count(tx) for table in TABLES):
            return False
        with reading_copy(copy, chance) as source:
            pour(source, tx, TABLES, told)
        return True

    try:
        if not target.write(work).result():
            raise RestoreRefused("The database is not empty: create another, and name that.")
    finally:
        target.close()


def _put_in_place(data: Path, staged: Path, aside: Path) -> Path | None:
    """Put the new folder where the old one is; answers where that lies now, if there was one."""
    replaced = data.exists() and any(data.iterdir())
    if replaced:
        data.rename(aside)
    elif data.exists():
        data.rmdir()
    staged.rename(data)
    if replaced and (aside / AGENTS).is_dir():
        # Hosts of this machine keep who they are, and what they run.
        shutil.rmtree(data / AGENTS)
        (aside / AGENTS).rename(data / AGENTS)
    if replaced and (aside / UP_PLAN).is_file():
        shutil.copy2(aside / UP_PLAN, data / UP_PLAN)
    _sync(data.parent)
    return aside if replaced else None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
