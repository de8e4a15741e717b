"""Backups of a server that is busy, and what is made of them."""

import hashlib
import json
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.clients.place import Place
from tests.clients.processes import MOORAGE, ROOT, Server, clean_environment, until
from tests.clients.test_registry_raw import Raw, digest, finish
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.clients]

LAYERS_BEFORE = 40
LAYER_BYTES = 300_000
WRITES_BEFORE = 30
COMMAND_SECONDS_MAX = 60
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Bare(Place):
    """A server without hosts."""

    def __init__(self, folder: Path, *flags: str) -> None:
        super().__init__(Server(folder, *flags), None)  # type: ignore[arg-type]  # no engine is asked


def moorage(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MOORAGE, *words], capture_output=True, text=True, cwd=ROOT, check=False,
        env=clean_environment(COLUMNS="200"), timeout=COMMAND_SECONDS_MAX,
    )  # fmt: skip


def backup(place: Place, target: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return moorage("backup", str(target), "--data", str(place.server.data), *flags)


def push(raw: Raw, seed: str, repository: str = "web") -> str:
    """Push a small image of two layers of its own; answers the digest of its manifest."""
    layers = [(f"{seed}-{n}" * LAYER_BYTES)[:LAYER_BYTES].encode() for n in range(2)]
    described = []
    for octets in (json.dumps({"seed": seed}).encode(), *layers):
        status, _, body = raw("PUT", finish(raw.begin(repository), octets), octets)
        assert status == 201, body
        described.append({"digest": digest(octets), "size": len(octets)})
    kinds = ("config.v1+json", *("layer.v1.tar",) * 2)
    parts = [
        {**part, "mediaType": f"application/vnd.oci.image.{kind}"}
        for part, kind in zip(described, kinds, strict=True)
    ]
    manifest = {
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": parts[0], "layers": parts[1:]
    }  # fmt: skip
    octets = json.dumps(manifest).encode()
    status, _, body = raw(
        "PUT", f"/v2/{repository}/manifests/{seed}", octets, Content_Type=MANIFEST_TYPE
    )
    assert status == 201, body
    return digest(octets)


def definition(place: Place, family: str) -> str:
    return place.register(family, {"image": "busybox"})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Bare]:
    made = Bare(tmp_path / "data")
    made.server.start()
    made.repository("web")
    yield made
    made.close()


class Load:
    """Threads that write until they are told to stop, and remember what was acknowledged."""

    def __init__(self, *works: Callable[[int], str]) -> None:
        self.over = threading.Event()
        self.kept: list[list[str]] = [[] for _ in works]
        self.trouble: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._write, args=(work, kept))
            for work, kept in zip(works, self.kept, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, work: Callable[[int], str], kept: list[str]) -> None:
        try:
            while not self.over.is_set():
                kept.append(work(len(kept)))
        except BaseException as error:  # noqa: BLE001 - the test reads it
            self.trouble.append(error)


def check_images(raw: Raw, tags: list[str]) -> None:
    """Each manifest is there, and each blob that it names, whole (I7, I8)."""
    for tag in tags:
        status, _, body = raw("GET", f"/v2/web/manifests/{tag}", Accept=MANIFEST_TYPE)
        assert status == 200, (tag, body)
        manifest = json.loads(body)
        for part in (manifest["config"], *manifest["layers"]):
            status, _, octets = raw("GET", f"/v2/web/blobs/{part['digest']}")
            assert status == 200
            assert "sha256:" + hashlib.sha256(octets).hexdigest() == part["digest"]


