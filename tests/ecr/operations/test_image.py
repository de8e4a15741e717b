"""ListImages, DescribeImages, BatchGetImage."""

import pytest

from moorage.ground.instant import epoch, hours
from moorage.shapes.ecr import faults
from moorage.shapes.ecr.image import (
    DescribeImagesFilter,
    ImageIdentifier,
    ListImagesFilter,
)
from moorage.shapes.oci.descriptor import CONFIG_DOCKER
from moorage.shapes.oci.index import INDEX_OCI
from moorage.shapes.oci.manifest import MANIFEST_DOCKER
from tests.ecr.rig import ACCOUNT, OTHER, index, manifest, sha256

APP = {"repository_name": "team/app"}


@pytest.fixture
def images(rig):
    """Three images: one with two tags, one with one, one that lost its tag."""
    rig.create()
    one = rig.push("v1", b"one")
    rig.push("latest", b"one")
    lost = rig.push("v2", b"lost")
    two = rig.push("v2", b"two")
    return {"one": one, "two": two, "lost": lost}


def identifier(digest=None, tag=None):
    return ImageIdentifier(image_digest=digest, image_tag=tag)


@pytest.mark.usefixtures("images")
class TestListImages:
    def test_one_line_for_each_tag(self, rig, images):
        found = rig.call("ListImages", **APP).image_ids
        assert {(one.image_digest, one.image_tag) for one in found} == {
            (images["one"], "v1"),
            (images["one"], "latest"),
            (images["two"], "v2"),
            (images["lost"], None),
        }

    @pytest.mark.parametrize(
        ("tag_status", "image_status", "count"),
        [
            ("TAGGED", None, 3),
            ("UNTAGGED", None, 1),
            ("ANY", None, 4),
            (None, "ACTIVE", 4),
            (None, "ANY", 4),
            (None, "ARCHIVED", 0),
        ],
    )
    def test_filtered(self, rig, tag_status, image_status, count):
        wanted = ListImagesFilter(tag_status=tag_status, image_status=image_status)
        assert len(rig.call("ListImages", **APP, filter=wanted).image_ids) == count

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
    def test_in_pages(self, rig, length):
        seen, token = [], None
        for _ in range(6):
            answer = rig.call("ListImages", **APP, max_results=length, next_token=token)
            assert len(answer.image_ids) <= length
            seen += answer.image_ids
            token = answer.next_token
            if token is None:
                break
        assert seen == rig.call("ListImages", **APP).image_ids

    def test_a_token_is_of_one_question(self, rig):
        token = rig.call("ListImages", **APP, max_results=1).next_token
        wanted = ListImagesFilter(tag_status="TAGGED")
        with pytest.raises(faults.InvalidParameterException):
            rig.call("ListImages", **APP, max_results=1, next_token=token, filter=wanted)


@pytest.mark.usefixtures("images")
class TestDescribeImages:
    def test_all_that_is_known(self, rig, images):
        (detail,) = rig.call(
            "DescribeImages", **APP, image_ids=[identifier(tag="v1")]
        ).image_details
        assert detail.registry_id == ACCOUNT
        assert detail.repository_name == "team/app"
        assert detail.image_digest == images["one"]
        assert detail.image_tags == ["latest", "v1"]
        assert detail.image_size_in_bytes == len(b"{}") + len(b"one")
        assert detail.image_pushed_at == epoch(rig.clock.now())
        assert detail.image_manifest_media_type == MANIFEST_DOCKER
        assert detail.artifact_media_type == CONFIG_DOCKER
        assert detail.image_status == "ACTIVE"

    def test_an_index_is_as_large_as_its_largest_child(self, rig):
        rig.push("big", b"x" * 1000)
        children = [manifest(b"{}", b"one"), manifest(b"{}", b"x" * 1000)]
        rig.push_manifest("all", index(*children), INDEX_OCI)
        (detail,) = rig.call(
            "DescribeImages", **APP, image_ids=[identifier(tag="all")]
        ).image_details
        assert detail.image_size_in_bytes == 1002
        assert detail.image_manifest_media_type == INDEX_OCI

    def test_in_pages_and_filtered(self, rig, images):
        wanted = DescribeImagesFilter(tag_status="TAGGED")
        seen, token = [], None
        for _ in range(4):
            answer = rig.call(
                "DescribeImages", **APP, max_results=1, next_token=token, filter=wanted
            )
            seen += [one.image_digest for one in answer.image_details]
            token = answer.next_token
            if token is None:
                break
        assert seen == sorted([images["one"], images["two"]])
        untagged = DescribeImagesFilter(tag_status="UNTAGGED")
        (detail,) = rig.call("DescribeImages", **APP, filter=untagged).image_details
        assert (detail.image_digest, detail.image_tags) == (images["lost"], None)

    def test_what_is_not_there_is_named(self, rig):
        with pytest.raises(faults.ImageNotFoundException) as refused:
            rig.call("DescribeImages", **APP, image_ids=[identifier(tag="none")])
        assert refused.value.message == (
            "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within "
            f"the repository with name 'team/app' in the registry with id '{ACCOUNT}'"
        )

    @pytest.mark.parametrize(
        "members",
        [
            {"max_results": 5},
            {"next_token": "x"},
            {"filter": DescribeImagesFilter(tag_status="ANY")},
            {"image_ids": []},
            {"image_ids": [identifier(tag="v1")] * 101},
        ],
    )
    def test_what_does_not_go_together(self, rig, members):
        sound = {"image_ids": [identifier(tag="v1")]}
        with pytest.raises(faults.InvalidParameterException):
            rig.call("DescribeImages", **APP, **{**sound, **members})


