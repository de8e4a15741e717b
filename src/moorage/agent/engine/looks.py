"""Looking at all containers: at the start, after Docker's absence, and every so often.

The first look ends blindness: until then nothing is created, started, stopped or reported, so
that a restart of the agent restarts no container and tells nothing that is not so.
"""

from moorage.agent.engine import absence, adoption, asked, healing, impairment, inventory
from moorage.agent.engine.advance import container_of, with_container
from moorage.agent.engine.events import (
    AgentStarted,
    ContainersObserved,
    EngineLost,
    EngineReturned,
    EventsMissed,
    LookFailed,
)
from moorage.agent.engine.instructions import ObserveContainers, RemoveContainer, StopContainer
from moorage.agent.engine.names import docker_name
from moorage.agent.engine.performed import publish_health
from moorage.agent.engine.reconciliation import finished, reconcile
from moorage.agent.engine.specification import STOP_TIMEOUT_SECONDS_DEFAULT
from moorage.agent.engine.state import Look, State
from moorage.agent.engine.transitions import S, voided
from moorage.agent.engine.turn import Turn
from moorage.agent.records.container import ContainerRecord, ObservedContainer
from moorage.agent.records.task import ResourceStatus, TaskRecord
from moorage.ground.instant import Instant, seconds
from moorage.ground.record import evolve

LOOK_PERIOD = seconds(60)
LOOK_DEADLINE = seconds(60)
LOOK_RETRY = seconds(5)

Seen = dict[str, dict[str, list[ObservedContainer]]]


def agent_started(state: State, _event: AgentStarted, turn: Turn) -> None:
    """Nothing that was out when the process ended will be completed; look first."""
    state.engine_since = turn.now
    # An engine that was lost by the process before this one is still to be blamed for its absence.
    state.absent_since = state.memory.engine_lost_at
    for task in list(state.tasks.values()):
        anew = _begun_anew(evolve(_void(task), submitting=None))
        state.put(_after_boot(anew, state.host.booted_at))
    look(state, turn)


def _begun_anew(task: TaskRecord) -> TaskRecord:
    """A post-mortem that was asked for of an earlier process is asked for again."""
    if task.post_mortem != "asked":
        return task
    return evolve(task, post_mortem="", post_mortem_deadline=None)


def _after_boot(task: TaskRecord, booted_at: Instant | None) -> TaskRecord:
    """Cgroups do not outlive the machine: those of a task that may run again are made again."""
    if booted_at is None or task.received_at >= booted_at or task.desired == "STOPPED":
        return task
    resources = tuple(
        evolve(resource, status=ResourceStatus.CREATING)
        if resource.kind == "cgroup" and resource.status == ResourceStatus.READY
        else resource
        for resource in task.resources
    )
    return evolve(task, resources=resources)


def engine_lost(state: State, event: EngineLost, turn: Turn) -> None:
    """Nothing that is out will be completed; wait for its return."""
    if state.lost_since is not None:
        return
    state.lost_since = turn.now
    state.lost_reason = event.reason
    lost_at = state.memory.engine_lost_at or turn.now
    state.memory = evolve(state.memory, engine_lost_at=lost_at)
    state.look = None
    state.pulls.void()
    for task in list(state.tasks.values()):
        state.put(_void(task))
    impairment.publish(state, turn)


def engine_returned(state: State, _event: EngineReturned, turn: Turn) -> None:
    """Look before anything else is done: containers may have ended meanwhile."""
    if state.lost_since is None:
        return
    # Lost again before anybody had looked: the first absence is the one that counts.
    state.absent_since = state.absent_since or state.lost_since
    state.lost_since = None
    state.engine_since = turn.now
    state.blind = True
    look(state, turn)
    impairment.publish(state, turn)


def events_missed(state: State, _event: EventsMissed, turn: Turn) -> None:
    """Look at once; what is out has its completion still to come."""
    look(state, turn)


def _void(task: TaskRecord) -> TaskRecord:
    return evolve(
        task,
        containers=tuple(voided(record) for record in task.containers),
        resources=tuple(evolve(resource, deadline=None) for resource in task.resources),
    )


def look(state: State, turn: Turn) -> None:
    """Ask for a full look, or for another one after that which is out."""
    if state.lost_since is not None:
        return
    if state.look is not None and state.look.deadline > turn.now:
        state.look_again = state.look_again or state.look.step != state.step
        return
    state.looks += 1
    state.look_again = False
    state.look = Look(number=state.looks, step=state.step, deadline=turn.after(LOOK_DEADLINE))
    state.look_due = turn.after(LOOK_PERIOD)
    turn.act(ObserveContainers(look=state.looks))


def look_failed(state: State, event: LookFailed, turn: Turn) -> None:
    """Look again soon: without a look nothing that events missed comes to light."""
    if state.look is not None and state.look.number == event.look:
        state.look = None
        state.look_due = turn.after(LOOK_RETRY)


def containers_observed(state: State, event: ContainersObserved, turn: Turn) -> None:
    """Bring the records in line with what is there, and take in what was unknown."""
    asked_for = state.look
    if asked_for is None or event.look != asked_for.number or state.lost_since is not None:
        return
    state.look = None
    seen: Seen = {}
    for container in event.containers:
        seen.setdefault(container.task_arn, {}).setdefault(container.container, []).append(
            container
        )
    for task in list(state.tasks.values()):
        _compare(state, task, seen.get(task.arn, {}), asked_for, turn)
    for arn, found in seen.items():
        if arn not in state.tasks and state.touched.get((arn, ""), 0) <= asked_for.step:
            _take_in(state, arn, found, turn)
    _end_blindness(state, turn)
    state.touched = {k: step for k, step in state.touched.items() if step > asked_for.step}
    if state.look_again:
        look(state, turn)


