"""PutImage and BatchDeleteImage."""

import itertools
import json

import pytest

from moorage.ground.fault import Fault
from moorage.shapes.ecr import faults
from moorage.shapes.ecr.image import ImageIdentifier
from moorage.shapes.oci.index import INDEX_OCI
from moorage.shapes.oci.manifest import MANIFEST_DOCKER, MANIFEST_OCI
from tests.ecr.rig import ACCOUNT, OTHER, index, manifest, sha256

APP = {"repository_name": "team/app"}
BODY = manifest(b"{}", b"layer").decode()


def identifier(digest=None, tag=None):
    return ImageIdentifier(image_digest=digest, image_tag=tag)


def listed(rig):
    found = rig.call("ListImages", **APP).image_ids
    return {(one.image_digest, one.image_tag) for one in found}


@pytest.mark.usefixtures("layers")
class TestPutImage:
    @pytest.fixture
    def layers(self, rig):
        rig.create()
        for content in (b"{}", b"layer"):
            rig.push_blob(content)

    def test_keeps_what_it_is_given(self, rig):
        answer = rig.call("PutImage", **APP, image_manifest=BODY, image_tag="v1")
        assert answer.image.image_id == identifier(sha256(BODY.encode()), "v1")
        assert answer.image.image_manifest == BODY
        assert answer.image.image_manifest_media_type == MANIFEST_DOCKER
        assert rig.exchange("GET", "/v2/team/app/manifests/v1").body == BODY.encode()

    def test_without_a_tag(self, rig):
        rig.call("PutImage", **APP, image_manifest=BODY, image_digest=sha256(BODY.encode()))
        assert listed(rig) == {(sha256(BODY.encode()), None)}

    @pytest.mark.parametrize("tag", ["v1", None])
    def test_the_same_again(self, rig, tag):
        rig.call("PutImage", **APP, image_manifest=BODY, image_tag="v1")
        with pytest.raises(faults.ImageAlreadyExistsException) as refused:
            rig.call("PutImage", **APP, image_manifest=BODY, image_tag=tag)
        assert refused.value.message == (
            f"Image with digest '{sha256(BODY.encode())}' and tag '{tag or 'null'}' already exists "
            f"in the repository with name 'team/app' in registry with id '{ACCOUNT}'"
        )

    def test_another_tag_for_the_same(self, rig):
        rig.call("PutImage", **APP, image_manifest=BODY, image_tag="v1")
        rig.call("PutImage", **APP, image_manifest=BODY, image_tag="v2")
        assert {tag for _, tag in listed(rig)} == {"v1", "v2"}

    def test_a_tag_that_may_not_move(self, rig):
        rig.call("PutImageTagMutability", **APP, image_tag_mutability="IMMUTABLE")
        rig.call("PutImage", **APP, image_manifest=BODY, image_tag="v1")
        other = manifest(b"{}", b"layer", b"layer").decode()
        with pytest.raises(faults.ImageTagAlreadyExistsException, match="immutable"):
            rig.call("PutImage", **APP, image_manifest=other, image_tag="v1")
        assert listed(rig) == {(sha256(BODY.encode()), "v1")}

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"image_manifest": "{}"}, faults.InvalidParameterException),
            ({"image_manifest": "\ud800"}, faults.InvalidParameterException),
            ({"image_manifest": ""}, faults.InvalidParameterException),
            ({"image_manifest": None}, faults.InvalidParameterException),
            ({"image_manifest_media_type": MANIFEST_OCI}, faults.InvalidParameterException),
            ({"image_tag": "a b"}, faults.InvalidParameterException),
            ({"image_tag": ""}, faults.InvalidParameterException),
            ({"image_digest": "junk"}, faults.InvalidParameterException),
            ({"image_digest": sha256(b"x")}, faults.ImageDigestDoesNotMatchException),
            (
                {"image_manifest": manifest(b"{}", b"none").decode()},
                faults.LayersNotFoundException,
            ),
            ({"image_manifest": index(b"none").decode()}, faults.ReferencedImagesNotFoundException),
            ({"repository_name": "no/such"}, faults.RepositoryNotFoundException),
            ({"registry_id": OTHER}, faults.RepositoryNotFoundException),
        ],
    )
    def test_refuses_and_keeps_nothing(self, rig, members, fault):
        with pytest.raises(fault) as refused:
            rig.call("PutImage", **{**APP, "image_manifest": BODY, "image_tag": "v1", **members})
        assert refused.value.message
        assert listed(rig) == set()

    def test_names_what_is_missing(self, rig):
        body = manifest(b"{}", b"one", b"two").decode()
        with pytest.raises(Fault) as refused:
            rig.call("PutImage", **APP, image_manifest=body)
        assert sha256(b"one") in refused.value.message
        assert sha256(b"two") in refused.value.message
        assert sha256(b"{}") not in refused.value.message


