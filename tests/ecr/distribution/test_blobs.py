"""Blobs: HEAD, GET with ranges, DELETE; who may read them."""

import pytest

from moorage.ground.digest import parse_digest
from tests.ecr.rig import ACCOUNT, FAR, OTHER, code_of, manifest, sha256

CONTENT = bytes(range(100))
PATH = f"/v2/team/app/blobs/{sha256(CONTENT)}"


def test_whole(both):
    both.create()
    both.push_blob(CONTENT)
    made = both.exchange("GET", PATH)
    assert (made.status, made.body) == (200, CONTENT)
    assert made.answered["content-length"] == "100"
    assert made.answered["docker-content-digest"] == sha256(CONTENT)
    assert made.answered["etag"] == f'"{sha256(CONTENT)}"'
    head = both.exchange("HEAD", PATH)
    assert (head.status, head.body) == (200, b"")
    assert head.answered == made.answered


@pytest.mark.parametrize(
    ("header", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100)],
)
def test_ranges(both, header, first, end):
    both.create()
    both.push_blob(CONTENT)
    made = both.exchange("GET", PATH, range=header)
    assert (made.status, made.body) == (206, CONTENT[first:end])
    assert made.answered["content-range"] == f"bytes {first}-{end - 1}/100"
    assert made.answered["content-length"] == str(end - first)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=5-2", "junk", "bytes=0-1,4-5"])
def test_ranges_that_are_none(rig, header):
    rig.create()
    rig.push_blob(CONTENT)
    made = rig.exchange("GET", PATH, range=header)
    assert (made.status, code_of(made)) == (416, "RANGE_INVALID")
    assert made.answered["content-range"] == "bytes */100"


@pytest.mark.parametrize(("condition", "status"), [(f'"{sha256(CONTENT)}"', 206), ('"x"', 200)])
def test_a_range_of_this_very_content(rig, condition, status):
    rig.create()
    rig.push_blob(CONTENT)
    made = rig.exchange("GET", PATH, range="bytes=0-9", if_range=condition)
    assert made.status == status


@pytest.mark.parametrize("method", ["HEAD", "GET", "DELETE"])
@pytest.mark.parametrize(
    ("digest", "status", "code"),
    [
        ("sha256:" + "0" * 64, 404, "BLOB_UNKNOWN"),
        ("sha256:" + "0" * 63, 400, "DIGEST_INVALID"),
        ("..", 400, "DIGEST_INVALID"),
        ("\0", 400, "DIGEST_INVALID"),
        ("md5:" + "0" * 32, 400, "DIGEST_INVALID"),
    ],
)
def test_what_is_no_blob(rig, method, digest, status, code):
    rig.create()
    made = rig.exchange(method, f"/v2/team/app/blobs/{digest}")
    assert made.status == status
    if method != "HEAD":
        assert code_of(made) == code


def test_rights_go_by_link_never_by_digest(rig):
    """T07: two accounts, two repositories, two regions; deleted, then asked for by a twin."""
    homes = [
        (account, region, name)
        for account in (ACCOUNT, OTHER)
        for region in ("us-east-1", FAR)
        for name in ("team/app", "other/app")
    ]
    for account, region, name in homes:
        rig.create(name, account, region)

    def readers():
        return [
            home
            for home in homes
            if rig.exchange(
                "GET",
                f"/v2/{home[2]}/blobs/{sha256(CONTENT)}",
                auth=rig.login(home[0], home[1]),
            ).status
            == 200
        ]

    assert readers() == []
    for account, region, name in (homes[0], homes[7]):
        rig.push_blob(CONTENT, name, rig.login(account, region))
    assert readers() == [homes[0], homes[7]]
    account, region, name = homes[0]
    path = f"/v2/{name}/blobs/{sha256(CONTENT)}"
    assert rig.exchange("DELETE", path, auth=rig.login(account, region)).status == 202
    assert readers() == [homes[7]]
    assert rig.exchange("DELETE", path, auth=rig.login(account, region)).status == 404


def test_a_blob_of_an_image_stays(rig):
    rig.create()
    digest = rig.push("v1", CONTENT)
    made = rig.exchange("DELETE", PATH)
    assert (made.status, code_of(made)) == (403, "DENIED")
    rig.exchange("DELETE", f"/v2/team/app/manifests/{digest}")
    assert rig.exchange("DELETE", PATH).status == 202


def test_bytes_that_the_store_has_lost_come_back_by_a_push(rig):
    rig.create()
    digest = rig.push("v1", CONTENT)
    rig.blobs.delete(parse_digest(sha256(CONTENT)))
    for method in ("HEAD", "GET"):
        assert rig.exchange(method, PATH).status == 404
    rig.push_blob(CONTENT)
    assert rig.exchange("GET", PATH).body == CONTENT
    assert rig.push_manifest("v1", manifest(b"{}", CONTENT)) == digest
