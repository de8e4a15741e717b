"""Whose registry a request means: nothing crosses accounts, so it is the caller's or none."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.store import repositories
from moorage.kernel.call import Call
from moorage.shapes.ecr.faults import InvalidParameterException, RepositoryNotFoundException


def check_registry(call: Call, registry_id: str | None) -> None:
    """Return where `registry_id` is the caller's own; raises InvalidParameterException."""
    if registry_id not in {None, call.account}:
        raise InvalidParameterException(
            f"The registry with id '{registry_id}' is not the caller's own, '{call.account}'."
        )


def the_repository(call: Call, registry_id: str | None, name: str | None) -> Repository:
    """The repository that a request names; raises RepositoryNotFoundException."""
    if registry_id not in {None, call.account}:
        raise RepositoryNotFoundException(
            f"The repository with name '{name}' does not exist in the registry "
            f"with id '{registry_id}'"
        )
    return repositories.existing(call.tx, call.account, call.region, name or "")
