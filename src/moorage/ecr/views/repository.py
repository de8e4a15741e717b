"""A repository as ECR shows it."""

from moorage.ecr.records.repository import Repository
from moorage.ground.instant import epoch
from moorage.kernel.site import Site
from moorage.shapes.ecr import repository as shapes


def view(site: Site, repository: Repository) -> shapes.Repository:
    """The repository; its URI is what docker is told, at the name that this server shows."""
    return shapes.Repository(
        repository_arn=repository.arn,
        registry_id=repository.account,
        repository_name=repository.name,
        repository_uri=f"{site.name}/{repository.name}",
        created_at=epoch(repository.created_at),
        image_tag_mutability=repository.mutability,
        image_tag_mutability_exclusion_filters=repository.exclusion_filters or None,
        image_scanning_configuration=repository.scanning,
        encryption_configuration=repository.encryption,
    )
