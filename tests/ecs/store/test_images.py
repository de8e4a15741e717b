"""What image strings mean in our registry."""

import pytest

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.store import images
from moorage.kernel.images import TagDigest, claims_of, point_tag
from tests.house import ACCOUNT, OTHER, REGION

NAMES = ("registry.test:4750", "127.0.0.1:4750")
DIGEST = f"sha256:{'a' * 64}"


class Home:
    account = ACCOUNT
    region = REGION


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("registry.test:4750/demo", (ACCOUNT, REGION, "demo", "latest", "")),
        ("127.0.0.1:4750/team/demo:1", (ACCOUNT, REGION, "team/demo", "1", "")),
        (f"registry.test:4750/demo@{DIGEST}", (ACCOUNT, REGION, "demo", "latest", DIGEST)),
        (f"registry.test:4750/demo:1@{DIGEST}", (ACCOUNT, REGION, "demo", "1", DIGEST)),
        (
            f"registry.test:4750/{OTHER}/eu-west-1/team/demo:1",
            (OTHER, "eu-west-1", "team/demo", "1", ""),
        ),
        (f"registry.test:4750/{OTHER}/demo", (ACCOUNT, REGION, f"{OTHER}/demo", "latest", "")),
        ("demo", None),
        ("demo:1", None),
        ("other.test:4750/demo:1", None),
        ("registry.test/demo:1", None),
        ("registry.test:4750/UPPER:1", None),
        ("registry.test:4750/", None),
        ("", None),
    ],
)
def test_an_image_string(image, expected):
    own = images.own_image(NAMES, Home, image)
    found = own and (own.account, own.region, own.repository, own.tag, own.digest)
    assert found == expected


def test_what_a_tag_means_now(house):
    def work(call):
        tag = TagDigest(account=ACCOUNT, region=REGION, repository="demo", tag="1", digest=DIGEST)
        point_tag(call.tx, tag)
        asked = ["registry.test:4750/demo:1", "registry.test:4750/demo:2", "elsewhere/demo:1"]
        return images.tag_digests(call.tx, NAMES, Home, asked)

    assert house.write(work) == {"registry.test:4750/demo:1": DIGEST}


def test_another_accounts_image_is_neither_told_nor_claimed(house):
    foreign = f"registry.test:4750/{OTHER}/{REGION}/demo:1"

    def work(call):
        tag = TagDigest(account=OTHER, region=REGION, repository="demo", tag="1", digest=DIGEST)
        point_tag(call.tx, tag)
        claimed = [RevisionImage(container_name="web", image=foreign, digest=DIGEST)]
        images.claim(call.tx, NAMES, Home, "holder", claimed)
        return (
            images.digest_now(call.tx, NAMES, Home, foreign),
            claims_of(call.tx, OTHER, REGION, "demo", DIGEST),
        )

    assert house.write(work) == ("", [])
