"""Task definitions: Register, Deregister, Describe, List, and the list of families."""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.definition.validate import refuse
from moorage.ecs.rules.tags import refuse_tags
from moorage.ecs.store import task_definitions, task_families
from moorage.ecs.views import task_definition as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import make_arn
from moorage.ground.names import FAMILY
from moorage.ground.page import Page
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import task_definition as shapes
from moorage.shapes.ecs.faults import ClientException, InvalidParameterException

PAGE_LENGTH = 100
ACTIVITY = {"ACTIVE": True, "INACTIVE": False, "ALL": None}


@operation()
def register_task_definition(
    call: Call, request: shapes.RegisterTaskDefinitionRequest
) -> shapes.RegisterTaskDefinitionResponse:
    """Register the next revision of a family; numbering goes on after a deregistration."""
    heed(refuse(request))
    heed(refuse_tags(request.tags))
    name = request.family or ""
    family = task_families.lock(call.tx, call, name)
    revision = family.latest + 1
    definition = TaskDefinition(
        account=call.account,
        region=call.region,
        family=name,
        revision=revision,
        arn=make_arn("task-definition", call.region, call.account, f"{name}:{revision}"),
        status="ACTIVE",
        registered_at=call.now,
        definition=evolve(normal_form(request), registered_by=call.principal.arn),
        tags=request.tags or [],
    )
    task_definitions.create(call.tx, definition)
    task_families.put(
        call.tx,
        evolve(family, latest=revision, active=family.active + 1, is_gone=False),
    )
    return shapes.RegisterTaskDefinitionResponse(
        task_definition=views.view(definition), tags=definition.tags
    )


@operation()
def deregister_task_definition(
    call: Call, request: shapes.DeregisterTaskDefinitionRequest
) -> shapes.DeregisterTaskDefinitionResponse:
    """Make one revision INACTIVE: what runs it goes on, and nothing new may use it."""
    text = request.task_definition or ""
    if ":" not in text.rpartition("/")[2]:
        raise InvalidParameterException("Specify a revision of the task definition: family:N.")
    found = task_definitions.find(call.tx, call, text)
    if found is None:
        raise ClientException(
            "The specified task definition does not exist. "
            "Specify a valid account, family, revision and try again."
        )
    if found.status != "ACTIVE":
        raise ClientException(
            "The specified task definition is inactive. "
            "Specify an active task definition and try again."
        )
    gone = evolve(found, status="INACTIVE", deregistered_at=call.now)
    task_definitions.put(call.tx, gone)
    family = task_families.lock(call.tx, call, gone.family)
    task_families.put(call.tx, evolve(family, active=family.active - 1))
    return shapes.DeregisterTaskDefinitionResponse(task_definition=views.view(gone))


@operation(reads=True)
def describe_task_definition(
    call: Call, request: shapes.DescribeTaskDefinitionRequest
) -> shapes.DescribeTaskDefinitionResponse:
    """Describe one revision, ACTIVE or not, or the newest ACTIVE one of a family."""
    found = task_definitions.find(call.tx, call, request.task_definition or "")
    if found is None:
        raise ClientException("Unable to describe task definition.")
    return shapes.DescribeTaskDefinitionResponse(
        task_definition=views.view(found),
        tags=found.tags if "TAGS" in (request.include or ()) else [],
    )


@operation(reads=True)
def list_task_definitions(
    call: Call, request: shapes.ListTaskDefinitionsRequest
) -> shapes.ListTaskDefinitionsResponse:
    """List the ARNs of the definitions of a status, by family and revision, perhaps backwards.

    `familyPrefix` is a whole family here, as in ECS.
    """
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    if request.family_prefix is not None and not FAMILY.fullmatch(request.family_prefix):
        raise ClientException("Invalid family name.")
    descending = request.sort == "DESC"
    status = request.status or "ACTIVE"
    names = task_definitions.names(call.tx, call, status, request.family_prefix)
    ordered = sorted(names, reverse=descending)
    if listing.after is not None:
        family, _, revision = listing.after.rpartition(":")
        mark = (family, int(revision))
        ordered = [name for name in ordered if (name < mark if descending else name > mark)]
    shown = [f"{family}:{revision}" for family, revision in ordered[: listing.limit]]
    more = len(ordered) > len(shown)
    return shapes.ListTaskDefinitionsResponse(
        task_definition_arns=[
            make_arn("task-definition", call.region, call.account, name) for name in shown
        ],
        next_token=listing.token(Page(after=shown[-1])) if more else None,
    )


@operation(reads=True)
def list_task_definition_families(
    call: Call, request: shapes.ListTaskDefinitionFamiliesRequest
) -> shapes.ListTaskDefinitionFamiliesResponse:
    """List families by name, those with an ACTIVE revision where no `status` is given."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    prefix = request.family_prefix or ""
    if prefix and not FAMILY.fullmatch(prefix):
        raise ClientException("Invalid family name.")
    found = task_families.page(
        call.tx,
        call,
        is_active=ACTIVITY[request.status or "ALL"],
        after=listing.after or _before(prefix),
        limit=listing.limit + 1,
    )
    names = [family.name for family in found if family.name.startswith(prefix)]
    shown, following = listing.cut(names, str)
    return shapes.ListTaskDefinitionFamiliesResponse(families=shown, next_token=following)


def _before(prefix: str) -> str | None:
    """A text that comes before all that begin with `prefix`, and after all smaller names."""
    return f"{prefix[:-1]}{chr(ord(prefix[-1]) - 1)}\x7f" if prefix else None
