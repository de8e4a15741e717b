"""Images of our own registry: which digest a tag means now, and who uses which image.

Through the two tables of `kernel/images.py`, so that cluster and registry need not know each other.
"""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.store.identity import Home
from moorage.ground.names import ACCOUNT, REGION, is_repository_name
from moorage.ground.record import Record
from moorage.kernel.images import ImageClaim, claim_image, digest_of_tag, release_images
from moorage.sql.transaction import Transaction

TAG_DEFAULT = "latest"


class OwnImage(Record):
    """An image of our registry as an image string names it; by `digest`, else by `tag`."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str


def own_image(names: Sequence[str], home: Home, image: str) -> OwnImage | None:
    """What an image string means in our registry, or None where it is another registry's.

    `names` are the `HOST:PORT` of this server. `HOST:PORT/NAME` is in the task's own account and
    region, `HOST:PORT/ACCOUNT/REGION/NAME` says both.
    """
    host, slash, path = image.partition("/")
    if not slash or host not in names:
        return None
    bare, _, digest = path.partition("@")
    repository, _, tag = bare.partition(":")
    account, region = home.account, home.region
    first, _, rest = repository.partition("/")
    second, _, remainder = rest.partition("/")
    if remainder and ACCOUNT.fullmatch(first) and REGION.fullmatch(second):
        account, region, repository = first, second, remainder
    if not is_repository_name(repository):
        return None
    return OwnImage(
        account=account,
        region=region,
        repository=repository,
        tag=tag or TAG_DEFAULT,
        digest=digest,
    )


def tag_digests(
    tx: Transaction, names: Sequence[str], home: Home, images: Iterable[str]
) -> Mapping[str, str]:
    """For each image of ours that is named by a tag: the digest that its tag means now."""
    found: dict[str, str] = {}
    for image in images:
        digest = digest_now(tx, names, home, image)
        if digest:
            found[image] = digest
    return found


def digest_now(tx: Transaction, names: Sequence[str], home: Home, image: str) -> str:
    """The digest that an image of ours means now; empty where it is not ours, or not there."""
    own = own_image(names, home, image)
    if own is None or own.account != home.account:
        return ""
    if own.digest:
        return own.digest
    return digest_of_tag(tx, own.account, own.region, own.repository, own.tag) or ""


def claim(
    tx: Transaction,
    names: Sequence[str],
    home: Home,
    holder: str,
    images: Iterable[RevisionImage],
) -> None:
    """Say that `holder` (the ARN of a revision or a task) uses these images, as far as they are ours.

    An image of another account is never claimed: nobody keeps what is not theirs from expiring.
    """
    for image in images:
        own = own_image(names, home, image.image)
        digest = image.digest or (own.digest if own else "")
        if own is None or not digest or own.account != home.account:
            continue
        claim_image(
            tx,
            ImageClaim(
                account=own.account,
                region=own.region,
                repository=own.repository,
                digest=digest,
                holder=holder,
                claimed_at=tx.now,
            ),
        )


def release(tx: Transaction, holder: str) -> None:
    """Withdraw all claims of one holder."""
    release_images(tx, holder)