@pytest.mark.usefixtures("images")
class TestBatchGetImage:
    def test_manifests_and_what_is_missing(self, rig, images):
        asked = [
            identifier(tag="v1"),
            identifier(digest=images["lost"]),
            identifier(digest=images["two"], tag="v2"),
            identifier(digest=images["two"], tag="v1"),
            identifier(tag="none"),
            identifier(digest=sha256(b"none")),
            identifier(digest="junk"),
            identifier(tag="no tag"),
            identifier(),
        ]
        answer = rig.call("BatchGetImage", **APP, image_ids=asked)
        assert [(one.image_id.image_digest, one.image_id.image_tag) for one in answer.images] == [
            (images["one"], "v1"),
            (images["lost"], None),
            (images["two"], "v2"),
        ]
        assert answer.images[0].image_manifest == manifest(b"{}", b"one").decode()
        assert answer.images[0].image_manifest_media_type == MANIFEST_DOCKER
        assert [failure.failure_code for failure in answer.failures] == [
            "ImageTagDoesNotMatchDigest",
            "ImageNotFound",
            "ImageNotFound",
            "InvalidImageDigest",
            "InvalidImageTag",
            "MissingDigestAndTag",
        ]
        assert [failure.image_id for failure in answer.failures] == asked[3:]
        assert all(failure.failure_reason for failure in answer.failures)

    @pytest.mark.parametrize(("accepted", "count"), [([MANIFEST_DOCKER], 1), ([INDEX_OCI], 0)])
    def test_of_accepted_types(self, rig, accepted, count):
        answer = rig.call(
            "BatchGetImage",
            **APP,
            image_ids=[identifier(tag="v1")],
            accepted_media_types=accepted,
        )
        assert (len(answer.images), len(answer.failures)) == (count, 1 - count)

    def test_is_a_pull(self, rig):
        def pulled():
            asked = [identifier(tag="v1")]
            (detail,) = rig.call("DescribeImages", **APP, image_ids=asked).image_details
            return detail.last_recorded_pull_time

        assert pulled() is None
        rig.call("BatchGetImage", **APP, image_ids=[identifier(tag="v1")])
        first = pulled()
        assert first == epoch(rig.clock.now())
        rig.clock.advance(hours(2))
        rig.call("BatchGetImage", **APP, image_ids=[identifier(tag="v1")])
        assert pulled() > first


@pytest.mark.parametrize("operation", ["ListImages", "DescribeImages", "BatchGetImage"])
@pytest.mark.parametrize("members", [{"repository_name": "no/such"}, {"registry_id": OTHER}])
def test_of_another_registry(rig, operation, members):
    rig.create(account=OTHER)
    more = {"BatchGetImage": {"image_ids": [identifier(tag="v1")]}}
    with pytest.raises(faults.RepositoryNotFoundException):
        rig.call(operation, **{**APP, **members}, **more.get(operation, {}))
