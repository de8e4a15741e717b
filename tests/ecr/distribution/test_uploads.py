"""Uploads: whole, in chunks, mounted, cut and resumed; what is refused keeps nothing."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.blob.memory import MemoryBlobStore
from moorage.ecr.distribution.exchange import ClientCut
from moorage.ecr.distribution.memory import MemoryExchange
from moorage.ecr.operations.push import UPLOADS_OF_ACCOUNT_MAX
from moorage.ground.digest import digest_of
from tests.ecr.rig import ACCOUNT, FAR, OTHER, Rig, code_of, sha256

UPLOADS = "/v2/team/app/blobs/uploads/"


def begin(rig, name="team/app"):
    made = rig.exchange("POST", f"/v2/{name}/blobs/uploads/")
    assert made.status == 202
    return made.answered["location"]


def is_there(rig, content, name="team/app"):
    return rig.exchange("HEAD", f"/v2/{name}/blobs/{sha256(content)}").status == 200


def nothing_kept(rig):
    return not list(rig.blobs.walk()) and not list(rig.blobs.uploads())


def test_as_docker_pushes(both):
    both.create()
    made = both.exchange("POST", UPLOADS)
    location = made.answered["location"]
    assert made.answered["range"] == "0-0"
    assert location == UPLOADS + made.answered["docker-upload-uuid"]
    made = both.exchange("PATCH", location, b"hello ", b"world")
    assert (made.status, made.answered["range"]) == (202, "0-10")
    made = both.exchange("PUT", location, query={"digest": sha256(b"hello world")})
    assert made.status == 201
    assert made.answered["location"] == f"/v2/team/app/blobs/{sha256(b'hello world')}"
    assert made.answered["docker-content-digest"] == sha256(b"hello world")
    assert both.exchange("GET", made.answered["location"]).body == b"hello world"
    assert both.exchange("GET", location).status == 404


@pytest.mark.parametrize("content", [b"", b"x", b"hello" * 100_000])
def test_whole_in_one_request(both, content):
    both.create()
    both.push_blob(content)
    location = begin(both)
    made = both.exchange("PUT", location, content, query={"digest": sha256(content)})
    assert made.status == 201
    assert both.exchange("GET", made.answered["location"]).body == content


def test_another_algorithm(both):
    both.create()
    digest = str(digest_of(b"long", "sha512"))
    location = begin(both)
    both.exchange("PATCH", location, b"lo")
    assert both.exchange("PUT", location, b"ng", query={"digest": digest}).status == 201
    assert both.exchange("GET", f"/v2/team/app/blobs/{digest}").body == b"long"


def test_chunks_in_order(both):
    both.create()
    location = begin(both)
    made = both.exchange("PATCH", location, b"01234", content_range="0-4", content_length="5")
    assert made.answered["range"] == "0-4"
    made = both.exchange("GET", location)
    assert (made.status, made.answered["range"]) == (204, "0-4")
    made = both.exchange(
        "PUT", location, b"567", content_range="5-7", query={"digest": sha256(b"01234567")}
    )
    assert made.status == 201


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content_range": "3-7"}, b"34567", 416, "RANGE_INVALID"),
        ({"content_range": "0-1"}, b"01", 416, "RANGE_INVALID"),
        ({"content_range": "junk"}, b"01", 416, "RANGE_INVALID"),
        ({"content_range": "9-2"}, b"01", 416, "RANGE_INVALID"),
        ({"content_range": "2-4", "content_length": "2"}, b"23", 400, "SIZE_INVALID"),
        ({"content_range": "2-3"}, b"2345", 400, "SIZE_INVALID"),
        ({"content_range": "2-9"}, b"234", 400, "SIZE_INVALID"),
        ({"content_length": str(10**12)}, b"", 400, "SIZE_INVALID"),
        ({"content_length": "9" * 40}, b"", 400, "SIZE_INVALID"),
    ],
)
def test_chunks_out_of_order(rig, headers, body, status, code):
    rig.create()
    location = begin(rig)
    rig.exchange("PATCH", location, b"01")
    made = rig.exchange("PATCH", location, body, **headers)
    assert (made.status, code_of(made)) == (status, code)
    if status == 416 and "-" in headers["content_range"] and headers["content_range"] != "9-2":
        assert made.answered["range"] == "0-1"
        assert made.answered["location"] == location


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:xyz", "md5:" + "0" * 32, "sha256:../../etc", "x" * 500]
)
def test_a_digest_that_is_none(rig, digest):
    rig.create()
    location = begin(rig)
    rig.exchange("PATCH", location, b"content")
    for method, path in (("PUT", location), ("POST", UPLOADS)):
        made = rig.exchange(method, path, query={"digest": digest})
        assert (made.status, code_of(made)) == (400, "DIGEST_INVALID")
    assert not list(rig.blobs.walk())


def test_a_wrong_digest_keeps_nothing(both):
    both.create()
    location = begin(both)
    both.exchange("PATCH", location, b"content")
    made = both.exchange("PUT", location, query={"digest": sha256(b"other")})
    assert (made.status, code_of(made)) == (400, "DIGEST_INVALID")
    assert both.exchange("GET", location).status == 404
    made = both.exchange("POST", UPLOADS, b"content", query={"digest": sha256(b"other")})
    assert (made.status, code_of(made)) == (400, "DIGEST_INVALID")
    assert nothing_kept(both)


@pytest.mark.parametrize("upload", ["0" * 32, "..", "x", "0" * 31, "A" * 32, "%2e%2e", "\0" * 32])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_an_upload_that_is_none(rig, method, upload):
    rig.create()
    made = rig.exchange(method, UPLOADS + upload, b"x", query={"digest": sha256(b"x")})
    assert (made.status, code_of(made)) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert nothing_kept(rig)


def test_an_upload_belongs_to_its_repository(rig):
    for name, account in (("team/app", ACCOUNT), ("other/app", ACCOUNT), ("team/app", OTHER)):
        rig.create(name, account)
    location = begin(rig)
    upload = location.removeprefix(UPLOADS)
    for path, auth in (
        (f"/v2/other/app/blobs/uploads/{upload}", None),
        (location, rig.login(OTHER)),
    ):
        made = rig.exchange("PATCH", path, b"x", auth=auth)
        assert (made.status, code_of(made)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_cancelled(both):
    both.create()
    location = begin(both)
    both.exchange("PATCH", location, b"content")
    assert both.exchange("DELETE", location).status == 204
    assert both.exchange("GET", location).status == 404
    assert nothing_kept(both)


def test_a_repository_that_is_not_there_names_the_command(rig):
    made = rig.exchange("POST", UPLOADS)
    assert (made.status, code_of(made)) == (404, "NAME_UNKNOWN")
    assert b"aws ecr create-repository --repository-name team/app" in made.body
    assert "create-repository" not in rig.exchange("GET", "/v2/team/app/tags/list").body.decode()


def test_a_cut_monolithic_push_keeps_nothing(both):
    both.create()
    with pytest.raises(ClientCut):
        both.exchange("POST", UPLOADS, b"half", query={"digest": sha256(b"whole")}, cut=True)
    assert nothing_kept(both)


@settings(max_examples=40, deadline=None)
@given(
    content=st.binary(min_size=1, max_size=4000),
    cuts=st.lists(st.integers(0, 4000), max_size=5),
    pieces=st.integers(1, 700),
    restarts=st.booleans(),
)
def test_a_push_that_is_cut_anywhere_goes_on(content, cuts, pieces, restarts):
    rig = Rig()
    try:
        rig.create()
        location = begin(rig)
        held = 0
        for cut in cuts:
            end = min(cut, len(content))
            sent = [content[at : at + pieces] for at in range(held, end, pieces)]
            with pytest.raises(ClientCut):
                rig.exchange("PATCH", location, *sent, cut=True)
            if restarts:
                rig.blobs.crash()
                rig.start()
            held += sum(map(len, sent))
            made = rig.exchange("GET", location)
            assert made.answered["range"] == f"0-{max(0, held - 1)}"
            assert not is_there(rig, content)
        made = rig.exchange("PUT", location, content[held:], query={"digest": sha256(content)})
        assert made.status == 201
        blob = rig.exchange("GET", f"/v2/team/app/blobs/{sha256(content)}")
        assert blob.body == content
    finally:
        rig.close()


def test_two_requests_for_one_upload(rig):
    rig.create()
    location = begin(rig)
    with rig.blobs.stage(location.removeprefix(UPLOADS)):
        for method in ("PATCH", "PUT", "DELETE"):
            made = rig.exchange(method, location, b"x", query={"digest": sha256(b"x")})
            assert (made.status, code_of(made)) == (409, "BLOB_UPLOAD_INVALID")
    assert rig.exchange("PATCH", location, b"x").status == 202


class Lingering(MemoryExchange):
    """A request whose client is gone already, while its last bytes still lie in our socket."""

    async def read(self):
        for _ in range(200):
            await asyncio.sleep(0)
        return await super().read()


def test_who_comes_back_at_once_is_told_of_every_byte(both):
    """The line was cut, and the client is back before the server has read all that was sent.

    What it is told must not be outrun by those bytes: its next chunk would begin at a wrong place.
    """
    both.create()
    location, auth = begin(both), both.login()
    gone = Lingering("PATCH", location, {}, {"authorization": auth}, [b"0123", b"4567"], cut=True)
    back = MemoryExchange("GET", location, {}, {"authorization": auth})

    async def both_at_once():
        going = asyncio.create_task(both.distribution.answer(gone))
        for _ in range(100):
            await asyncio.sleep(0)
        await both.distribution.answer(back)
        with pytest.raises(ClientCut):
            await going

    both.runner.run(both_at_once())
    assert back.answered["range"] == "0-7"
    assert both.exchange("PATCH", location, b"89", content_range="8-9").status == 202


def test_a_full_disk_is_named_and_works_again():
    rig = Rig()
    try:
        store = rig.blobs
        assert isinstance(store, MemoryBlobStore)
        rig.create()
        old = rig.push_blob(b"old")
        store.capacity_bytes = 10
        location = begin(rig)
        made = rig.exchange("PATCH", location, b"01234", b"56789")
        assert (made.status, code_of(made)) == (507, "UNAVAILABLE")
        assert b"disk is full" in made.body
        assert rig.exchange("GET", location).status == 404
        assert not list(store.uploads())
        made = rig.exchange("POST", UPLOADS, b"x" * 20, query={"digest": sha256(b"x" * 20)})
        assert made.status == 507
        assert rig.exchange("GET", f"/v2/team/app/blobs/{old}").body == b"old"
        store.capacity_bytes = 1000
        rig.push_blob(b"x" * 20)
    finally:
        rig.close()


def test_an_account_has_a_bounded_number_of_uploads(rig):
    rig.create()
    rig.create(account=OTHER)
    for _ in range(UPLOADS_OF_ACCOUNT_MAX):
        last = begin(rig)
    made = rig.exchange("POST", UPLOADS)
    assert (made.status, code_of(made)) == (429, "TOOMANYREQUESTS")
    assert rig.exchange("POST", UPLOADS, auth=rig.login(OTHER)).status == 202
    rig.exchange("DELETE", last)
    begin(rig)


class TestMount:
    def test_links_without_a_byte(self, rig):
        rig.create()
        rig.create("other/app")
        digest = rig.push_blob(b"layer")
        made = rig.exchange(
            "POST", "/v2/other/app/blobs/uploads/", query={"mount": digest, "from": "team/app"}
        )
        assert made.status == 201
        assert made.answered["location"] == f"/v2/other/app/blobs/{digest}"
        assert is_there(rig, b"layer", "other/app")

    def test_from_another_region_of_the_account(self, rig):
        rig.create(region=FAR)
        rig.create()
        digest = rig.push_blob(b"layer", auth=rig.login(region=FAR))
        source = f"{ACCOUNT}/{FAR}/team/app"
        made = rig.exchange("POST", UPLOADS, query={"mount": digest, "from": source})
        assert made.status == 201

    @pytest.mark.parametrize(
        "source", ["", "no/such", f"{OTHER}/us-east-1/team/app", "../x", "empty/app"]
    )
    def test_of_what_the_caller_may_not_read_begins_an_upload(self, rig, source):
        """T07: a digest alone opens nothing, and nothing tells that the blob is there."""
        rig.create()
        rig.create("empty/app")
        rig.create(account=OTHER)
        digest = rig.push_blob(b"layer", auth=rig.login(OTHER))
        made = rig.exchange("POST", UPLOADS, query={"mount": digest, "from": source})
        assert made.status == 202
        assert not is_there(rig, b"layer")

    def test_of_a_digest_that_is_none(self, rig):
        rig.create()
        made = rig.exchange("POST", UPLOADS, query={"mount": "x", "from": "team/app"})
        assert (made.status, code_of(made)) == (400, "DIGEST_INVALID")


def test_a_repository_deleted_under_an_upload(rig):
    rig.create()
    location = begin(rig)
    rig.exchange("PATCH", location, b"content")
    rig.call("DeleteRepository", repository_name="team/app")
    made = rig.exchange("PUT", location, query={"digest": sha256(b"content")})
    assert (made.status, code_of(made)) == (404, "NAME_UNKNOWN")
    rig.create()
    assert rig.exchange("GET", location).status == 404
    assert not is_there(rig, b"content")
