"""What an agent's ACS websocket means for its host: come, gone, lost, back; and what it answers.

Run like operations, one transaction each; the gateway moves the frames and watches the silence.
"""

from collections.abc import Iterable
from typing import Literal

from moorage.acs.messages import (
    AckRequest,
    ServerMessage,
    TaskIdentifier,
    TaskStopVerificationAck,
    TaskStopVerificationMessage,
)
from moorage.acs.patience import Ending, Loss
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules.host import loss as rules
from moorage.ecs.store import brakes, container_instances, restoration, tasks
from moorage.ecs.store.brakes import brake_rule
from moorage.ecs.store.connectivity import follow_host
from moorage.ecs.views.message_id import MessageId, read_message_id
from moorage.ground.arn import make_arn
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

VERSION_LENGTH_MAX = 255
CANDIDATES_MAX = 10_000
MICROSECONDS_PER_MILLISECOND = 1000
TIMELINE_DIGITS_MAX = 15
DOCKER_PREFIX = "DockerVersion: "

Refused = Literal["InvalidInstanceException", "InactiveInstanceException"]
Replies = tuple[ServerMessage, ...]


class Hello(Record):
    """What an agent says of itself in the query of its handshake.

    `timeline` is the highest number under which it was ever sent anything; 0 of Amazon's agent.
    """

    agent_version: str = ""
    agent_hash: str = ""
    docker_version: str = ""
    timeline: int = 0


def read_timeline(text: str) -> int:
    """The timeline that a handshake tells; 0 where it tells none."""
    sound = text.isascii() and text.isdigit() and len(text) <= TIMELINE_DIGITS_MAX
    return int(text) if sound else 0


def connected(call: Call, instance_arn: str, hello: Hello) -> Refused | None:
    """An agent opened its ACS websocket: `agentConnected` is true, and the host is not lost.

    Answers the name of the exception with which the handshake is to be refused, or None. An agent
    that is told InactiveInstanceException waits for an hour.
    """
    instance = container_instances.get(call.tx, instance_arn)
    if instance is None or instance.account != call.account or instance.region != call.region:
        return "InvalidInstanceException"
    if instance.status == "INACTIVE":
        return "InactiveInstanceException"
    instance = restoration.heed_timeline(call.tx, instance, hello.timeline)
    docker = hello.docker_version.removeprefix(DOCKER_PREFIX)
    _return(
        call,
        evolve(
            instance,
            connected=True,
            connected_at=call.now,
            agent_version=(hello.agent_version or instance.agent_version)[:VERSION_LENGTH_MAX],
            agent_hash=(hello.agent_hash or instance.agent_hash)[:VERSION_LENGTH_MAX],
            docker_version=(docker or instance.docker_version)[:VERSION_LENGTH_MAX],
        ),
    )
    return None


def disconnected(call: Call, instance_arn: str, how: Ending) -> None:
    """An agent's connection is gone; nothing is concluded about its tasks from that alone."""
    instance = _live(call, instance_arn)
    if instance is not None:
        _write(call, instance, rules.gone(instance, how, call.now))


def awaited(tx: Transaction, hosts: Iterable[ContainerInstance]) -> frozenset[str]:
    """A server has started, to which nobody is connected yet, whatever an earlier one left written.

    It is written before anybody decides: tasks would else be placed on hosts that may never come
    back. Answers which of the `hosts`, as they were read, are kept so: none that has changed since.
    """
    seen = {one.arn: one for one in hosts}
    kept = set()
    for arn, instance in container_instances.named(tx, seen).items():
        if instance.version != seen[arn].version:
            continue
        after = rules.gone(instance, "closed", tx.now)
        if after != instance:
            container_instances.tell(tx, after)
        kept.add(arn)
    return frozenset(kept)


def doubted(call: Call, instance_arn: str, suspect: bool) -> None:  # noqa: FBT001 - the form of the agents' table
    """Nothing was heard of a host for a while, so it gets no new task; or it is heard again."""
    instance = _live(call, instance_arn)
    if instance is not None:
        _write(call, instance, evolve(instance, suspect=suspect))


