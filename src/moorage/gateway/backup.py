"""A backup while the server runs: the database first, then the bytes that its rows name, then keys.

DIR/ (mode 0700)
  BACKUP.json             what the backup is; written last, so that what has none is not finished
  moorage-TIME.db         the database as one SQLite file, whatever the server keeps it in
  blobs/ uploads/         the registry's bytes, laid out as in a data folder
  keys/ moorage.toml VERSION   as in the data folder

The collector removes no blob meanwhile (`Distribution.keeping_blobs`), so each blob that a row of
the copy names is there to be copied after it. A folder may be used again: blobs that lie there
already are not copied anew, and until the new BACKUP.json is written the old one stays true.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from threading import Event

import msgspec

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.store import BlobStore, DigestMismatch, Refusal, StoreFull, UploadId
from moorage.ecr.records.layer import Blob
from moorage.ecr.store import layers
from moorage.ecs.store import container_instances
from moorage.gateway import folder
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.digest import parse_digest
from moorage.ground.fault import Unavailable, Validation
from moorage.ground.instant import Instant, iso
from moorage.ground.record import Record
from moorage.sql.copying import check_copy, reading_copy, sync_copy
from moorage.sql.engine import Database

FORMAT = 1
MANIFEST = "BACKUP.json"
BEGUN = "BACKUP.begun"
DATABASES = "moorage-*.db"
KEYS = "keys"
SETTINGS_FILE = "moorage.toml"
VERSION_FILE = "VERSION"
UPLOAD_DIGITS = 32
PIECE_BYTES = 1024 * 1024
LISTED_MAX = 1000
FOLDER_MODE = 0o700


class Progress(Record):
    """One line of what a backup says while it runs; `message` ends a failed one."""

    phase: str
    done: int = 0
    total: int = 0
    bytes_done: int = 0
    manifest: "Manifest | None" = None
    message: str = ""


class Manifest(Record):
    """BACKUP.json: what a backup holds, and by which its parts are checked.

    `timeline` is the highest number under which a host was sent anything; `missing` names blobs
    that rows name and the store had lost or damaged before (the first LISTED_MAX of them).
    """

    format: int
    moorage: str
    engine: str
    schema: int
    layout: int
    begun_at: str
    finished_at: str
    last_commit: Instant
    timeline: int
    database: str
    database_bytes: int
    database_sha256: str
    blobs: int
    blob_bytes: int
    keys: bool
    missing: tuple[str, ...] = ()


class Stopped(Unavailable):
    """The backup was broken off: who asked for it went away, or the server stops."""


Tell = Callable[[Progress], None]


class Backup:
    """One backup of one server."""

    def __init__(
        self, data: Path, database: Database, blobs: BlobStore, clock: Clock, chance: Chance
    ) -> None:
        """Take what is to be copied."""
        self._data = data
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._chance = chance
        self.stopping = Event()

    def run(self, target: Path, tell: Tell, *, engine: str, keys: bool) -> Manifest:
        """Make a backup in `target`, as `prepare_target` answered it; in a thread of its own.

        `engine` is what the server keeps its database in: sqlite or postgresql.

        Raises Stopped, StoreFailed, and Unavailable with a name for whatever the disk refuses.
        """
        try:
            return self._run(target, tell, engine=engine, keys=keys)
        except StoreFull as full:
            raise Unavailable(
                f"The disk under {target} is full. Make room and begin again with the same "
                "folder: what was copied is not copied twice."
            ) from full
        except Refusal as refusal:
            raise Unavailable(f"The backup failed: {refusal}.") from refusal
        except OSError as error:
            raise Unavailable(f"The backup failed: {error}.") from error

    def _run(self, target: Path, tell: Tell, *, engine: str, keys: bool) -> Manifest:
        begun = self._clock.now()
        store = FilesystemBlobStore(target)
        try:
            for upload in list(store.uploads()):  # of a backup that was broken off
                store.discard(upload.upload_id)
            copy = target / f"moorage-{begun}.db"
            self._copy_database(copy, tell)
            facts = check_copy(copy)
            with reading_copy(copy, self._chance) as tx:
                named = layers.every_blob(tx)
                hosts = container_instances.named(tx, container_instances.every(tx))
            missing = self._copy_blobs(store, named, tell)
            self._copy_small(target, keys=keys)
            manifest = Manifest(
                format=FORMAT,
                moorage=version("moorage"),
                engine=engine,
                schema=facts.schema,
                layout=folder.LAYOUT_VERSION,
                begun_at=iso(begun),
                finished_at=iso(self._clock.now()),
                last_commit=facts.last_commit,
                timeline=max((host.sequence for host in hosts.values()), default=0),
                database=copy.name,
                database_bytes=copy.stat().st_size,
                database_sha256=sha256_of(copy),
                blobs=len(named),
                blob_bytes=sum(blob.size for blob in named),
                keys=keys,
                missing=tuple(missing[:LISTED_MAX]),
            )
            text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
            folder.write_durably(target / MANIFEST, text + b"\n", mode=0o600)
            _forget_older(target, store, copy.name, named)
        finally:
            store.close()
        return manifest

    def _copy_database(self, copy: Path, tell: Tell) -> None:
        def told(done: int, total: int) -> bool:
            tell(Progress(phase="database", done=done, total=total))
            return not self.stopping.is_set()

        self._database.copy(copy, told).result()
        sync_copy(copy)

    def _copy_blobs(self, store: FilesystemBlobStore, named: list[Blob], tell: Tell) -> list[str]:
        """Copy what is not there yet; answers what cannot be had."""
        missing = []
        bytes_done = 0
        for done, blob in enumerate(named):
            if self.stopping.is_set():
                raise Stopped("The backup was broken off. Begin again with the same folder.")
            tell(Progress(phase="blobs", done=done, total=len(named), bytes_done=bytes_done))
            if not copy_blob(self._blobs, store, blob, self._chance):
                missing.append(blob.digest)
            bytes_done += blob.size
        tell(Progress(phase="blobs", done=len(named), total=len(named), bytes_done=bytes_done))
        return missing

    def _copy_small(self, target: Path, *, keys: bool) -> None:
        wanted = [VERSION_FILE, SETTINGS_FILE]
        for name in wanted:
            source = self._data / name
            if source.is_file():
                folder.write_durably(target / name, source.read_bytes(), mode=0o600)
        if keys:
            copy_keys(self._data / KEYS, target / KEYS)
        else:
            shutil.rmtree(target / KEYS, ignore_errors=True)


def prepare_target(text: str, data: Path) -> Path:
    """The folder of a backup, made where it is missing; raises Validation where it is none."""
    path = Path(text)
    if not path.is_absolute():
        raise Validation(f"{text} is no absolute path on the server's machine.")
    target, home = path.resolve(), data.resolve()
    if target == home or home in target.parents or target in home.parents:
        raise Validation(f"{target} and the data folder {home} lie one in the other.")
    try:
        target.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        owner, ours = target.stat().st_uid, os.geteuid()
        if owner != ours:
            raise Validation(
                f"{target} belongs to another user (number {owner}), who could read or change what "
                f"is in it: name a folder of the server's own user (number {ours})."
            )
        found = {entry.name for entry in target.iterdir()}
        if found and not found & {MANIFEST, BEGUN}:
            raise Validation(
                f"{target} is not empty and holds no backup: name an empty or a new folder."
            )
        (target / BEGUN).touch(mode=0o600)
        target.chmod(FOLDER_MODE)
    except OSError as error:
        raise Validation(
            f"The server cannot write to {target}: {error.strerror}. "
            "The path is one of the server's machine."
        ) from error
    return target


def copy_blob(source: BlobStore, target: BlobStore, blob: Blob, chance: Chance) -> bool:
    """Copy one blob, unless it is there; False where the source has it not, or damaged.

    What is written is digested on its way. Raises the refusals of the target.
    """
    digest = parse_digest(blob.digest)
    assert digest is not None, "a row names a digest that was never parsed"
    there = target.stat(digest)
    if there is not None and there.size == blob.size:
        return True
    found = source.open(digest)
    if found is None:
        return False
    upload = UploadId(chance.hex(UPLOAD_DIGITS))
    with found:
        with target.stage(upload, digest.algorithm) as stage:
            while piece := found.read_at(stage.offset, PIECE_BYTES):
                stage.append(piece)
        try:
            target.commit(upload, digest)
        except DigestMismatch:
            return False
        target.discard(upload)
    return True


def copy_keys(source: Path, target: Path) -> None:
    """Copy the files of a folder of keys, readable by their owner alone. OSError."""
    target.mkdir(mode=FOLDER_MODE, exist_ok=True)
    target.chmod(FOLDER_MODE)
    for entry in sorted(source.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            copy_keys(entry, target / entry.name)
        elif entry.is_file():
            folder.write_durably(target / entry.name, entry.read_bytes(), mode=0o600)


def sha256_of(path: Path) -> str:
    """The hexadecimal digest of a file. OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget_older(
    target: Path, store: FilesystemBlobStore, database: str, named: Iterable[Blob]
) -> None:
    """Remove what only backups before this one named."""
    kept = {blob.digest for blob in named}
    for path in target.glob(DATABASES):
        if path.name != database:
            path.unlink()
    for facts in list(store.walk()):
        if str(facts.digest) not in kept:
            store.delete(facts.digest)