class TestBatchDeleteImage:
    @pytest.fixture
    def digest(self, rig):
        rig.create()
        rig.push("v2", b"layer")
        return rig.push("v1", b"layer")

    def delete(self, rig, *identifiers):
        answer = rig.call("BatchDeleteImage", **APP, image_ids=list(identifiers))
        gone = [(one.image_digest, one.image_tag) for one in answer.image_ids]
        return gone, [(one.image_id, one.failure_code) for one in answer.failures]

    def test_by_tag_the_tag_goes_and_with_the_last_the_image(self, rig, digest):
        assert self.delete(rig, identifier(tag="v1")) == ([(digest, "v1")], [])
        assert listed(rig) == {(digest, "v2")}
        assert self.delete(rig, identifier(digest, "v2")) == ([(digest, "v2")], [])
        assert listed(rig) == set()
        assert rig.exchange("GET", f"/v2/team/app/manifests/{digest}").status == 404

    def test_by_digest_all_goes(self, rig, digest):
        gone, failures = self.delete(rig, identifier(digest))
        assert gone == [(digest, "v1"), (digest, "v2")]
        assert failures == []
        assert listed(rig) == set()

    def test_an_image_without_a_tag(self, rig, digest):
        rig.exchange("DELETE", "/v2/team/app/manifests/v1")
        rig.exchange("DELETE", "/v2/team/app/manifests/v2")
        assert self.delete(rig, identifier(digest)) == ([(digest, None)], [])

    def test_failures_beside_what_goes(self, rig, digest):
        asked = [
            (identifier(tag="none"), "ImageNotFound"),
            (identifier(sha256(b"none")), "ImageNotFound"),
            (identifier("junk"), "InvalidImageDigest"),
            (identifier(tag="no tag"), "InvalidImageTag"),
            (identifier(sha256(b"none"), "v2"), "ImageTagDoesNotMatchDigest"),
            (identifier(), "MissingDigestAndTag"),
        ]
        gone, failures = self.delete(
            rig, identifier(tag="v1"), *(identifier for identifier, _ in asked)
        )
        assert gone == [(digest, "v1")]
        assert failures == asked

    def test_the_same_twice(self, rig, digest):
        gone, failures = self.delete(rig, identifier(digest), identifier(digest))
        assert len(gone) == 2
        assert failures == [(identifier(digest), "ImageNotFound")]

    def test_what_an_index_names_stays(self, rig, digest):
        whole = rig.push_manifest("all", index(BODY.encode()), INDEX_OCI)
        answer = rig.call("BatchDeleteImage", **APP, image_ids=[identifier(digest)])
        (failure,) = answer.failures
        assert failure.failure_code == "ImageReferencedByManifestList"
        assert failure.failure_reason == (f"Requested image referenced by manifest list: [{whole}]")
        assert len(listed(rig)) == 3

    @pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
    def test_indexes_go_before_what_they_name(self, rig, digest, order):
        inner = index(BODY.encode())
        outer = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": INDEX_OCI,
                "manifests": [
                    {"mediaType": INDEX_OCI, "digest": sha256(inner), "size": len(inner)}
                ],
            }
        ).encode()
        rig.push_manifest("inner", inner, INDEX_OCI)
        rig.push_manifest("outer", outer, INDEX_OCI)
        asked = [
            identifier(digest),
            identifier(sha256(inner)),
            identifier(tag="outer"),
            identifier(tag="none"),
        ]
        gone, failures = self.delete(rig, *(asked[number] for number in order))
        assert len(gone) == 4
        assert failures == [(identifier(tag="none"), "ImageNotFound")]
        assert listed(rig) == set()

    @pytest.mark.parametrize("by_digest", [True, False])
    def test_what_the_cluster_uses_stays(self, rig, digest, by_digest):
        rig.claim(digest)
        self.delete(rig, identifier(tag="v2"))
        asked = identifier(digest) if by_digest else identifier(tag="v1")
        answer = rig.call("BatchDeleteImage", **APP, image_ids=[asked])
        (failure,) = answer.failures
        assert "arn:aws:ecs:::service-revision/r" in failure.failure_reason
        assert listed(rig) == {(digest, "v1")}

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"repository_name": "no/such"}, faults.RepositoryNotFoundException),
            ({"registry_id": OTHER}, faults.RepositoryNotFoundException),
            ({"image_ids": []}, faults.InvalidParameterException),
            ({"image_ids": None}, faults.InvalidParameterException),
            ({"image_ids": [identifier(tag="v1")] * 101}, faults.InvalidParameterException),
        ],
    )
    @pytest.mark.usefixtures("digest")
    def test_refuses(self, rig, members, fault):
        with pytest.raises(fault):
            rig.call("BatchDeleteImage", **{**APP, "image_ids": [identifier(tag="v1")], **members})
        assert len(listed(rig)) == 2