def lost(call: Call, instance_arn: str, why: Loss = "silent") -> None:
    """A host is lost: its tasks become DISCONNECTED, and are replaced unless the brake holds."""
    instance = _live(call, instance_arn)
    if instance is None:
        return
    after = rules.lost(instance, why, call.now)
    if not _write(call, instance, after) or instance.lost_at is not None:
        return
    follow_host(call.tx, after)
    brakes.lose(call.tx, after, brake_rule(call.site))


def returned(call: Call, instance_arn: str) -> None:
    """A host whose connection never broke is itself again: its engine is back."""
    instance = _live(call, instance_arn)
    if instance is not None:
        _return(call, instance)


def acknowledge(call: Call, instance_arn: str, message: AckRequest) -> Replies:
    """An order was taken in and stored by its host: it is not sent again."""
    identity = read_message_id(message.message_id)
    if identity is not None and identity.kind == "authority":
        return _believed(call, instance_arn, identity.sequence)
    task = _ordered(call, instance_arn, identity) if identity else None
    if task is None or identity is None:
        return ()
    waiting = {
        ("run", task.payload_sequence): task.acknowledged_at is None,
        ("stop", task.stop_sequence): task.stop_acknowledged_at is None,
    }
    if not waiting.get((identity.kind, identity.sequence), False):
        return ()
    if identity.kind == "run":
        tasks.note(call.tx, evolve(task, acknowledged_at=call.now))
    else:
        tasks.note(call.tx, evolve(task, stop_acknowledged_at=call.now))
        call.tx.wake("task", task.arn)  # which sees to it that the stop happens
    return ()


def _believed(call: Call, instance_arn: str, version: int) -> Replies:
    """A host keeps the certificates of that version on its disk."""
    instance = container_instances.get(call.tx, instance_arn)
    if instance is not None and instance.authority_kept < version <= instance.authority_told:
        container_instances.note(call.tx, evolve(instance, authority_kept=version))
    return ()


def verify_stops(call: Call, instance_arn: str, message: TaskStopVerificationMessage) -> Replies:
    """A host runs what its manifest did not list: it may stop what is not to run there."""
    instance = container_instances.get(call.tx, instance_arn)
    if instance is not None and restoration.holds(call.tx, restoration.cluster_of(instance)):
        return ()  # a database that was restored knows too little to end anything
    candidates = (message.stop_candidates or ())[:CANDIDATES_MAX]
    known = tasks.named(call.tx, [one.task_arn for one in candidates])
    condemned = tuple(
        TaskIdentifier(
            task_arn=one.task_arn,
            task_cluster_arn=one.task_cluster_arn,
            desired_status="STOPPED",
        )
        for one in candidates
        if not _belongs(known.get(one.task_arn), instance_arn)
    )
    if not condemned:
        return ()
    answer = TaskStopVerificationAck(
        message_id=message.message_id,
        stop_tasks=condemned,
        generated_at=call.now // MICROSECONDS_PER_MILLISECOND,
    )
    return (answer,)


def _return(call: Call, instance: ContainerInstance) -> None:
    """Write a host that is heard; if it was lost, its tasks follow, and the brake soon after."""
    site = call.site
    after = rules.returned(instance, site.flapping_window, site.flapping_rest, call.now)
    container_instances.write(call.tx, after)
    follow_host(call.tx, after)


def _write(call: Call, before: ContainerInstance, after: ContainerInstance) -> bool:
    """Write a host where anything has changed; whether it has."""
    if after != before:
        container_instances.write(call.tx, after)
    return after != before


def _live(call: Call, instance_arn: str) -> ContainerInstance | None:
    instance = container_instances.get(call.tx, instance_arn)
    return instance if instance is not None and instance.status != "INACTIVE" else None


def _ordered(call: Call, instance_arn: str, identity: MessageId) -> Task | None:
    """The task of an acknowledged order, if it is on this very host."""
    instance = container_instances.get(call.tx, instance_arn)
    if instance is None or not identity.task:
        return None
    arn = make_arn("task", instance.region, instance.account, instance.cluster, identity.task)
    task = tasks.get(call.tx, arn)
    return task if task is not None and task.instance == instance_arn else None


def _belongs(task: Task | None, instance_arn: str) -> bool:
    return (
        task is not None
        and task.instance == instance_arn
        and task.desired_status == "RUNNING"
        and not task.is_stopped
    )
