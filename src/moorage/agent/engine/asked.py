"""What the server asks: run these, stop those, which do you have, show me the output.

A payload is acknowledged once its tasks are stored, not when they run; tasks are told apart by
ARN alone, since the same payload comes again until it is acknowledged (agent-protocol 4 and 5).
"""

from moorage.acs.messages import (
    AckRequest,
    IAMRoleCredentialsAckRequest,
    LogsChunk,
    TaskIdentifier,
    TaskStopVerificationMessage,
)
from moorage.acs.task_messages import RoleCredentials, Task
from moorage.agent.engine import adoption, impairment
from moorage.agent.engine.advance import container_of
from moorage.agent.engine.events import (
    CredentialsReceived,
    HeartbeatReceived,
    ImagesClaimed,
    LogsRequested,
    ManifestReceived,
    PayloadReceived,
    StopConfirmed,
)
from moorage.agent.engine.instructions import (
    KeepCredentials,
    SendMessage,
    StreamLogs,
)
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.ground.record import evolve

# Amazon's own prefix is "UnrecogniedTaskError"; ours is spelt as it is meant.
UNRECOGNIZED = "UnrecognizedTaskError: Error loading task - "
NO_OUTPUT = "this host has no container {container} of task {task}"


def payload_received(state: State, event: PayloadReceived, turn: Turn) -> None:
    """Take the tasks in, those to stop first, and acknowledge."""
    state.payload_seq_num = max(state.payload_seq_num, event.seq_num)
    if event.seq_num > state.memory.timeline:
        state.memory = evolve(state.memory, timeline=event.seq_num)
    for task in sorted(event.tasks, key=lambda t: t.desired_status != "STOPPED"):
        known = state.tasks.get(task.arn)
        if task.desired_status == "STOPPED":
            _stop(state, task, turn)
        elif known is None:
            _run(state, task, turn)
        elif known.adopted and known.desired == "RUNNING" and adoption.flaw(task) is None:
            state.put(adoption.completed(known, task))
        _keep(state, task, event.message_id, turn)
    turn.durable = True
    turn.say(
        SendMessage(
            message=AckRequest(
                message_id=event.message_id,
                cluster=event.cluster_arn,
                container_instance=event.container_instance_arn,
            )
        )
    )


def _run(state: State, task: Task, turn: Turn) -> None:
    if state.is_finished(task.arn):
        return  # STOPPED was accepted: it must never run again
    flaw = adoption.flaw(task)
    state.to_report[task.arn] = None
    if flaw is None:
        state.put(adoption.sound(task, state.host, turn.now))
    else:
        state.put(adoption.over(task, turn.now, f"{UNRECOGNIZED}{flaw}"))


def _stop(state: State, task: Task, turn: Turn) -> None:
    known = state.tasks.get(task.arn)
    if known is None:
        state.to_report[task.arn] = None
        state.put(adoption.stopping(task, turn.now))
    elif known.desired == "RUNNING":
        state.put(evolve(known, desired="STOPPED"))
    else:
        _say_again(state, task.arn)


def _say_again(state: State, arn: str) -> None:
    """A server that does not know of an end that it took in was restored from a backup."""
    known = state.tasks[arn]
    if known.settled:
        state.to_report[arn] = None
        state.put(evolve(known, settled=False, reported=None))


def _keep(state: State, task: Task, message_id: str, turn: Turn) -> None:
    roles = (
        ("TaskApplication", task.role_credentials),
        ("TaskExecution", task.execution_role_credentials),
    )
    for role_type, credentials in roles:
        if credentials is not None and task.arn in state.tasks:
            _keep_one(task.arn, role_type, credentials, message_id, turn)


def _keep_one(
    arn: str, role_type: str, credentials: RoleCredentials, message_id: str, turn: Turn
) -> None:
    turn.act(KeepCredentials(task_arn=arn, role_type=role_type, credentials=credentials))
    turn.say(
        SendMessage(
            message=IAMRoleCredentialsAckRequest(
                message_id=message_id,
                credentials_id=credentials.credentials_id,
                expiration=credentials.expiration,
            )
        )
    )


