"""The grammar of names, tags and digests on /v2/.

OCI distribution specification 1.1, "Pulling manifests"; ECR's lengths. `HOST/NAME` means the
caller's own registry, `HOST/ACCOUNT/REGION/NAME` says which.
"""

from moorage.ground.digest import Digest, parse_digest
from moorage.ground.names import ACCOUNT, REGION, is_repository_name, is_tag
from moorage.ground.record import Record


class RepositoryPath(Record):
    """A repository as a path names it; account and region are None where it leaves them out."""

    name: str
    account: str | None = None
    region: str | None = None


def parse_repository(path: str) -> RepositoryPath | None:
    """The repository that `path` names, or None where it is no name."""
    account, _, rest = path.partition("/")
    region, _, name = rest.partition("/")
    if ACCOUNT.fullmatch(account) and REGION.fullmatch(region) and is_repository_name(name):
        return RepositoryPath(name=name, account=account, region=region)
    return RepositoryPath(name=path) if is_repository_name(path) else None


class ManifestReference(Record):
    """What a manifest is asked for by: a tag or a digest; exactly one is given."""

    tag: str | None = None
    digest: Digest | None = None


def parse_reference(text: str) -> ManifestReference | None:
    """The tag or digest that `text` is, or None."""
    digest = parse_digest(text)
    if digest is not None:
        return ManifestReference(digest=digest)
    return ManifestReference(tag=text) if is_tag(text) else None
