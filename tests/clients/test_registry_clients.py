"""The registry as unmodified clients use it: docker, skopeo, podman where it is, and boto3."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place
from tests.clients.processes import clean_environment, run

pytestmark = [pytest.mark.clients, pytest.mark.engine]

Copy = Callable[[Place, str, str, Path], str]


def by_docker(place: Place, source: str, target: str, _folder: Path) -> str:
    """Pull and push with docker, through the engine; the digest."""
    place.docker("pull", source)
    place.push(source, target)
    told = json.loads(place.docker("inspect", target))[0]["RepoDigests"]
    return next(one for one in told if one.startswith(target.rpartition(":")[0])).partition("@")[2]


def by_skopeo(place: Place, source: str, target: str, folder: Path) -> str:
    """Copy with skopeo, from registry to registry; the digest that skopeo saw."""
    credentials = f"AWS:{place.password()}"
    digest = folder / "digest"
    run(
        [
            *("skopeo", "copy", "--quiet", "--digestfile", str(digest)),
            *("--src-tls-verify=false", "--dest-tls-verify=false"),
            *("--src-creds", credentials, "--dest-creds", credentials),
            *(f"docker://{source}", f"docker://{target}"),
        ],
        env=clean_environment(),
    )
    return digest.read_text()


def by_podman(place: Place, source: str, target: str, folder: Path) -> str:
    """Pull and push with podman, its storage in a folder of its own."""
    login = ("--tls-verify=false", "--creds", f"AWS:{place.password()}")
    digest = folder / "digest"
    with tempfile.TemporaryDirectory() as short:  # podman bears no long path here
        own = ("podman", "--root", f"{short}/root", "--runroot", f"{short}/run")
        podman = (*own, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs")
        run([*podman, "pull", "--quiet", *login, source], env=clean_environment())
        push = (*podman, "push", "--quiet", "--digestfile", str(digest))
        run([*push, *login, source, f"docker://{target}"], env=clean_environment())
    return digest.read_text()


CLIENTS: list[Copy] = [by_docker, by_skopeo]
if shutil.which("podman"):
    CLIENTS.append(by_podman)


@pytest.mark.both_databases
@pytest.mark.parametrize("copy", CLIENTS)
def test_an_image_is_pulled_and_pushed_by_each_client(place: Place, images, copy, tmp_path):
    """From one repository to another: the same bytes, known by tag and digest, shown by ECR."""
    name = f"copies/{copy.__name__.replace('_', '-')}"
    target = f"{place.repository(name)}:a"
    digest = copy(place, images["web:1"], target, tmp_path)
    [image] = place.ecr.describe_images(repositoryName=name)["imageDetails"]
    assert image["imageDigest"] == digest
    assert image["imageTags"] == ["a"]
    assert image["imageSizeInBytes"] > 500_000
    listed = place.ecr.list_images(repositoryName=name)["imageIds"]
    assert listed == [{"imageDigest": digest, "imageTag": "a"}]
    with pytest.raises(ClientError, match=r"RepositoryNotEmptyException"):
        place.ecr.delete_repository(repositoryName=name)
    place.ecr.delete_repository(repositoryName=name, force=True)


def test_skopeo_lists_inspects_and_deletes(place: Place, images, tmp_path):
    """The tag list, the manifest and the delete of the distribution API."""
    uri = place.repository("listed")
    for tag in ("b", "a", "c"):
        by_skopeo(place, images["web:1"], f"{uri}:{tag}", tmp_path)
    login = ("--tls-verify=false", "--creds", f"AWS:{place.password()}")
    told = json.loads(run(["skopeo", "list-tags", *login, f"docker://{uri}"]).stdout)
    assert told["Tags"] == ["a", "b", "c"]
    seen = json.loads(run(["skopeo", "inspect", *login, f"docker://{uri}:b"]).stdout)
    assert seen["Os"] == "linux"
    run(["skopeo", "delete", *login, f"docker://{uri}:b"])
    assert place.ecr.list_images(repositoryName="listed")["imageIds"] == []
    place.ecr.delete_repository(repositoryName="listed")


def test_an_immutable_tag_moves_for_nobody(place: Place, images, tmp_path):
    """IMMUTABLE: neither docker's push, nor PutImage, nor a push of the same tag by skopeo."""
    uri = place.repository("fixed", imageTagMutability="IMMUTABLE")
    by_skopeo(place, images["web:1"], f"{uri}:1", tmp_path)
    with pytest.raises(AssertionError, match=r"(?i)immutable|already exists"):
        place.push("sample:2", f"{uri}:1")
    with pytest.raises(AssertionError, match=r"(?i)immutable|already exists|denied|invalid"):
        by_skopeo(place, images["web:2"], f"{uri}:1", tmp_path)
    web = place.ecr.batch_get_image(repositoryName="web", imageIds=[{"imageTag": "2"}])["images"][0]
    by_skopeo(place, images["web:2"], f"{uri}:2", tmp_path)
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        place.ecr.put_image(
            repositoryName="fixed", imageManifest=web["imageManifest"], imageTag="1"
        )
    place.ecr.put_image_tag_mutability(repositoryName="fixed", imageTagMutability="MUTABLE")
    place.push("sample:2", f"{uri}:1")
    place.ecr.delete_repository(repositoryName="fixed", force=True)


