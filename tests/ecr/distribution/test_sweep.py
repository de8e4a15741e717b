"""What the collector takes, and what it never takes."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moorage.ecr.distribution.memory import MemoryExchange
from moorage.ground.digest import parse_digest
from moorage.ground.instant import hours, minutes
from tests.ecr.rig import Rig, manifest, sha256

DAY = hours(24)
UPLOADS = "/v2/team/app/blobs/uploads/"


def kept(rig):
    return {str(facts.digest) for facts in rig.blobs.walk()}


def test_an_image_stays_for_ever(both):
    both.create()
    both.push("v1", b"layer")
    for _ in range(5):
        both.sweep(hours(25), expiry=DAY)
    assert kept(both) == {sha256(b"{}"), sha256(b"layer")}
    assert both.exchange("GET", f"/v2/team/app/blobs/{sha256(b'layer')}").body == b"layer"


def test_blobs_that_no_manifest_names_go_after_their_graces(both):
    both.create()
    both.push_blob(b"layer")
    both.sweep(hours(23), expiry=DAY)
    assert both.exchange("HEAD", f"/v2/team/app/blobs/{sha256(b'layer')}").status == 200
    both.sweep(hours(23), expiry=DAY)
    assert kept(both) == {sha256(b"layer")}  # asked for: a push may be about to name it
    both.sweep(hours(25), expiry=DAY)
    assert both.exchange("GET", f"/v2/team/app/blobs/{sha256(b'layer')}").status == 404
    assert kept(both) == {sha256(b"layer")}  # its tombstone has a grace of its own
    both.sweep(minutes(61), expiry=DAY)
    assert kept(both) == set()


def test_what_a_deleted_image_shared_stays_for_the_others(rig):
    rig.create()
    one = rig.push("v1", b"shared", b"one")
    rig.push("v2", b"shared", b"two")
    rig.exchange("DELETE", f"/v2/team/app/manifests/{one}")
    for _ in range(4):
        rig.sweep(hours(25), expiry=DAY)
    assert kept(rig) == {sha256(b"{}"), sha256(b"shared"), sha256(b"two")}


def test_a_deleted_repository_leaves_nothing(both):
    both.create()
    both.create("other/app")
    both.push("v1", b"layer")
    both.push("v1", b"layer", b"more", name="other/app")
    both.exchange("PATCH", both.exchange("POST", UPLOADS).answered["location"], b"half")
    both.call("DeleteRepository", repository_name="team/app", force=True)
    both.sweep(minutes(61), minutes(61), expiry=DAY)
    assert not list(both.blobs.uploads())
    assert kept(both) == {sha256(b"{}"), sha256(b"layer"), sha256(b"more")}
    both.call("DeleteRepository", repository_name="other/app", force=True)
    both.sweep(expiry=DAY)
    both.sweep(minutes(61), expiry=DAY)
    assert kept(both) == set()


def test_a_tombstone_is_taken_back_by_a_push(rig):
    rig.create()
    rig.push_blob(b"layer")
    rig.exchange("DELETE", f"/v2/team/app/blobs/{sha256(b'layer')}")
    rig.sweep(expiry=DAY)
    rig.push("v1", b"layer")
    for _ in range(3):
        rig.sweep(hours(25), expiry=DAY)
    assert rig.exchange("GET", f"/v2/team/app/blobs/{sha256(b'layer')}").body == b"layer"


def test_a_tombstone_is_taken_back_by_a_link(rig):
    """A mount after the tombstone would be the collector's classic loss: it looks again."""
    rig.create()
    rig.create("other/app")
    rig.push_blob(b"layer")
    rig.exchange("DELETE", f"/v2/team/app/blobs/{sha256(b'layer')}")
    rig.sweep(expiry=DAY)
    rig.push_blob(b"layer", "other/app")
    rig.push("v1", b"layer")
    rig.sweep(minutes(61), expiry=DAY)
    assert sha256(b"layer") in kept(rig)


def test_no_blob_is_buried_while_somebody_copies_what_rows_name(both):
    """A backup copies rows first and bytes then: what it has read of stays until it is done."""
    both.create()
    both.push("v1", b"layer")
    both.call("DeleteRepository", repository_name="team/app", force=True)
    both.sweep(expiry=DAY)

    async def sweep_while_kept() -> None:
        async with both.distribution.keeping_blobs():
            await both.distribution.sweep(DAY)

    both.clock.advance(minutes(61))
    both.runner.run(sweep_while_kept())
    assert kept(both) == {sha256(b"{}"), sha256(b"layer")}
    both.sweep(expiry=DAY)
    assert kept(both) == set()