def test_a_backup_under_load_can_be_restored(place: Bare, tmp_path: Path):
    """Services are made and images pushed while it runs: what was there before is in it, whole."""
    ecs, raws = place.client("ecs"), [Raw(place), Raw(place)]
    known = definition(place, "load")

    def service(number: int) -> str:
        name = f"s{number:05}"
        ecs.create_service(serviceName=name, taskDefinition=known, desiredCount=0)
        return name

    def image(number: int) -> str:
        push(raws[0], f"i{number:05}")
        return f"i{number:05}"

    for number in range(LAYERS_BEFORE):
        push(raws[1], f"before{number}")
    target = tmp_path / "backups" / "first"
    with Load(service, image) as load:
        until(lambda: len(load.kept[0]) >= WRITES_BEFORE, 30, "load", lambda: load.trouble)
        before = [list(kept) for kept in load.kept]
        done = backup(place, target)
        after = [list(kept) for kept in load.kept]
    assert done.returncode == 0, done.stderr
    assert "whoever reads this folder is operator" in done.stdout
    assert not load.trouble
    assert len(after[0]) > len(before[0]), "nothing was written during the backup"
    assert target.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((target / "BACKUP.json").read_text())
    database = sqlite3.connect(
        f"file:{target / manifest['database']}?mode=ro&immutable=1", uri=True
    )
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    again = backup(place, target)  # a second one into the same folder takes the place of the first
    assert again.returncode == 0, again.stderr
    assert len(list(target.glob("moorage-*.db"))) == 1
    restored = moorage("restore", str(target), "--data", str(tmp_path / "new"))
    assert restored.returncode == 0, restored.stderr
    assert "all clusters are frozen" in restored.stdout
    other = Bare(tmp_path / "new")
    try:
        other.server.start()
        arns = other.ecs.get_paginator("list_services").paginate()
        names = {arn.rpartition("/")[2] for page in arns for arn in page["serviceArns"]}
        assert set(before[0]) <= names
        found = Raw(other)
        _, _, body = found("GET", "/v2/web/tags/list")
        tags = json.loads(body)["tags"]
        assert set(before[1]) | {f"before{n}" for n in range(LAYERS_BEFORE)} <= set(tags)
        check_images(found, tags)
        assert not (tmp_path / "new" / "RESTORED").exists()
        assert "frozen until you thaw" in other.server.log.read_text()
    finally:
        other.close()


@pytest.mark.postgres
def test_a_backup_of_postgresql_restores_into_either(
    tmp_path: Path, postgres_server: PostgresServer
):
    place = Bare(tmp_path / "data", "--database", postgres_server.create())
    try:
        place.server.start()
        place.repository("web")
        push(Raw(place), "one")
        place.ecs.create_service(
            serviceName="s", taskDefinition=definition(place, "f"), desiredCount=1
        )
        target = tmp_path / "backup"
        done = backup(place, target)
        assert done.returncode == 0, done.stderr
    finally:
        place.close()
    asked = moorage("restore", str(target), "--data", str(tmp_path / "lite"))
    assert (asked.returncode, "--database sqlite" in asked.stderr) == (1, True)
    url = postgres_server.create()
    for name, word in (("lite", "sqlite"), ("post", url)):
        words = ("restore", str(target), "--data", str(tmp_path / name), "--database", word)
        made = moorage(*words)
        assert made.returncode == 0, made.stderr
        other = Bare(tmp_path / name, *(("--database", url) if name == "post" else ()))
        try:
            other.server.start()
            check_images(Raw(other), ["one"])
            assert other.service("s")["desiredCount"] == 1
            assert not other.running("s")
        finally:
            other.close()
    words = ("restore", str(target), "--data", str(tmp_path / "more"), "--database", url)
    full = moorage(*words)
    assert (full.returncode, "not empty" in full.stderr) == (1, True)


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_where_no_backup_can_be_is_said(place: Bare, tmp_path: Path):
    """A foreign folder, the data folder, a relative path, a file, a second key: refused by name."""
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.jpg").touch()
    (tmp_path / "file").touch()
    for target, reason in {
        str(foreign): "is not empty and holds no backup",
        str(place.server.data / "backup"): "lie one in the other",
        str(place.server.data.parent): "lie one in the other",
        "relative": "no absolute path on the server's machine",
        str(tmp_path / "file"): "The server cannot write to",
    }.items():
        done = moorage("backup", target, "--data", str(place.server.data))
        assert (done.returncode, reason in one_line(done.stderr)) == (1, True), done.stderr
    assert [entry.name for entry in foreign.iterdir()] == ["cat.jpg"]
    key = place.server.key()
    refused = subprocess.run(
        [*MOORAGE, "backup", str(tmp_path / "b"), "--endpoint", place.server.url],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=COMMAND_SECONDS_MAX,
        env=clean_environment(
            AWS_ACCESS_KEY_ID=key["access_key_id"], AWS_SECRET_ACCESS_KEY=key["secret_access_key"]
        ),
    )  # fmt: skip
    assert "Only the operator's key" in one_line(refused.stderr)
    assert not (tmp_path / "b").exists()


