"""Tags of repositories: TagResource, UntagResource, ListTagsForResource."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.tags import TAGS_MAX, merged, unsound_tags
from moorage.ecr.store import repositories
from moorage.ground.arn import parse_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecr import tag as shapes
from moorage.shapes.ecr.faults import (
    InvalidParameterException,
    InvalidTagParameterException,
    RepositoryNotFoundException,
    TooManyTagsException,
)


@operation()
def tag_resource(call: Call, request: shapes.TagResourceRequest) -> shapes.TagResourceResponse:
    """Lay tags over those that a repository has."""
    repository = _named(call, request.resource_arn)
    problem = unsound_tags(request.tags or [])
    if problem is not None:
        raise InvalidTagParameterException(problem)
    tags = merged(repository.tags, request.tags or [])
    if len(tags) > TAGS_MAX:
        raise TooManyTagsException(f"A repository has at most {TAGS_MAX} tags.")
    repositories.put(call.tx, evolve(repository, tags=tags))
    return shapes.TagResourceResponse()


@operation()
def untag_resource(
    call: Call, request: shapes.UntagResourceRequest
) -> shapes.UntagResourceResponse:
    """Take tags from a repository by their keys; one that it has not is no error."""
    repository = _named(call, request.resource_arn)
    taken = set(request.tag_keys or ())
    tags = [tag for tag in repository.tags if tag.key not in taken]
    repositories.put(call.tx, evolve(repository, tags=tags))
    return shapes.UntagResourceResponse()


@operation(reads=True)
def list_tags_for_resource(
    call: Call, request: shapes.ListTagsForResourceRequest
) -> shapes.ListTagsForResourceResponse:
    """List the tags of a repository."""
    return shapes.ListTagsForResourceResponse(tags=_named(call, request.resource_arn).tags)


def _named(call: Call, text: str | None) -> Repository:
    arn = parse_arn(text or "")
    if arn is None or arn.kind != "repository":
        raise InvalidParameterException(
            f"Invalid parameter at 'resourceArn' failed to satisfy constraint: '{text}' is no ARN "
            "of a repository"
        )
    if (arn.account, arn.region) != (call.account, call.region):
        raise RepositoryNotFoundException(
            f"The repository with name '{arn.name}' does not exist in the registry "
            f"with id '{arn.account}'"
        )
    return repositories.existing(call.tx, call.account, call.region, arn.name)
