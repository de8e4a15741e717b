"""Tasks about to be: what a batch has in common, and how each of them gets its ids and its row."""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import Provisioning, Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.overrides import normal_overrides
from moorage.ecs.rules.placement.resources import needs
from moorage.ecs.rules.task.draft import containers_of
from moorage.ecs.store import gpus, tasks
from moorage.ground.arn import make_arn
from moorage.ground.chance import Chance
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.tag import Tag
from moorage.shapes.ecs.task import TaskOverride
from moorage.sql.transaction import Transaction

TASK_ID_DIGITS = 32
UUID_PARTS = (8, 4, 4, 4, 12)


class Draft(Record):
    """What the tasks of one call or one deployment have in common.

    `providers` are the capacity providers of hosts (by ARN), where a strategy chose by them.
    `replaces` is the ARN of a task that is being moved, for its successor.
    """

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
    providers: Mapping[str, str] = {}
    replaces: str = ""
    tags: list[Tag] = []


def start(tx: Transaction, draft: Draft, places: Iterable[tuple[str, str]]) -> list[Task]:
    """Write one task for each place, an instance's ARN and its zone; the hosts were promised."""
    started: list[Task] = []
    for instance, zone in places:
        task = gpus.given(tx, _task(tx, draft, instance, zone))
        tasks.create(tx, task)
        started.append(task)
    return started


def wait(
    tx: Transaction, draft: Draft, providers: Iterable[str], provisioning: Provisioning
) -> list[Task]:
    """Write one task for each capacity provider named, PROVISIONING: there is no room yet."""
    waiting = [
        evolve(
            _task(tx, draft, "", ""),
            last_status="PROVISIONING",
            capacity_provider=provider,
            provisioning=provisioning,
        )
        for provider in providers
    ]
    for task in waiting:
        tasks.create(tx, task)
    return waiting


def cluster_of(draft: Draft) -> str:
    """The ARN of the cluster in which a draft's tasks are to be."""
    return make_arn("cluster", draft.region, draft.account, draft.cluster)


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
        capacity_provider=draft.providers.get(instance, ""),
        replaces=draft.replaces,
        tags=draft.tags,
    )
