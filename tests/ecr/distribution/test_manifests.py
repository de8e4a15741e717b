"""Manifests: pushed, pulled, moved, deleted."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moorage.ecr.rules.manifest import MANIFEST_BYTES_MAX
from moorage.ground.digest import digest_of
from moorage.shapes.ecr.repository import ImageTagMutabilityExclusionFilter
from moorage.shapes.oci.descriptor import CONFIG_OCI
from moorage.shapes.oci.index import INDEX_OCI
from moorage.shapes.oci.manifest import MANIFEST_DOCKER, MANIFEST_OCI
from tests.ecr.rig import (
    ACCOUNT,
    FAR,
    OTHER,
    Rig,
    code_of,
    descriptor,
    index,
    manifest,
    sha256,
)

MANIFESTS = "/v2/team/app/manifests/"
BODY = manifest(b"{}", b"layer")


def test_pushed_and_pulled_byte_for_byte(both):
    both.create()
    for content in (b"{}", b"layer"):
        both.push_blob(content)
    made = both.exchange(
        "PUT", MANIFESTS + "v1", BODY[:50], BODY[50:], content_type=MANIFEST_DOCKER
    )
    assert made.status == 201
    assert made.answered["location"] == MANIFESTS + sha256(BODY)
    assert made.answered["docker-content-digest"] == sha256(BODY)
    for reference in ("v1", sha256(BODY)):
        got = both.exchange("GET", MANIFESTS + reference)
        assert (got.status, got.body) == (200, BODY)
        assert got.answered["content-type"] == MANIFEST_DOCKER
        assert got.answered["docker-content-digest"] == sha256(BODY)
        assert got.answered["etag"] == f'"{sha256(BODY)}"'
        head = both.exchange("HEAD", MANIFESTS + reference)
        assert (head.status, head.body) == (200, b"")
        assert head.answered == got.answered


@pytest.mark.parametrize("accept", ["*/*", MANIFEST_OCI, "text/html", ""])
def test_the_type_it_was_pushed_as_is_served_for_ever(rig, accept):
    """T14: what a client accepts never changes what a document is."""
    rig.create()
    rig.push("v1", b"layer")
    made = rig.exchange("GET", MANIFESTS + "v1", accept=accept)
    assert (made.body, made.answered["content-type"]) == (BODY, MANIFEST_DOCKER)
    known = rig.exchange("GET", MANIFESTS + "v1", if_none_match=made.answered["etag"])
    assert (known.status, known.body) == (304, b"")


def test_parameters_of_the_content_type_say_nothing(rig):
    rig.create()
    for content in (b"{}", b"layer"):
        rig.push_blob(content)
    rig.push_manifest("v1", BODY, f"{MANIFEST_DOCKER}; charset=utf-8")


def test_pushed_by_digest(rig):
    rig.create()
    rig.push("v1", b"layer")
    assert rig.push_manifest(sha256(BODY), BODY) == sha256(BODY)
    long = str(digest_of(BODY, "sha512"))
    assert rig.push_manifest(long, BODY) == long
    assert rig.exchange("GET", MANIFESTS + long).body == BODY
    made = rig.exchange("PUT", MANIFESTS + sha256(b"x"), BODY, content_type=MANIFEST_DOCKER)
    assert (made.status, code_of(made)) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("reference", "body", "kind", "status", "code"),
    [
        ("v1", b"", MANIFEST_DOCKER, 400, "MANIFEST_INVALID"),
        ("v1", BODY[:-1], MANIFEST_DOCKER, 400, "MANIFEST_INVALID"),
        ("v1", BODY, MANIFEST_OCI, 400, "MANIFEST_INVALID"),
        ("v1", BODY, "application/json", 400, "MANIFEST_INVALID"),
        ("v1", b" " * (MANIFEST_BYTES_MAX + 1), MANIFEST_DOCKER, 400, "SIZE_INVALID"),
        ("-v1", BODY, MANIFEST_DOCKER, 400, "TAG_INVALID"),
        ("t" * 301, BODY, MANIFEST_DOCKER, 400, "TAG_INVALID"),
        ("a b", BODY, MANIFEST_DOCKER, 400, "TAG_INVALID"),
        ("v\n", BODY, MANIFEST_DOCKER, 400, "TAG_INVALID"),
        ("sha256:0", BODY, MANIFEST_DOCKER, 400, "DIGEST_INVALID"),
        ("v1", manifest(b"{}", b"unknown"), MANIFEST_DOCKER, 404, "MANIFEST_BLOB_UNKNOWN"),
        ("v1", index(b"unknown"), INDEX_OCI, 404, "MANIFEST_BLOB_UNKNOWN"),
    ],
)
def test_what_is_refused_leaves_nothing(rig, reference, body, kind, status, code):
    rig.create()
    for content in (b"{}", b"layer"):
        rig.push_blob(content)
    made = rig.exchange("PUT", MANIFESTS + reference, body, content_type=kind)
    assert (made.status, code_of(made)) == (status, code)
    assert json.loads(rig.exchange("GET", "/v2/team/app/tags/list").body)["tags"] == []
    assert rig.call("ListImages", repository_name="team/app").image_ids == []


def test_what_is_missing_is_named(rig):
    rig.create()
    made = rig.exchange("PUT", MANIFESTS + "v1", BODY, content_type=MANIFEST_DOCKER)
    assert [one["digest"] for one in json.loads(made.body)["errors"][0]["detail"]] == [
        sha256(b"{}"),
        sha256(b"layer"),
    ]


def test_a_text_that_no_database_keeps_is_refused(rig):
    rig.create()
    rig.push_blob(b"{}")
    body = json.dumps(
        {
            "schemaVersion": 2,
            "artifactType": "\ud800",
            "config": descriptor(b"{}", CONFIG_OCI),
            "layers": [],
        }
    ).encode()
    made = rig.exchange("PUT", MANIFESTS + "v1", body, content_type=MANIFEST_OCI)
    assert (made.status, code_of(made)) == (400, "MANIFEST_INVALID")


def test_blobs_of_another_repository_do_not_count(rig):
    """T07: an image consists of what its own repository has."""
    rig.create()
    rig.create("other/app")
    rig.push("v1", b"layer", name="other/app")
    made = rig.exchange("PUT", MANIFESTS + "v1", BODY, content_type=MANIFEST_DOCKER)
    assert code_of(made) == "MANIFEST_BLOB_UNKNOWN"


def test_manifests_are_seen_by_their_own_repository_alone(rig):
    """T07: two accounts, two repositories, two regions, every verb."""
    rig.create()
    digest = rig.push("v1", b"layer")
    twins = [(OTHER, "us-east-1", "team/app"), (ACCOUNT, FAR, "team/app")]
    twins.append((ACCOUNT, "us-east-1", "other/app"))
    for account, region, name in twins:
        rig.create(name, account, region)
        auth = rig.login(account, region)
        for reference in ("v1", digest):
            for method in ("HEAD", "GET", "DELETE"):
                path = f"/v2/{name}/manifests/{reference}"
                assert rig.exchange(method, path, auth=auth).status == 404
    assert rig.exchange("GET", MANIFESTS + "v1").status == 200


@pytest.mark.parametrize(
    ("mutability", "filters", "tag", "moves"),
    [
        ("MUTABLE", (), "v1", True),
        ("IMMUTABLE", (), "v1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev*",), "dev1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ("dev*",), "v1", False),
        ("MUTABLE_WITH_EXCLUSION", ("v*",), "v1", False),
    ],
)
def test_a_tag_moves_as_the_repository_says(rig, mutability, filters, tag, moves):
    rig.create(
        image_tag_mutability=mutability,
        image_tag_mutability_exclusion_filters=[
            ImageTagMutabilityExclusionFilter(filter_type="WILDCARD", filter=one) for one in filters
        ]
        or None,
    )
    first = rig.push(tag, b"one")
    assert rig.push(tag, b"one") == first
    for content in (b"{}", b"two"):
        rig.push_blob(content)
    body = manifest(b"{}", b"two")
    made = rig.exchange("PUT", MANIFESTS + tag, body, content_type=MANIFEST_DOCKER)
    if moves:
        assert made.status == 201
    else:
        assert (made.status, code_of(made)) == (400, "TAG_INVALID")
        assert (
            f"The image tag '{tag}' already exists in the 'team/app' repository and cannot be "
            "overwritten because the tag is immutable."
        ) in made.body.decode()
    meant = rig.exchange("GET", MANIFESTS + tag).answered["docker-content-digest"]
    assert meant == (sha256(body) if moves else first)


class TestDelete:
    def test_a_tag(self, rig):
        rig.create()
        digest = rig.push("v1", b"layer")
        assert rig.exchange("DELETE", MANIFESTS + "v1").status == 202
        assert rig.exchange("GET", MANIFESTS + "v1").status == 404
        assert rig.exchange("GET", MANIFESTS + digest).status == 200
        assert rig.exchange("DELETE", MANIFESTS + "v1").status == 404

    def test_an_image_with_its_tags(self, rig):
        rig.create()
        digest = rig.push("v1", b"layer")
        rig.push("v2", b"layer")
        assert rig.exchange("DELETE", MANIFESTS + digest).status == 202
        for reference in ("v1", "v2", digest):
            assert rig.exchange("GET", MANIFESTS + reference).status == 404

    def test_not_while_an_index_names_it(self, rig):
        rig.create()
        digest = rig.push("v1", b"layer")
        whole = rig.push_manifest("all", index(BODY), INDEX_OCI)
        made = rig.exchange("DELETE", MANIFESTS + digest)
        assert (made.status, code_of(made)) == (403, "DENIED")
        assert whole in made.body.decode()
        assert rig.exchange("DELETE", MANIFESTS + whole).status == 202
        assert rig.exchange("DELETE", MANIFESTS + digest).status == 202

    def test_not_while_the_cluster_uses_it(self, rig):
        rig.create()
        digest = rig.push("v1", b"layer")
        rig.claim(digest)
        made = rig.exchange("DELETE", MANIFESTS + digest)
        assert (made.status, code_of(made)) == (403, "DENIED")
        assert "service-revision/r" in made.body.decode()
        assert rig.exchange("GET", MANIFESTS + digest).status == 200


def test_a_pull_is_remembered_within_the_hour(rig):
    rig.create()
    rig.push("v1", b"layer")

    def pulled():
        details = rig.call("DescribeImages", repository_name="team/app").image_details
        return details[0].last_recorded_pull_time

    assert pulled() is None
    rig.exchange("HEAD", MANIFESTS + "v1")
    assert pulled() is None
    rig.exchange("GET", MANIFESTS + "v1")
    assert pulled() is not None


class TagMoves(RuleBasedStateMachine):
    """A tag means what was last accepted for it, whatever was pushed, refused and deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.rig.create()
        self.rig.create("still", image_tag_mutability="IMMUTABLE")
        self.auth = self.rig.login()
        self.meant = {"team/app": {}, "still": {}}
        self.images = {"team/app": set(), "still": set()}

    names = st.sampled_from(["team/app", "still"])
    tags = st.sampled_from(["v1", "v2"])
    layers = st.sampled_from([b"one", b"two", b"three"])

    @rule(name=names, tag=tags, layer=layers)
    def push(self, name, tag, layer):
        for content in (b"{}", layer):
            self.rig.push_blob(content, name, self.auth)
        body = manifest(b"{}", layer)
        made = self.rig.exchange(
            "PUT", f"/v2/{name}/manifests/{tag}", body, auth=self.auth, content_type=MANIFEST_DOCKER
        )
        before = self.meant[name].get(tag)
        if name == "still" and before not in {None, sha256(body)}:
            assert made.status == 400
        else:
            assert made.status == 201
            self.meant[name][tag] = sha256(body)
            self.images[name].add(sha256(body))

    @rule(name=names, tag=tags)
    def untag(self, name, tag):
        made = self.rig.exchange("DELETE", f"/v2/{name}/manifests/{tag}", auth=self.auth)
        assert made.status == (202 if self.meant[name].pop(tag, None) else 404)

    @rule(name=names, layer=layers)
    def delete(self, name, layer):
        digest = sha256(manifest(b"{}", layer))
        made = self.rig.exchange("DELETE", f"/v2/{name}/manifests/{digest}", auth=self.auth)
        assert made.status == (202 if digest in self.images[name] else 404)
        self.images[name].discard(digest)
        self.meant[name] = {tag: one for tag, one in self.meant[name].items() if one != digest}

    @invariant()
    def tags_mean_what_was_accepted(self):
        for name, meant in self.meant.items():
            made = self.rig.exchange("GET", f"/v2/{name}/tags/list", auth=self.auth)
            assert json.loads(made.body)["tags"] == sorted(meant)
            for tag, digest in meant.items():
                made = self.rig.exchange("HEAD", f"/v2/{name}/manifests/{tag}", auth=self.auth)
                assert made.answered["docker-content-digest"] == digest

    def teardown(self):
        self.rig.close()


TestTagMoves = TagMoves.TestCase
TestTagMoves.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
