"""The patterns that AWS and OCI give to names, tags and families, each with its source."""

import re

# ECS CreateCluster, CreateService: "up to 255 letters, numbers, underscores, and hyphens".
RESOURCE_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
# ECS RegisterTaskDefinition: the same for families and container names.
FAMILY = RESOURCE_NAME
CONTAINER_NAME = RESOURCE_NAME
# ECR model, RepositoryName; OCI distribution specification 1.1, "Pulling manifests".
REPOSITORY_NAME = re.compile(
    r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*", re.ASCII
)
REPOSITORY_NAME_LENGTH = (2, 256)
# OCI distribution specification 1.1, "Pulling manifests": <reference> as a tag. ECR allows 300.
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}", re.ASCII)
ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]", re.ASCII)
# ECS model, Attribute: back slashes in both; a value does not begin or end with a space.
ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}", re.ASCII)
ATTRIBUTE_VALUE = re.compile(r"(?! )[A-Za-z0-9_./\\@: -]{1,128}(?<! )", re.ASCII)


def is_repository_name(text: str) -> bool:
    """Whether `text` may name a repository."""
    low, high = REPOSITORY_NAME_LENGTH
    return low <= len(text) <= high and REPOSITORY_NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether `text` may tag an image."""
    return TAG.fullmatch(text) is not None
