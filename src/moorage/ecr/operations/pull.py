"""What the data plane asks while something is pulled: who asks, which blob, which manifest."""

from moorage.ecr.records.image import Image
from moorage.ecr.records.layer import Layer
from moorage.ecr.records.login import Login
from moorage.ecr.records.repository import Repository
from moorage.ecr.records.upload import Upload
from moorage.ecr.rules.reference import ManifestReference
from moorage.ecr.store import images, layers, logins, repositories, uploads
from moorage.iam.store import access_keys
from moorage.kernel.call import Call
from moorage.kernel.images import digest_of_tag


def find_login(call: Call, token_hash: str) -> Login | None:
    """The login of a token's hash, unless it has expired.

    Nor is there one whose key is gone or was replaced, or is that of a host which was deregistered
    since.
    """
    login = logins.get(call.tx, token_hash)
    key = access_keys.get(call.tx, login.principal.access_key_id) if login is not None else None
    return login if key is not None and not (key.retired or key.replaced) else None


def the_repository(call: Call, name: str) -> Repository:
    """The repository of that name in the caller's registry; raises RepositoryNotFoundException."""
    return repositories.existing(call.tx, call.account, call.region, name)


def find_blob(call: Call, repository: Repository, digest: str) -> Layer | None:
    """The repository's link to a blob."""
    return layers.get(call.tx, repository, digest)


def is_link_stale(call: Call, link: Layer) -> bool:
    """Whether a link that a push was just told of is old enough to be renewed."""
    return layers.is_stale(call.tx, link)


def renew_link(call: Call, repository: Repository, digest: str) -> None:
    """Let a link's grace begin again: whoever was told that the blob is there will name it soon."""
    link = layers.get(call.tx, repository, digest)
    if link is not None:
        layers.renew(call.tx, link)


def find_upload(call: Call, repository: Repository, upload: str) -> Upload | None:
    """An unfinished upload of this repository."""
    found = uploads.get(call.tx, upload)
    if found is None or (found.account, found.region, found.repository) != (
        repository.account,
        repository.region,
        repository.name,
    ):
        return None
    return found


def find_manifest(call: Call, repository: Repository, reference: ManifestReference) -> Image | None:
    """The image that a tag means now, or of that digest."""
    digest = str(reference.digest) if reference.digest else None
    if digest is None and reference.tag is not None:
        digest = digest_of_tag(
            call.tx, repository.account, repository.region, repository.name, reference.tag
        )
    return images.get(call.tx, repository, digest) if digest else None


def is_pull_time_stale(call: Call, image: Image) -> bool:
    """Whether the recorded time of the last pull is worth a write."""
    return images.is_pull_time_stale(call.tx, image)


def record_pull(call: Call, repository: Repository, digest: str) -> None:
    """Remember that an image was pulled now."""
    image = images.get(call.tx, repository, digest)
    if image is not None:
        images.mark_pulled(call.tx, image)


def list_tags(call: Call, repository: Repository, after: str, limit: int) -> tuple[list[str], bool]:
    """At most `limit` tags after a name, in order, and whether more follow."""
    tags = [one.tag for one in images.tags_after(call.tx, repository, after, limit + 1)]
    return tags[:limit], len(tags) > limit
