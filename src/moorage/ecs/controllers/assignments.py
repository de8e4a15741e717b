"""A host: what it should hold and has not acknowledged. The outbox is derived, never stored.

A task carries the number under which it is sent and when that was acknowledged; a host carries
one counter for payloads and manifests. What is said here is said again, with the same ids, until
it is acknowledged; the session (`acs/session.py`) knows what is on the wire already.
"""

from collections.abc import Collection, Iterable, Sequence

from moorage.acs.messages import (
    CAPABILITY_OF_OUR_AGENT,
    AuthorityMessage,
    ImagesInUseMessage,
    InventoryRequest,
    PayloadMessage,
    RegistryMessage,
    RotateKeyMessage,
    ServerMessage,
    TaskIdentifier,
    TaskManifestMessage,
)
from moorage.acs.task_messages import Task as PayloadTask
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.account_settings import DEFAULT_LOG_DRIVER_MODE, root_of
from moorage.ecs.rules.host.precedence import BEFORE_RUNNING, held_until
from moorage.ecs.rules.task.away import absence, can_fence
from moorage.ecs.rules.task.payload import Delivery, run_payload, stop_payload
from moorage.ecs.store import (
    account_settings,
    container_instances,
    restoration,
    service_deployments,
    service_revisions,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.views.message_id import MessageId
from moorage.ground.instant import Instant
from moorage.ground.record import Record, evolve
from moorage.iam.rules.trust import bundle
from moorage.iam.store import trusts
from moorage.kernel.call import Call, Turn
from moorage.sql.transaction import Transaction

Notice = (
    AuthorityMessage | RegistryMessage | ImagesInUseMessage | InventoryRequest | RotateKeyMessage
)
MICROSECONDS_PER_MILLISECOND = 1000
IMAGES_TOLD_MAX = 10_000


class Outgoing(Record):
    """What a host is to be told now.

    `payloads`: all that it has not acknowledged, in the order of their numbers. `manifest`, where
    one was asked for: number, and all tasks that should run; to be sent after the payloads.
    `notices`: what only our own agent is told, at the same occasion, before everything else.
    """

    payloads: tuple[PayloadMessage, ...] = ()
    manifest: TaskManifestMessage | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def messages(self) -> tuple[ServerMessage, ...]:
        """All of it, in the order in which it is to be sent."""
        closing = () if self.manifest is None else (self.manifest,)
        return (*self.notices, *self.payloads, *closing)


def outgoing(turn: Call | Turn, instance_arn: str, on_connect: bool) -> Outgoing:  # noqa: FBT001 - the form of the agents' table
    """What a host should be told; with `on_connect` also the manifest, and what our agent wants.

    Numbers are given here, at first sending, and stay. A host that is unknown or was deregistered
    is told nothing.
    """
    tx = turn.tx
    instance = container_instances.get(tx, instance_arn)
    if instance is None or instance.status == "INACTIVE":
        return Outgoing()
    # A manifest lists all that should run; for orders those are enough of which any may be due.
    some = tasks.live_of_instance if on_connect else tasks.unsettled_of_instance
    live: Sequence[Task] = some(tx, instance_arn)
    known = instance
    instance, live = _numbered(turn, instance, live)
    instance, authority = _authority(tx, instance, on_connect=on_connect)
    manifest = None
    if on_connect:
        instance = evolve(instance, sequence=instance.sequence + 1)
        manifest = _manifest(tx, instance, live)
    if instance != known:
        container_instances.note(tx, instance)
    return Outgoing(
        payloads=_payloads(turn, instance, live),
        manifest=manifest,
        notices=(
            *authority,
            *(_notices(turn, instance) if on_connect else ()),
            *(_inventory(tx, instance) if on_connect else ()),
            *_rotation(instance),
        ),
    )


def _numbered(
    turn: Call | Turn, instance: ContainerInstance, live: Sequence[Task]
) -> tuple[ContainerInstance, list[Task]]:
    """Give the next numbers to orders that were never sent; answers both as they are kept now.

    With its number a task gets what its host is to do while this server is away, and keeps it.
    Where daemons go first, others are given none yet, and so are not sent.
    """
    tx, sequence = turn.tx, instance.sequence
    waiting = any(not one.payload_sequence for one in live)
    starting = {one.service for one in live if one.service and one.last_status in BEFORE_RUNNING}
    found = [services.get(tx, arn) for arn in sorted(starting)] if waiting else []
    known = {one.arn: one for one in found if one is not None}
    instance, first = _held(tx, instance, known.values())
    numbered: list[Task] = []
    for task in sorted(live, key=lambda one: (one.created_at, one.id)):
        kept = task
        if task.desired_status == "STOPPED" and not task.stop_sequence:
            sequence += 1
            kept = tasks.note(tx, evolve(task, stop_sequence=sequence))
        elif task.desired_status == "RUNNING" and not task.payload_sequence:
            if first is not None and task.service not in first:
                numbered.append(task)
                continue
            sequence += 1
            service = known.get(task.service)
            ours = instance.attribute(CAPABILITY_OF_OUR_AGENT) is not None
            told = absence(
                service.tags if service and ours else None,
                heal_after=turn.site.heal_after,
                fence_after=turn.site.fence_after,
            )
            kept = tasks.note(
                tx,
                evolve(
                    task,
                    payload_sequence=sequence,
                    heal_after=told.heal_after,
                    fence_after=told.fence_after if can_fence(instance) else None,
                ),
            )
        numbered.append(kept)
    return evolve(instance, sequence=sequence), numbered


def _held(
    tx: Transaction,
    instance: ContainerInstance,
    starting: Iterable[Service],
) -> tuple[ContainerInstance, Collection[str] | None]:
    """The daemon services whose tasks alone are sent now, or None; noted in the host's record.

    `starting` are the services of tasks that do not run yet, where some are to be sent. The host's
    controller looks again when the time is over, a daemon's when its task runs or has stopped.
    """
    daemons: set[str] = set()
    until: Instant | None = None
    if any(one.scheduling_strategy == "DAEMON" for one in starting):
        daemons = {one.arn for one in services.daemons(tx, instance.cluster_arn)}
        until = held_until(tasks.live_of_instance(tx, instance.arn), daemons, tx.now)
    if until != instance.held_until:
        instance = evolve(instance, held_until=until)
        if until is not None:
            tx.wake("instance", instance.arn)
    return instance, daemons if until is not None else None


def _payloads(
    turn: Call | Turn, instance: ContainerInstance, live: Sequence[Task]
) -> tuple[PayloadMessage, ...]:
    look = _Look(turn.tx)
    orders: list[tuple[int, PayloadMessage]] = []
    for task in live:
        if task.desired_status == "STOPPED" and task.stop_acknowledged_at is None:
            identity = MessageId(kind="stop", task=task.id, sequence=task.stop_sequence)
            told = stop_payload(task, task.cluster_arn)
        elif task.desired_status == "RUNNING" and task.acknowledged_at is None:
            if not task.payload_sequence:
                continue  # daemons go first
            if task.is_adopted and look.found(task) is None:
                continue  # nobody knows any more what it is made of: it cannot be ordered again
            identity = MessageId(kind="run", task=task.id, sequence=task.payload_sequence)
            told = _run(turn, task, look)
        else:
            continue
        orders.append((identity.sequence, _payload(turn.tx, instance, identity, told)))
    return tuple(message for _, message in sorted(orders, key=lambda order: order[0]))


class _Look:
    """Definitions and pinned digests, each read once: a host's tasks are mostly alike."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._definitions: dict[str, TaskDefinition] = {}
        self._digests: dict[str, tuple[str, ...]] = {"": ()}
        self._log_mode = ""

    def definition(self, task: Task) -> TaskDefinition:
        arn = task.task_definition
        if arn not in self._definitions:
            self._definitions[arn] = task_definitions.needed(self._tx, task, arn)
        return self._definitions[arn]

    def found(self, task: Task) -> TaskDefinition | None:
        return task_definitions.find(self._tx, task, task.task_definition)

    def digests(self, arn: str) -> tuple[str, ...]:
        """The digests that a revision is pinned to, sorted."""
        if arn not in self._digests:
            revision = service_revisions.get(self._tx, arn)
            pinned = {image.digest for image in (revision.images if revision else ())}
            self._digests[arn] = tuple(sorted(digest for digest in pinned if digest))
        return self._digests[arn]

    def log_mode(self, task: Task) -> str:
        """The account's default, the same for all tasks of a host."""
        if not self._log_mode:
            self._log_mode = account_settings.value_of(
                self._tx, task, root_of(task.account), DEFAULT_LOG_DRIVER_MODE
            )
        return self._log_mode


def _run(turn: Call | Turn, task: Task, look: _Look) -> PayloadTask:
    delivery = Delivery(
        cluster_arn=task.cluster_arn,
        registry_names=turn.site.names,
        ecr_endpoint=turn.site.endpoint,
        claimed_digests=look.digests(task.service_revision),
        log_mode=look.log_mode(task),
    )
    return run_payload(task, look.definition(task), delivery)


def _payload(
    tx: Transaction, instance: ContainerInstance, identity: MessageId, task: PayloadTask
) -> PayloadMessage:
    return PayloadMessage(
        message_id=str(identity),
        cluster_arn=instance.cluster_arn,
        container_instance_arn=instance.arn,
        tasks=(task,),
        generated_at=tx.now // MICROSECONDS_PER_MILLISECOND,
        seq_num=identity.sequence,
    )


def _manifest(
    tx: Transaction, instance: ContainerInstance, live: Sequence[Task]
) -> TaskManifestMessage:
    identity = MessageId(kind="manifest", task="", sequence=instance.sequence)
    return TaskManifestMessage(
        message_id=str(identity),
        cluster_arn=instance.cluster_arn,
        container_instance_arn=instance.arn,
        tasks=tuple(
            TaskIdentifier(
                task_arn=task.arn, task_cluster_arn=task.cluster_arn, desired_status="RUNNING"
            )
            for task in live
            if task.desired_status == "RUNNING" and task.payload_sequence
        ),
        generated_at=tx.now // MICROSECONDS_PER_MILLISECOND,
        timeline=instance.sequence,
    )


def _authority(
    tx: Transaction, instance: ContainerInstance, *, on_connect: bool
) -> tuple[ContainerInstance, tuple[AuthorityMessage, ...]]:
    """Whom our agent is to trust: told with each connection, and once after each change."""
    trust = trusts.get(tx)
    certificates = bundle(trust)
    told = instance.authority_told == trust.version and not on_connect
    if not certificates or told or instance.attribute(CAPABILITY_OF_OUR_AGENT) is None:
        return instance, ()
    identity = MessageId(kind="authority", task="", sequence=trust.version)
    message = AuthorityMessage(message_id=str(identity), certificates=certificates)
    return evolve(instance, authority_told=trust.version), (message,)


def _notices(
    turn: Call | Turn, instance: ContainerInstance
) -> tuple[RegistryMessage | ImagesInUseMessage, ...]:
    """Where our registry is, and which images the cluster's services claim; for our agent alone."""
    if instance.attribute(CAPABILITY_OF_OUR_AGENT) is None:
        return ()
    claimed = _claimed(turn.tx, instance.cluster_arn)
    authorities = "".join(bundle(trusts.get(turn.tx)))
    sequence = instance.sequence
    return (
        RegistryMessage(
            message_id=str(MessageId(kind="registry", task="", sequence=sequence)),
            names=turn.site.names,
            endpoint=turn.site.endpoint,
            certificate_authority=authorities or None,
        ),
        ImagesInUseMessage(
            message_id=str(MessageId(kind="images", task="", sequence=sequence)),
            images=tuple(sorted({one.image for one in claimed})[:IMAGES_TOLD_MAX]),
            digests=tuple(sorted({one.digest for one in claimed if one.digest})[:IMAGES_TOLD_MAX]),
        ),
    )


def _inventory(tx: Transaction, instance: ContainerInstance) -> tuple[InventoryRequest, ...]:
    """That our agent is to tell what it runs, where this database was restored from a backup."""
    ours = instance.attribute(CAPABILITY_OF_OUR_AGENT) is not None
    if not ours or not restoration.holds(tx, restoration.cluster_of(instance)):
        return ()
    identity = MessageId(kind="inventory", task="", sequence=instance.sequence)
    return (InventoryRequest(message_id=str(identity)),)


def _rotation(instance: ContainerInstance) -> tuple[RotateKeyMessage, ...]:
    """That the host is to change its key, where a person wanted it and it has not yet."""
    asked = instance.key_rotation_asked_at
    if asked is None or instance.attribute(CAPABILITY_OF_OUR_AGENT) is None:
        return ()
    number = asked // MICROSECONDS_PER_MILLISECOND
    return (RotateKeyMessage(message_id=str(MessageId(kind="rotate", task="", sequence=number))),)


def _claimed(tx: Transaction, cluster: str) -> list[RevisionImage]:
    brought_out = service_deployments.open_of_services(tx, services.live_arns(tx, cluster))
    revisions = service_revisions.named(tx, {one.revision for one in brought_out})
    return [image for revision in revisions.values() for image in revision.images]