def _end_blindness(state: State, turn: Turn) -> None:
    if not state.blind:
        return
    state.blind = False
    state.absent_since = None
    state.memory = evolve(state.memory, engine_lost_at=None)
    if state.unheard is None:
        absence.release(state)
    for arn in state.tasks:
        state.dirty[arn] = None
        state.to_report[arn] = None
    for pull in state.pulls.again(turn.now, frozenset(state.pulls.under_way)):
        turn.act(pull)
    inventory.tell_held(state, turn)
    manifest, state.held_manifest = state.held_manifest, None
    if manifest is not None:
        asked.compare(state, manifest, turn)


def _compare(
    state: State, task: TaskRecord, found: dict[str, list[ObservedContainer]], of: Look, turn: Turn
) -> None:
    if _to_adopt(task, found):
        adopted = adoption.adopt(task.arn, [c[0] for c in found.values()], state.host, turn.now)
        task = evolve(adopted, desired="STOPPED", sequence=task.sequence, reported=task.reported)
    for record in task.containers:
        seen = _chosen(task, record, found.get(record.name, []))
        moved = state.touched.get((task.arn, record.name), 0) > of.step
        after = _after(state, task, record, seen, turn, moved=moved)
        state.story.add(task.arn, record, after)
        if after != record:
            task = with_container(task, after)
            state.to_report[task.arn] = None
    before = state.tasks.get(task.arn)
    task = impairment.explained(task)
    state.put(task)
    for record in task.containers:
        old = None if before is None else container_of(before, record.name)
        if old is not None and old.health != record.health:
            publish_health(state, task.arn, turn)


def _after(
    state: State,
    task: TaskRecord,
    record: ContainerRecord,
    seen: ObservedContainer | None,
    turn: Turn,
    *,
    moved: bool,
) -> ContainerRecord:
    if seen is not None and seen.unread:
        return record
    if seen is not None and seen.exit is not None:
        attributed = impairment.attributed(
            task, seen.exit, state.absent_since, state.host.booted_at
        )
        seen = evolve(seen, exit=attributed)
        over = finished(task, record, seen)
        if over is None and record.status == S.STARTING and record.deadline is None:
            # The end of the run before: the one that was asked for has not begun.
            return evolve(record, status=S.CREATED)
        if over is None:
            return record if moved else reconcile_ended(task, record, seen, turn)
        return healing.instead(task, record, over, state.unheard, turn.now)
    if moved:
        return record
    if seen is not None:
        _send_away(task, record, seen, turn)
    after = reconcile(task, record, seen, turn.now)
    if state.absent_since is None or task.desired == "STOPPED":
        return after
    return impairment.vanished(record, after)


def reconcile_ended(
    task: TaskRecord, record: ContainerRecord, seen: ObservedContainer, turn: Turn
) -> ContainerRecord:
    """An end that is not of the present run tells no more than that the container is there."""
    if record.status in {S.STOPPED, S.REMOVED}:
        _send_away(task, record, seen, turn)
        return reconcile(task, record, seen, turn.now)
    return record


def _send_away(
    task: TaskRecord, record: ContainerRecord, seen: ObservedContainer, turn: Turn
) -> None:
    """A container whose end was told does not run on, and one that was removed does not stay.

    A ghost has nothing that could be stopped; it is removed with its task's remains.
    """
    if record.status == S.STOPPED and seen.running and not record.ghost:
        turn.act(
            StopContainer(
                task_arn=task.arn,
                container=record.name,
                attempt=record.attempt,
                runtime_id=seen.runtime_id,
                timeout_seconds=STOP_TIMEOUT_SECONDS_DEFAULT,
            )
        )
    elif record.status == S.REMOVED:
        turn.act(
            RemoveContainer(
                task_arn=task.arn,
                container=record.name,
                attempt=record.attempt,
                runtime_id=seen.runtime_id,
            )
        )


def _chosen(
    task: TaskRecord, record: ContainerRecord, found: list[ObservedContainer]
) -> ObservedContainer | None:
    """Of several with these labels the one that the record means: by id, by name, the first."""
    name = docker_name(task.task, record.name)
    ranked = sorted(
        found, key=lambda c: (c.runtime_id != record.runtime_id, c.name != name, c.runtime_id)
    )
    return ranked[0] if ranked else None


def _to_adopt(task: TaskRecord, found: dict[str, list[ObservedContainer]]) -> bool:
    """Whether the task was only known as one to stop, and containers of it are here after all."""
    begun = any(record.status != S.WAITING for record in task.containers)
    return bool(found) and task.adopted and task.desired == "STOPPED" and not begun


def _take_in(state: State, arn: str, found: dict[str, list[ObservedContainer]], turn: Turn) -> None:
    """Adopt a task that is not known; where it is over already, its remains are removed."""
    seen = {name: containers[0] for name, containers in found.items()}
    task = adoption.adopt(arn, seen.values(), state.host, turn.now)
    if state.is_finished(arn):
        task = evolve(task, desired="STOPPED", settled=True)
        state.cleaning.add(arn)
    state.put(task)
    _compare(state, task, found, Look(number=0, step=state.step, deadline=turn.now), turn)