def test_what_cannot_be_restored_is_said_and_nothing_is_changed(place: Bare, tmp_path: Path):
    """A folder in use, one that is not empty, an unfinished or a damaged backup."""
    push(Raw(place), "one")
    target, data = tmp_path / "backup", place.server.data
    assert backup(place, target).returncode == 0

    def refused(source: Path, to: Path, *flags: str) -> str:
        done = moorage("restore", str(source), "--data", str(to), *flags)
        assert done.returncode == 1, done.stdout
        return one_line(done.stderr)

    assert "say --replace" in refused(target, data)
    assert "in use by process" in refused(target, data, "--replace")
    assert "no finished backup" in refused(tmp_path, tmp_path / "new")
    assert "inside the data folder" in refused(target, tmp_path, "--replace")
    [blob, *_] = sorted((target / "blobs").rglob("?" * 64))
    whole = blob.read_bytes()
    blob.write_bytes(b"x" * len(whole))
    assert "The backup is damaged: 1 blobs" in refused(target, tmp_path / "new")
    blob.write_bytes(whole)
    [database] = target.glob("moorage-*.db")
    with database.open("r+b") as file:
        file.seek(5000)
        file.write(b"?")
    assert "its digest is not the one" in refused(target, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob(".*restoring*"))
    assert place.server.healthy()


def test_a_folder_that_is_replaced_lies_aside_and_hosts_of_it_stay(place: Bare, tmp_path: Path):
    target, data = tmp_path / "backup", place.server.data
    assert backup(place, target).returncode == 0
    place.ecs.create_service(
        serviceName="later", taskDefinition=definition(place, "f"), desiredCount=0
    )
    place.server.stop()
    (data / "agents" / "host-1").mkdir()
    (data / "run" / "up.json").write_text("{}")
    done = moorage("restore", str(target), "--data", str(data), "--replace")
    assert done.returncode == 0, done.stderr
    [aside] = tmp_path.glob("data.replaced-*")
    assert (aside / "moorage.db").exists()
    assert (data / "agents" / "host-1").exists()
    assert (data / "run" / "up.json").exists()
    place.server.start()
    assert place.ecs.list_services()["serviceArns"] == []


@pytest.mark.engine  # mounting needs root
def test_a_full_disk_is_named_and_the_backup_goes_on_with_room(place: Bare, tmp_path: Path):
    """On a file system that is too small it says so; made larger, what was copied is kept."""
    raw = Raw(place)
    for number in range(8):
        push(raw, f"i{number}")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount: Any = ["mount", "-t", "tmpfs", "-o", "size=66m", "none", str(disk)]
    subprocess.run(mount, check=True)
    try:
        done = backup(place, disk / "b")
        assert done.returncode == 1
        assert "is full. Make room and begin again" in one_line(done.stderr)
        assert not (disk / "b" / "BACKUP.json").exists()
        subprocess.run(["mount", "-o", "remount,size=99m", str(disk)], check=True)
        again = backup(place, disk / "b")
        assert again.returncode == 0, again.stderr
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert place.server.healthy()