@pytest.mark.both_databases
def test_layers_are_mounted_from_another_repository(place: Place, folder):
    """Docker push of an image whose layers lie in a neighbour sends none of them again."""
    first, second = place.repository("mounted/first"), place.repository("mounted/second")
    scratch = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY word /word\n"
    image = place.build("mounted:1", folder / "mounted", scratch, word="nobody else has this")
    place.push(image, f"{first}:1")
    place.docker("tag", image, f"{second}:1")
    told = place.docker("push", f"{second}:1")
    assert "Mounted from mounted/first" in told, told
    assert "Pushed" not in told
    place.docker("rmi", f"{second}:1")
    place.docker("pull", f"{second}:1")
    for name in ("mounted/first", "mounted/second"):
        place.ecr.delete_repository(repositoryName=name, force=True)


def test_pushes_that_cannot_be_say_why(place: Place, images):
    """To a repository that is not there: the sentence tells how to make one.

    Without a login it is refused.
    """
    with pytest.raises(AssertionError, match=r"(?s)does not exist|not known|create-repository"):
        place.push("sample:1", f"{place.server.address}/nowhere:1")
    place.docker("logout", place.server.address)
    with pytest.raises(
        AssertionError, match=r"(?i)no basic auth|unauthorized|denied|not authorized"
    ):
        place.docker("push", images["web:1"])
    words = ("login", "--username", "AWS", "--password", "wrong", place.server.address)
    with pytest.raises(AssertionError, match=r"(?i)unauthorized|denied|not authorized"):
        place.docker(*words)
    place.login()


@pytest.mark.both_databases
def test_ecr_speaks_of_what_was_pushed(place: Place, images):
    """The ECR calls over images: describe, get, check layers, put under a second tag, delete."""
    uri = place.repository("spoken", tags=[{"Key": "crew", "Value": "blue"}])
    place.push("sample:1", f"{uri}:1")
    told = place.ecr.describe_repositories(repositoryNames=["spoken"])["repositories"][0]
    assert told["repositoryUri"] == uri
    arn = told["repositoryArn"]
    assert place.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"Key": "crew", "Value": "blue"}
    ]
    place.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "more", "Value": ""}])
    place.ecr.untag_resource(resourceArn=arn, tagKeys=["crew"])
    assert place.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"Key": "more", "Value": ""}
    ]
    got = place.ecr.batch_get_image(
        repositoryName="spoken", imageIds=[{"imageTag": "1"}, {"imageTag": "none"}]
    )
    [image], [failure] = got["images"], got["failures"]
    assert failure["failureCode"] == "ImageNotFound"
    layers = json.loads(image["imageManifest"])["layers"]
    digests = [layer["digest"] for layer in layers]
    checked = place.ecr.batch_check_layer_availability(
        repositoryName="spoken", layerDigests=[*digests, "sha256:" + "0" * 64]
    )
    assert [one["layerAvailability"] for one in checked["layers"]] == ["AVAILABLE"] * len(
        digests
    ) + (["UNAVAILABLE"] if len(checked["layers"]) > len(digests) else [])
    put = place.ecr.put_image(
        repositoryName="spoken", imageManifest=image["imageManifest"], imageTag="2"
    )["image"]
    assert put["imageId"]["imageDigest"] == image["imageId"]["imageDigest"]
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        place.ecr.put_image(
            repositoryName="spoken", imageManifest=image["imageManifest"], imageTag="2"
        )
    gone = place.ecr.batch_delete_image(
        repositoryName="spoken", imageIds=[{"imageTag": "1"}, {"imageTag": "none"}]
    )
    assert len(gone["imageIds"]) == 1
    assert gone["failures"][0]["failureCode"] == "ImageNotFound"
    assert place.ecr.list_images(repositoryName="spoken")["imageIds"][0]["imageTag"] == "2"
    place.ecr.delete_repository(repositoryName="spoken", force=True)
    with pytest.raises(ClientError, match=r"RepositoryNotFoundException"):
        place.ecr.describe_repositories(repositoryNames=["spoken"])


def test_an_account_sees_nothing_of_another(place: Place, images):
    """A second account has a registry and clusters of its own, by the same names."""
    made = json.loads(place.server.command("account", "create", "--name", "other", "--json"))
    key = {
        "access_key_id": made.get("accessKeyId") or made["access_key_id"],
        "secret_access_key": made.get("secretAccessKey") or made["secret_access_key"],
    }
    ecs, ecr, sts = (place.client(name, key) for name in ("ecs", "ecr", "sts"))
    own = place.client("sts")
    assert sts.get_caller_identity()["Account"] != own.get_caller_identity()["Account"]
    assert ecr.describe_repositories()["repositories"] == []
    assert ecs.list_container_instances()["containerInstanceArns"] == []
    repository = place.ecr.describe_repositories(repositoryNames=["web"])["repositories"][0]
    with pytest.raises(ClientError, match=r"RepositoryNotFoundException|AccessDenied|Invalid"):
        ecr.describe_images(repositoryName="web", registryId=repository["registryId"])
    foreign = place.instances()[0]["containerInstanceArn"]
    for call in (
        lambda: ecs.describe_container_instances(containerInstances=[foreign]),
        lambda: ecs.update_container_instances_state(
            containerInstances=[foreign], status="DRAINING"
        ),
    ):
        try:
            answer = call()
        except ClientError:
            continue
        assert answer["failures"]
        assert answer["containerInstances"] == []
    assert {one["status"] for one in place.instances()} == {"ACTIVE"}
    for client in (ecs, ecr, sts, own):
        client.close()
