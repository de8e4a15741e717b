"""CreateRepository, DescribeRepositories, DeleteRepository, PutImageTagMutability."""

import pytest

from moorage.ground.fault import Fault
from moorage.shapes.ecr import faults
from moorage.shapes.ecr.repository import (
    EncryptionConfiguration,
    ImageScanningConfiguration,
    ImageTagMutabilityExclusionFilter,
)
from moorage.shapes.ecr.tag import Tag
from tests.ecr.rig import ACCOUNT, FAR, OTHER


def wildcard(text):
    return ImageTagMutabilityExclusionFilter(filter_type="WILDCARD", filter=text)


class TestCreateRepository:
    def test_answers_what_it_made(self, rig):
        made = rig.create("team/app", tags=[Tag(key="a", value="1")])
        assert made.repository_arn == f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"
        assert made.registry_id == ACCOUNT
        assert made.repository_uri == "127.0.0.1:4750/team/app"
        assert made.image_tag_mutability == "MUTABLE"
        assert made.image_tag_mutability_exclusion_filters is None
        assert made.image_scanning_configuration == ImageScanningConfiguration(scan_on_push=False)
        assert made.encryption_configuration == EncryptionConfiguration(encryption_type="AES256")
        found = rig.call("DescribeRepositories", repository_names=["team/app"]).repositories
        assert found == [made]
        tags = rig.call("ListTagsForResource", resource_arn=made.repository_arn).tags
        assert tags == [Tag(key="a", value="1")]

    def test_keeps_what_only_observes(self, rig):
        wanted = ImageScanningConfiguration(scan_on_push=True)
        assert (
            rig.create(image_scanning_configuration=wanted).image_scanning_configuration == wanted
        )

    def test_once_in_each_account_and_region(self, rig):
        rig.create()
        rig.create(account=OTHER)
        rig.create(region=FAR)
        with pytest.raises(faults.RepositoryAlreadyExistsException) as refused:
            rig.create()
        assert refused.value.message == (
            "The repository with name 'team/app' already exists in the registry with id "
            f"'{ACCOUNT}'"
        )

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"repository_name": None}, faults.InvalidParameterException),
            ({"repository_name": "A"}, faults.InvalidParameterException),
            ({"repository_name": "a"}, faults.InvalidParameterException),
            ({"repository_name": "a" * 257}, faults.InvalidParameterException),
            ({"repository_name": "a//b"}, faults.InvalidParameterException),
            ({"registry_id": OTHER}, faults.InvalidParameterException),
            ({"registry_id": "x"}, faults.InvalidParameterException),
            ({"image_tag_mutability": "FIXED"}, faults.InvalidParameterException),
            (
                {"image_tag_mutability_exclusion_filters": [wildcard("v*")]},
                faults.InvalidParameterException,
            ),
            (
                {"image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION"},
                faults.InvalidParameterException,
            ),
            (
                {"encryption_configuration": EncryptionConfiguration(encryption_type="KMS")},
                faults.InvalidParameterException,
            ),
            (
                {
                    "encryption_configuration": EncryptionConfiguration(
                        encryption_type="AES256", kms_key="arn:aws:kms:::key/k"
                    )
                },
                faults.InvalidParameterException,
            ),
            ({"tags": [Tag(key="aws:x", value="")]}, faults.InvalidTagParameterException),
            (
                {"tags": [Tag(key=f"k{number}", value="") for number in range(51)]},
                faults.TooManyTagsException,
            ),
        ],
    )
    def test_refuses_and_makes_nothing(self, rig, members, fault):
        with pytest.raises(fault) as refused:
            rig.call("CreateRepository", **{"repository_name": "team/app", **members})
        assert refused.value.message
        assert rig.call("DescribeRepositories").repositories == []

    def test_names_what_it_has_not(self, rig):
        with pytest.raises(Fault, match="KMS"):
            rig.create(encryption_configuration=EncryptionConfiguration(encryption_type="KMS"))


