"""Tasks about to be: what a batch has in common, and how each of them gets its ids and its row."""

from collections.abc import Iterable

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.overrides import normal_overrides
from moorage.ecs.rules.placement.resources import needs
from moorage.ecs.rules.task.draft import containers_of
from moorage.ecs.store import tasks
from moorage.ground.arn import make_arn
from moorage.ground.chance import Chance
from moorage.ground.record import Record
from moorage.shapes.ecs.tag import Tag
from moorage.shapes.ecs.task import TaskOverride
from moorage.sql.transaction import Transaction

TASK_ID_DIGITS = 32
UUID_PARTS = (8, 4, 4, 4, 12)


class Draft(Record):
    """What the tasks of one call or one deployment have in common."""

    account: str
    region: str
    cluster: str
    definition: TaskDefinition
    group: str
    launch_type: str = "EC2"
    started_by: str = ""
    service: str = ""
    deployment: str = ""
    service_revision: str = ""
    images: tuple[RevisionImage, ...] = ()
    overrides: TaskOverride | None = None
    enable_execute_command: bool = False
    tags: list[Tag] = []


def start(tx: Transaction, draft: Draft, places: Iterable[tuple[str, str]]) -> list[Task]:
    """Write one task for each place, an instance's ARN and its zone; the hosts were promised."""
    started = [_task(tx, draft, instance, zone) for instance, zone in places]
    for task in started:
        tasks.create(tx, task)
    return started


def uuid_of(chance: Chance) -> str:
    """A random id in the form of a UUID, as ECS names containers and events."""
    return "-".join(chance.hex(digits) for digits in UUID_PARTS)


def _task(tx: Transaction, draft: Draft, instance: str, zone: str) -> Task:
    identity = tx.chance.hex(TASK_ID_DIGITS)
    definition = draft.definition.definition
    reserved = needs(definition, draft.overrides)
    arns = tuple(
        make_arn(
            "container", draft.region, draft.account, draft.cluster, identity, uuid_of(tx.chance)
        )
        for _ in definition.container_definitions or ()
    )
    return Task(
        account=draft.account,
        region=draft.region,
        cluster=draft.cluster,
        id=identity,
        arn=make_arn("task", draft.region, draft.account, draft.cluster, identity),
        task_definition=draft.definition.arn,
        family=draft.definition.family,
        revision=draft.definition.revision,
        group=draft.group,
        instance=instance,
        last_status="PENDING",
        desired_status="RUNNING",
        created_at=tx.now,
        reserved=reserved,
        containers=containers_of(definition, arns, draft.overrides, draft.images),
        launch_type=draft.launch_type,
        started_by=draft.started_by,
        service=draft.service,
        deployment=draft.deployment,
        service_revision=draft.service_revision,
        zone=zone,
        connectivity_at=tx.now,
        overrides=normal_overrides(definition, draft.overrides),
        cpu=str(reserved.cpu),
        memory=str(reserved.memory),
        enable_execute_command=draft.enable_execute_command,
        tags=draft.tags,
    )