def credentials_received(state: State, event: CredentialsReceived, turn: Turn) -> None:
    """Kept and acknowledged for a task that is here; else neither."""
    if event.task_arn in state.tasks:
        _keep_one(event.task_arn, event.role_type, event.credentials, event.message_id, turn)


def manifest_received(state: State, event: ManifestReceived, turn: Turn) -> None:
    """Compare what the server holds to be here with what is here; before the first look, wait."""
    if state.blind:
        state.held_manifest = event
        return
    compare(state, event, turn)


def compare(state: State, event: ManifestReceived, turn: Turn) -> None:
    """Acknowledge a new manifest, ask about tasks that it lacks, report those that are not here.

    Beyond Amazon's agent, a task that the server believes to run here and that is not known is
    reported as STOPPED: the websocket keeps its order, so its payload cannot be still to come.
    """
    if event.timeline <= max(state.memory.manifest_timeline, state.payload_seq_num):
        return
    state.memory = evolve(state.memory, manifest_timeline=event.timeline)
    turn.durable = True
    turn.say(
        SendMessage(
            message=AckRequest(
                message_id=event.message_id,
                cluster=event.cluster_arn,
                container_instance=event.container_instance_arn,
            )
        )
    )
    listed = {task.task_arn for task in event.tasks if task.desired_status == "RUNNING"}
    candidates = tuple(
        TaskIdentifier(task_arn=arn, task_cluster_arn=event.cluster_arn, desired_status="STOPPED")
        for arn, task in state.tasks.items()
        if task.desired == "RUNNING" and arn not in listed
    )
    state.verifying = event.message_id if candidates else None
    if candidates:
        turn.say(
            SendMessage(
                message=TaskStopVerificationMessage(
                    message_id=event.message_id, stop_candidates=candidates
                )
            )
        )
    for arn in sorted(listed & state.tasks.keys()):
        _say_again(state, arn)
    for arn in sorted(listed - state.tasks.keys()):
        missing = Task(arn=arn, desired_status="STOPPED", task_cluster_arn=event.cluster_arn)
        state.to_report[arn] = None
        state.put(adoption.over(missing, turn.now, adoption.UNKNOWN_IN_MANIFEST))


def stop_confirmed(state: State, event: StopConfirmed, _turn: Turn) -> None:
    """Stop exactly these; each manifest is good for one confirmation."""
    if event.message_id != state.verifying:
        return
    state.verifying = None
    for arn in event.task_arns:
        task = state.tasks.get(arn)
        if task is not None and task.desired == "RUNNING":
            state.put(evolve(task, desired="STOPPED"))


def images_claimed(state: State, event: ImagesClaimed, turn: Turn) -> None:
    """Remember them, in place of those claimed before."""
    state.memory = evolve(
        state.memory,
        claims_told=True,
        claimed_images=event.images,
        claimed_digests=event.digests,
    )
    turn.say(SendMessage(message=AckRequest(message_id=event.message_id)))


def logs_requested(state: State, event: LogsRequested, turn: Turn) -> None:
    """Have the container's output sent, or say at once that there is none."""
    task = state.tasks.get(event.task_arn)
    record = None if task is None else container_of(task, event.container)
    if record is None or record.runtime_id is None:
        error = NO_OUTPUT.format(container=event.container, task=event.task_arn)
        chunk = LogsChunk(request_id=event.request_id, end=True, error=error)
        turn.say(SendMessage(message=chunk))
        return
    turn.act(
        StreamLogs(
            request_id=event.request_id,
            runtime_id=record.runtime_id,
            follow=event.follow,
            tail_lines=event.tail_lines,
            since=event.since,
            window=event.window,
        )
    )


def heartbeat_received(state: State, _event: HeartbeatReceived, turn: Turn) -> None:
    """Say how the container runtime is (agent-protocol 3.3)."""
    impairment.publish(state, turn)