class TestDescribeRepositories:
    def test_in_pages_by_name(self, rig):
        names = [f"app{number}" for number in range(7)]
        for name in reversed(names):
            rig.create(name)
        seen, token = [], None
        for _ in range(10):
            answer = rig.call("DescribeRepositories", max_results=3, next_token=token)
            seen += [one.repository_name for one in answer.repositories]
            token = answer.next_token
            if token is None:
                break
        assert seen == names

    def test_by_name_in_the_order_asked(self, rig):
        rig.create("b0")
        rig.create("a0")
        answer = rig.call("DescribeRepositories", repository_names=["b0", "a0"])
        assert [one.repository_name for one in answer.repositories] == ["b0", "a0"]

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"repository_names": ["no/such"]}, faults.RepositoryNotFoundException),
            ({"registry_id": OTHER}, faults.InvalidParameterException),
            ({"max_results": 0}, faults.InvalidParameterException),
            ({"max_results": 1001}, faults.InvalidParameterException),
            ({"next_token": "junk"}, faults.InvalidParameterException),
            ({"repository_names": ["aa"], "max_results": 5}, faults.InvalidParameterException),
        ],
    )
    def test_refuses(self, rig, members, fault):
        with pytest.raises(fault):
            rig.call("DescribeRepositories", **members)

    def test_a_token_is_of_one_account(self, rig):
        for name in ("aa", "bb"):
            rig.create(name)
        token = rig.call("DescribeRepositories", max_results=1).next_token
        with pytest.raises(faults.InvalidParameterException):
            rig.call("DescribeRepositories", OTHER, max_results=1, next_token=token)

    def test_shows_the_callers_own(self, rig):
        rig.create()
        assert rig.call("DescribeRepositories", OTHER).repositories == []
        assert rig.call("DescribeRepositories", region=FAR).repositories == []


class TestDeleteRepository:
    def test_an_empty_one(self, rig):
        made = rig.create()
        assert rig.call("DeleteRepository", repository_name="team/app").repository == made
        with pytest.raises(faults.RepositoryNotFoundException) as refused:
            rig.call("DeleteRepository", repository_name="team/app")
        assert refused.value.message == (
            "The repository with name 'team/app' does not exist in the registry with id "
            f"'{ACCOUNT}'"
        )

    def test_one_with_images_by_force(self, rig):
        rig.create()
        rig.push("v1", b"layer")
        with pytest.raises(faults.RepositoryNotEmptyException) as refused:
            rig.call("DeleteRepository", repository_name="team/app")
        assert refused.value.message.endswith("cannot be deleted because it still contains images")
        rig.call("DeleteRepository", repository_name="team/app", force=True)
        rig.create()
        assert rig.call("ListImages", repository_name="team/app").image_ids == []
        made = rig.exchange("GET", "/v2/team/app/manifests/v1")
        assert made.status == 404

    def test_never_one_in_use(self, rig):
        rig.create()
        digest = rig.push("v1", b"layer")
        rig.claim(digest)
        with pytest.raises(faults.RepositoryNotEmptyException, match="service-revision/r"):
            rig.call("DeleteRepository", repository_name="team/app", force=True)
        assert rig.exchange("GET", "/v2/team/app/manifests/v1").status == 200

    @pytest.mark.parametrize("members", [{"registry_id": OTHER}, {"repository_name": "no/such"}])
    def test_of_another_registry(self, rig, members):
        rig.create()
        rig.create(account=OTHER)
        with pytest.raises(faults.RepositoryNotFoundException):
            rig.call("DeleteRepository", **{"repository_name": "team/app", **members})
        assert len(rig.call("DescribeRepositories", OTHER).repositories) == 1


class TestPutImageTagMutability:
    def test_changes_what_tags_may_do(self, rig):
        rig.create()
        answer = rig.call(
            "PutImageTagMutability",
            repository_name="team/app",
            image_tag_mutability="MUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=[wildcard("v*")],
        )
        assert answer.image_tag_mutability == "MUTABLE_WITH_EXCLUSION"
        assert answer.image_tag_mutability_exclusion_filters == [wildcard("v*")]
        (found,) = rig.call("DescribeRepositories").repositories
        assert found.image_tag_mutability == "MUTABLE_WITH_EXCLUSION"
        rig.call(
            "PutImageTagMutability", repository_name="team/app", image_tag_mutability="MUTABLE"
        )
        (found,) = rig.call("DescribeRepositories").repositories
        assert found.image_tag_mutability_exclusion_filters is None

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"image_tag_mutability": None}, faults.InvalidParameterException),
            ({"image_tag_mutability": "X"}, faults.InvalidParameterException),
            ({"repository_name": "no/such"}, faults.RepositoryNotFoundException),
            ({"registry_id": OTHER}, faults.RepositoryNotFoundException),
            (
                {"image_tag_mutability_exclusion_filters": [wildcard("v*")]},
                faults.InvalidParameterException,
            ),
            (
                {
                    "image_tag_mutability": "MUTABLE_WITH_EXCLUSION",
                    "image_tag_mutability_exclusion_filters": [wildcard("v v")],
                },
                faults.InvalidParameterException,
            ),
        ],
    )
    def test_refuses(self, rig, members, fault):
        rig.create()
        sound = {"repository_name": "team/app", "image_tag_mutability": "IMMUTABLE"}
        with pytest.raises(fault):
            rig.call("PutImageTagMutability", **{**sound, **members})
        (found,) = rig.call("DescribeRepositories").repositories
        assert found.image_tag_mutability == "MUTABLE"