def test_uploads_that_nobody_continues_go(both):
    both.create()
    old = both.exchange("POST", UPLOADS).answered["location"]
    both.exchange("PATCH", old, b"half")
    both.clock.advance(hours(23))
    young = both.exchange("POST", UPLOADS).answered["location"]
    both.exchange("PATCH", young, b"half")
    both.sweep(hours(2), expiry=DAY)
    assert both.exchange("GET", old).status == 404
    assert both.exchange("GET", young).status == 204
    assert len(list(both.blobs.uploads())) == 1
    both.clock.advance(hours(20))
    both.exchange("PATCH", young, b"more")
    both.sweep(hours(20), expiry=DAY)
    assert both.exchange("GET", young).answered["range"] == "0-7"


def test_an_upload_that_is_being_written_is_left_alone(rig):
    rig.create()
    location = rig.exchange("POST", UPLOADS).answered["location"]
    with rig.blobs.stage(location.removeprefix(UPLOADS)):
        rig.sweep(hours(25), expiry=DAY)
        assert rig.exchange("GET", location).status == 204
    rig.sweep(expiry=DAY)
    assert rig.exchange("GET", location).status == 404


def test_bytes_without_a_row_are_found_by_the_walk(rig):
    """A crash between bytes and row leaves a blob, or an upload, that nothing names."""
    rig.create()
    rig.push("v1", b"layer")
    with rig.blobs.stage("0" * 32) as stage:
        stage.append(b"lost")
    rig.blobs.commit("0" * 32, parse_digest(sha256(b"lost")))
    with rig.blobs.stage("1" * 32) as stage:
        stage.append(b"half")
    rig.sweep(minutes(66), expiry=DAY)
    assert sha256(b"lost") in kept(rig)
    rig.sweep(hours(25), expiry=DAY)
    assert kept(rig) == {sha256(b"{}"), sha256(b"layer")}
    assert not list(rig.blobs.uploads())


class Collecting(RuleBasedStateMachine):
    """No image ever refers to bytes that are gone, whatever comes and goes and is swept."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        for name in self.repositories:
            self.rig.create(name)
        self.images = {}

    repositories = ("team/app", "other/app")
    names = st.sampled_from(repositories)
    layers = st.sampled_from([b"one", b"two", b"three"])

    @rule(name=names, layer=layers, known=st.booleans())
    def push(self, name, layer, known):
        """Push as docker does: a blob that is said to be there is not sent again."""
        auth = self.rig.login()
        for content in (b"{}", layer):
            path = f"/v2/{name}/blobs/{sha256(content)}"
            if not (known and self.rig.exchange("HEAD", path, auth=auth).status == 200):
                self.rig.push_blob(content, name, auth)
        digest = self.rig.push_manifest("v", manifest(b"{}", layer), name=name, auth=auth)
        self.images[name, digest] = layer

    @rule(source=names, goal=names, layer=layers)
    def mount(self, source, goal, layer):
        self.rig.exchange(
            "POST",
            f"/v2/{goal}/blobs/uploads/",
            query={"mount": sha256(layer), "from": source},
        )

    @rule(name=names, layer=layers)
    def delete(self, name, layer):
        digest = sha256(manifest(b"{}", layer))
        self.rig.exchange("DELETE", f"/v2/{name}/manifests/{digest}")
        self.images.pop((name, digest), None)

    @rule(passed=st.sampled_from([minutes(1), hours(2), hours(13), hours(25)]))
    def sweep(self, passed):
        self.rig.sweep(passed, expiry=DAY)

    @rule()
    def restart(self):
        self.rig.start()

    @invariant()
    def every_image_is_whole(self):
        auth = self.rig.login()
        for (name, digest), layer in self.images.items():
            made = self.rig.exchange("HEAD", f"/v2/{name}/manifests/{digest}", auth=auth)
            assert made.status == 200
            for content in (b"{}", layer):
                path = f"/v2/{name}/blobs/{sha256(content)}"
                assert self.rig.exchange("GET", path, auth=auth).body == content

    def teardown(self):
        self.rig.close()


TestCollecting = Collecting.TestCase
TestCollecting.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("first", ["push", "sweep"])
def test_a_push_beside_the_collector_is_never_lost(both, first):
    """The bytes are committed while the collector holds their tombstone: one waits for the other."""
    both.create()
    for turn in range(10):
        content = f"layer {turn}".encode()
        digest = both.push_blob(content)
        both.exchange("DELETE", f"/v2/team/app/blobs/{digest}")
        both.sweep(expiry=DAY)
        both.clock.advance(minutes(61))
        push = MemoryExchange(
            "POST",
            UPLOADS,
            {"digest": digest},
            {"authorization": both.login()},
            (content,),
        )
        works = [both.distribution.answer(push), both.distribution.sweep(DAY)]

        async def together(works=works):
            await asyncio.gather(*(works if first == "push" else reversed(works)))

        both.runner.run(together())
        assert push.status == 201
        assert both.exchange("GET", f"/v2/team/app/blobs/{digest}").body == content
