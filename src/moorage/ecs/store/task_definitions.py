"""The table of task definitions: immutable revisions, named `family:revision`."""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.store.identity import Home, name_of
from moorage.ground.arn import make_arn
from moorage.ground.names import FAMILY
from moorage.shapes.ecs.faults import ClientException
from moorage.sql.document import Table
from moorage.sql.transaction import Conflict, Transaction

DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
REVISION_DIGITS_MAX = 7  # AWS allows 1,000,000 revisions of a family

TASK_DEFINITIONS = Table(
    "task_definitions",
    TaskDefinition,
    keys=("account", "region", "family", "revision"),
    columns=("status",),
    indices=(("account", "region", "status"),),
)
_NEWEST_ACTIVE = TASK_DEFINITIONS.query(
    "account", "region", "family", "status", order=("-revision",)
)
_NEWEST = TASK_DEFINITIONS.query("account", "region", "family", order=("-revision",))
_OF_STATUS = TASK_DEFINITIONS.query("account", "region", "status")
_OF_FAMILY = TASK_DEFINITIONS.query("account", "region", "status", "family")
_BEING_DELETED = TASK_DEFINITIONS.query("status")

_UNUSABLE = {
    DELETE_IN_PROGRESS: "TaskDefinition is being deleted: its status is DELETE_IN_PROGRESS"
}


def find(tx: Transaction, home: Home, text: str) -> TaskDefinition | None:
    """The revision that a caller named: `family:revision`, an ARN, or the family for its newest.

    Raises InvalidParameterException for a foreign or malformed ARN, ClientException for a name
    that none can have.
    """
    family, colon, number = name_of(home, "task-definition", text).partition(":")
    if not FAMILY.fullmatch(family) or (colon and not is_revision(number)):
        raise ClientException("Invalid task definition name.")
    if not colon:
        return _NEWEST_ACTIVE.first(
            tx, account=home.account, region=home.region, family=family, status="ACTIVE"
        )
    return TASK_DEFINITIONS.get(tx, home.account, home.region, family, int(number))


def newest_revision(tx: Transaction, home: Home, family: str) -> int:
    """The highest number of a family's definitions, ACTIVE or not; 0 where there are none."""
    found = _NEWEST.first(tx, account=home.account, region=home.region, family=family)
    return found.revision if found is not None else 0


def active(tx: Transaction, home: Home, text: str) -> TaskDefinition:
    """The ACTIVE revision that a caller named; raises ClientException."""
    found = find(tx, home, text)
    if found is None:
        raise ClientException("TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise ClientException(_UNUSABLE.get(found.status, "TaskDefinition is inactive"))
    return found


def needed(tx: Transaction, home: Home, text: str) -> TaskDefinition:
    """The revision that a record of ours names, ACTIVE or not."""
    found = find(tx, home, text)
    assert found is not None, f"{text} is used and not there"
    return found


def create(tx: Transaction, definition: TaskDefinition) -> None:
    """Keep a new revision; raises Conflict where somebody took its number meanwhile."""
    if not TASK_DEFINITIONS.insert(tx, definition):
        raise Conflict(f"{definition.name} is taken")


def put(tx: Transaction, definition: TaskDefinition) -> None:
    """Keep a revision that was changed: deregistered, tagged, or to be deleted."""
    TASK_DEFINITIONS.put(tx, definition)
    if definition.status == DELETE_IN_PROGRESS:
        tx.wake("task-definition", definition.arn)


def delete(tx: Transaction, definition: TaskDefinition) -> None:
    """Forget a revision that nothing uses; its number is not given again."""
    TASK_DEFINITIONS.delete(
        tx, definition.account, definition.region, definition.family, definition.revision
    )


def being_deleted(tx: Transaction) -> list[str]:
    """The ARNs of all revisions that are DELETE_IN_PROGRESS."""
    return [
        make_arn("task-definition", str(region), str(account), f"{family}:{revision}")
        for account, region, family, revision in _BEING_DELETED.keys(tx, status=DELETE_IN_PROGRESS)
    ]


def names(tx: Transaction, home: Home, status: str, family: str | None) -> list[tuple[str, int]]:
    """Family and revision of all definitions of a status, perhaps of one family alone."""
    if family is None:
        keys = _OF_STATUS.keys(tx, account=home.account, region=home.region, status=status)
    else:
        keys = _OF_FAMILY.keys(
            tx, account=home.account, region=home.region, status=status, family=family
        )
    return [(str(name), int(revision or 0)) for _, _, name, revision in keys]


def is_revision(text: str) -> bool:
    """Whether a text is the number of a revision, as callers write it."""
    return text.isascii() and text.isdigit() and len(text) <= REVISION_DIGITS_MAX
