"""The two tables between the houses."""

import pytest

from moorage.kernel import images
from tests.house import ACCOUNT, OTHER, REGION, House

TABLES = [images.TAG_DIGESTS, images.IMAGE_CLAIMS]


@pytest.fixture
def house():
    made = House(TABLES)
    yield made
    made.close()


def tag(name, digest, account=ACCOUNT):
    return images.TagDigest(
        account=account, region=REGION, repository="web", tag=name, digest=digest
    )


def test_a_tag_means_its_newest_digest_in_its_own_account(house):
    house.write(lambda call: images.point_tag(call.tx, tag("v1", "sha256:a")))
    house.write(lambda call: images.point_tag(call.tx, tag("v1", "sha256:b")))

    def meant(account):
        return house.read(lambda c: images.digest_of_tag(c.tx, account, REGION, "web", "v1"))

    assert meant(ACCOUNT) == "sha256:b"
    assert meant(OTHER) is None
    assert house.write(lambda call: images.drop_tag(call.tx, ACCOUNT, REGION, "web", "v1"))
    assert meant(ACCOUNT) is None


def test_claims_stand_until_their_holder_releases_them(house):
    def claim(holder):
        return images.ImageClaim(
            account=ACCOUNT,
            region=REGION,
            repository="web",
            digest="sha256:a",
            holder=holder,
            claimed_at=house.clock.now(),
        )

    for holder in ("revision/1", "task/1", "task/1"):
        house.write(lambda call, holder=holder: images.claim_image(call.tx, claim(holder)))

    def holders():
        found = house.read(
            lambda call: images.claims_of(call.tx, ACCOUNT, REGION, "web", "sha256:a")
        )
        return sorted(one.holder for one in found)

    assert holders() == ["revision/1", "task/1"]
    house.write(lambda call: images.release_images(call.tx, "task/1"))
    assert holders() == ["revision/1"]
