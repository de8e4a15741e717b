"""The disk under the data folder runs full: clear errors, nothing acknowledged is lost."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place
from tests.clients.processes import Server, until
from tests.clients.test_registry_raw import Raw, finish

pytestmark = [pytest.mark.clients, pytest.mark.engine]

DISK_MIB = 24
RESERVE_MIB = 4
CLUSTERS_MAX = 4000


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", str(folder)], check=True
    )
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def tight(disk: Path, clients_engine) -> Iterator[Place]:
    """A server without hosts whose data folder is on the small disk."""
    data = disk / "data"
    data.mkdir()
    (data / "moorage.toml").write_text(f"disk_reserve_mib = {RESERVE_MIB}\n")
    place = Place(Server(data), clients_engine)
    place.server.log = disk.parent / "server.log"
    try:
        place.server.start()
        yield place
    finally:
        place.close()


def fill(path: Path) -> None:
    """Take all the room that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            for _ in range(DISK_MIB * 256):
                file.write(bytes(4096))
        except OSError:
            return
    raise AssertionError("the disk took more than it has")


def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(tight: Place, disk: Path):
    """Clusters are made until the disk is full: from then on each call fails with a clear error.

    What was acknowledged is there, also after SIGKILL, and with room again all goes on.
    """
    acknowledged = [_made(tight, number) for number in range(20)]
    ballast = disk / "ballast"
    fill(ballast)
    refused = None
    for number in range(20, CLUSTERS_MAX):
        try:
            acknowledged.append(_made(tight, number))
        except ClientError as error:
            refused = error.response
            break
    assert refused is not None, "a full disk took thousands of clusters"
    assert refused["ResponseMetadata"]["HTTPStatusCode"] in {500, 503}
    assert refused["Error"]["Code"] in {"ServerException", "ServiceUnavailableException"}
    assert refused["Error"]["Message"]
    assert acknowledged[-1] in _clusters(tight)
    ballast.unlink()
    until(lambda: _works_again(tight, acknowledged), 20, "clusters are made again", tight.tails)
    assert set(acknowledged) <= _clusters(tight)
    tight.server.kill()
    tight.server.start()
    assert set(acknowledged) <= _clusters(tight)


def test_an_upload_that_does_not_fit_is_refused_and_leaves_room_for_records(
    tight: Place, disk: Path
):
    """A layer larger than the disk: the registry refuses it, keeps the reserve, and serves on."""
    tight.repository("big")
    raw = Raw(tight)
    small = os.urandom(100_000)
    path = raw.begin("big")
    status, _, body = raw("PUT", finish(path, small), small)
    assert status == 201, body
    path = raw.begin("big")
    big = os.urandom(DISK_MIB << 20)
    try:
        status, _, body = raw("PUT", finish(path, big), big)
    except (BrokenPipeError, ConnectionResetError):
        status = 507  # it may hang up on a body that it will not take
    assert status in {500, 503, 507, 413}, body
    assert _made(tight, 1) in _clusters(tight)
    status, _, body = raw("DELETE", path)
    assert status in {204, 404}, body
    path = raw.begin("big")
    status, _, body = raw("PUT", finish(path, small[1:]), small[1:])
    assert status == 201, body
    assert raw.login["Authorization"].startswith("Basic ")
    assert base64.b64decode(raw.login["Authorization"][6:]).startswith(b"AWS:")


def _made(place: Place, number: int) -> str:
    answer = place.ecs.create_cluster(clusterName=f"cluster-{number}")
    return str(answer["cluster"]["clusterArn"])


def _works_again(place: Place, acknowledged: list[str]) -> bool:
    if place.server.ended():
        place.server.stop()
        place.server.start()
    try:
        acknowledged.append(_made(place, CLUSTERS_MAX))
    except ClientError:
        return False
    return True


def _clusters(place: Place) -> set[str]:
    pages = place.ecs.get_paginator("list_clusters").paginate()
    return {arn for page in pages for arn in page["clusterArns"]}
