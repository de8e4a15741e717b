"""Repositories: Create-, Describe-, DeleteRepository and PutImageTagMutability."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.mutability import unsound_filters
from moorage.ecr.rules.tags import TAGS_MAX, unsound_tags
from moorage.ecr.store import contents, images, repositories
from moorage.ecr.store.registry import check_registry, the_repository
from moorage.ecr.views.repository import view
from moorage.ground.arn import make_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecr import repository as shapes
from moorage.shapes.ecr.faults import (
    InvalidParameterException,
    InvalidTagParameterException,
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    TooManyTagsException,
)
from moorage.shapes.ecr.tag import Tag

PAGE_LENGTH = 100
PAGE_LENGTH_MAX = 1000
ENCRYPTION_NONE = shapes.EncryptionConfiguration(encryption_type="AES256")


@operation()
def create_repository(
    call: Call, request: shapes.CreateRepositoryRequest
) -> shapes.CreateRepositoryResponse:
    """Make a repository in the caller's registry.

    Scan on push is kept and echoed: it only observes. Keys of one's own for encryption are refused.
    """
    check_registry(call, request.registry_id)
    name = request.repository_name or ""
    mutability = request.image_tag_mutability or "MUTABLE"
    filters = request.image_tag_mutability_exclusion_filters or []
    _check_filters(mutability, filters)
    _check_encryption(request.encryption_configuration)
    _check_tags(request.tags or [])
    repository = Repository(
        account=call.account,
        region=call.region,
        name=name,
        arn=make_arn("repository", call.region, call.account, name),
        created_at=call.now,
        mutability=mutability,
        exclusion_filters=filters,
        scanning=_scanning(request.image_scanning_configuration),
        tags=request.tags or [],
    )
    if not repositories.create(call.tx, repository):
        raise RepositoryAlreadyExistsException(
            f"The repository with name '{name}' already exists in the registry "
            f"with id '{call.account}'"
        )
    return shapes.CreateRepositoryResponse(repository=view(call.site, repository))


@operation(reads=True)
def describe_repositories(
    call: Call, request: shapes.DescribeRepositoriesRequest
) -> shapes.DescribeRepositoriesResponse:
    """Describe repositories by name, or all of the registry in pages, in the order of names."""
    check_registry(call, request.registry_id)
    if request.repository_names is not None:
        if request.max_results is not None or request.next_token is not None:
            raise InvalidParameterException(
                "maxResults and nextToken cannot be used together with repositoryNames."
            )
        found = [
            repositories.existing(call.tx, call.account, call.region, name)
            for name in request.repository_names
        ]
        return shapes.DescribeRepositoriesResponse(
            repositories=[view(call.site, repository) for repository in found]
        )
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=InvalidParameterException
    )
    found = repositories.page(call.tx, call.account, call.region, listing.after, listing.limit + 1)
    shown, following = listing.cut(found, lambda repository: repository.name)
    return shapes.DescribeRepositoriesResponse(
        repositories=[view(call.site, repository) for repository in shown], next_token=following
    )


@operation()
def delete_repository(
    call: Call, request: shapes.DeleteRepositoryRequest
) -> shapes.DeleteRepositoryResponse:
    """Delete a repository; one that holds images only by `force`, and never an image in use."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    if not request.force and not images.is_empty(call.tx, repository):
        raise RepositoryNotEmptyException(
            f"The repository with name '{repository.name}' in registry with id "
            f"'{repository.account}' cannot be deleted because it still contains images"
        )
    claim = contents.claim_of_repository(call.tx, repository)
    if claim is not None:
        raise RepositoryNotEmptyException(
            f"The repository with name '{repository.name}' in registry with id "
            f"'{repository.account}' cannot be deleted because its image {claim.digest} is in "
            f"use by {claim.holder}"
        )
    contents.empty(call.tx, repository)
    repositories.delete(call.tx, repository)
    return shapes.DeleteRepositoryResponse(repository=view(call.site, repository))


@operation()
def put_image_tag_mutability(
    call: Call, request: shapes.PutImageTagMutabilityRequest
) -> shapes.PutImageTagMutabilityResponse:
    """Say which tags of a repository may move from now on."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    mutability = request.image_tag_mutability or ""
    filters = request.image_tag_mutability_exclusion_filters or []
    _check_filters(mutability, filters)
    repositories.put(call.tx, evolve(repository, mutability=mutability, exclusion_filters=filters))
    return shapes.PutImageTagMutabilityResponse(
        registry_id=repository.account,
        repository_name=repository.name,
        image_tag_mutability=mutability,
        image_tag_mutability_exclusion_filters=filters or None,
    )


def _check_filters(
    mutability: str, filters: list[shapes.ImageTagMutabilityExclusionFilter]
) -> None:
    problem = unsound_filters(mutability, [one.filter or "" for one in filters])
    if problem is not None:
        raise InvalidParameterException(problem)


def _check_encryption(asked: shapes.EncryptionConfiguration | None) -> None:
    if asked is None:
        return
    if asked.encryption_type != ENCRYPTION_NONE.encryption_type or asked.kms_key is not None:
        raise InvalidParameterException(
            f"Moorage does not have the encryption type {asked.encryption_type} with a KMS key "
            "yet; leave encryptionConfiguration out, or say AES256."
        )


def _check_tags(tags: list[Tag]) -> None:
    if len(tags) > TAGS_MAX:
        raise TooManyTagsException(f"A repository has at most {TAGS_MAX} tags.")
    problem = unsound_tags(tags)
    if problem is not None:
        raise InvalidTagParameterException(problem)


def _scanning(
    asked: shapes.ImageScanningConfiguration | None,
) -> shapes.ImageScanningConfiguration:
    wanted = bool(asked.scan_on_push) if asked is not None else False
    return shapes.ImageScanningConfiguration(scan_on_push=wanted)
