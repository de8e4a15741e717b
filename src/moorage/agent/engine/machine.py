"""The engine of the agent: one event in, the instructions that follow from it out.

`handle` finds the handler of the event in a table, lets it change the records, then moves on
every task that was touched (`advance`), submits the reports that are due, saves what changed and
sets the timer. It never waits and never fails: what cannot be is an AssertionError.

`now` is the host's wall clock; the engine compares it with the times that Docker gives. It may
jump: a jump forward makes waits end early (an instruction is given again, which changes nothing),
a jump back makes them long. No run of a container is judged by it but for the restart policy and
startTimeout.
"""

from collections.abc import Callable, Mapping
from typing import Any

from moorage.agent.engine import (
    absence,
    asked,
    cleaning,
    events,
    impairment,
    inventory,
    looks,
    performed,
    post_mortems,
    submissions,
)
from moorage.agent.engine.events import Event, Tick
from moorage.agent.engine.images import in_use
from moorage.agent.engine.instructions import (
    Instruction,
    PublishHealth,
    PublishInstanceStatus,
    SaveCheckpoint,
    SetTimer,
)
from moorage.agent.engine.reporting import health
from moorage.agent.engine.state import State
from moorage.agent.engine.transitions import S, Story
from moorage.agent.engine.turn import Turn
from moorage.agent.records.host import Host, HostMemory
from moorage.agent.records.report import TaskHealth
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import evolve

HEALTH_PERIOD = seconds(20)
# The timer never asks for less: what is overdue is taken up by the next tick.
TIMER_MIN = seconds(0.01)


def _tick(state: State, _event: Tick, turn: Turn) -> None:
    """Take up what time alone has made due."""
    state.timer = None
    for arn, due in list(state.dues.items()):
        if due <= turn.now:
            state.dirty[arn] = None
    if state.sighted():
        waiting = (
            t for t in state.tasks.values() if any(c.status == S.PULLING for c in t.containers)
        )
        for pull in state.pulls.again(turn.now, in_use(waiting)):
            turn.act(pull)
    if state.look_due is not None and state.look_due <= turn.now:
        looks.look(state, turn)
    cleaning.list_images(state, turn)
    if state.health_due is not None and state.health_due <= turn.now:
        state.health_due = None
        told = _all_health(state)
        if told:
            turn.say(PublishHealth(tasks=told))


def _all_health(state: State) -> tuple[TaskHealth, ...]:
    return tuple(told for task in state.tasks.values() if (told := health(task)) is not None)


# Each handler takes the event of its own key; the table is where their types meet.
HANDLERS: Mapping[type[object], Callable[[State, Any, Turn], None]] = {
    events.AgentStarted: looks.agent_started,
    events.Tick: _tick,
    events.PayloadReceived: asked.payload_received,
    events.ManifestReceived: asked.manifest_received,
    events.StopConfirmed: asked.stop_confirmed,
    events.CredentialsReceived: asked.credentials_received,
    events.InventoryRequested: inventory.inventory_requested,
    events.ImagesClaimed: asked.images_claimed,
    events.LogsRequested: asked.logs_requested,
    events.HeartbeatReceived: asked.heartbeat_received,
    events.ServerSilent: absence.server_silent,
    events.ServerUnconfirmed: absence.server_unconfirmed,
    events.ServerHeard: absence.server_heard,
    events.HostDeregistered: absence.host_deregistered,
    events.PostMortemGathered: post_mortems.gathered,
    events.ReportAcknowledged: submissions.acknowledged,
    events.ReportRefused: submissions.refused,
    events.PullFinished: performed.pull_finished,
    events.PullFailed: performed.pull_failed,
    events.ImagesListed: cleaning.images_listed,
    events.ResourceCreated: performed.resource_created,
    events.ResourceFailed: performed.resource_failed,
    events.ResourceRemoved: performed.resource_removed,
    events.ResourceRemoveFailed: performed.resource_remove_failed,
    events.ContainerCreated: performed.container_created,
    events.CreateFailed: performed.create_failed,
    events.ContainerStarted: performed.container_started,
    events.StartFailed: performed.start_failed,
    events.ContainerExited: performed.container_exited,
    events.StopFinished: performed.stop_finished,
    events.StopFailed: performed.stop_failed,
    events.ContainerRemoved: performed.container_removed,
    events.RemoveFailed: performed.remove_failed,
    events.HealthChanged: performed.health_changed,
    events.ContainersObserved: looks.containers_observed,
    events.LookFailed: looks.look_failed,
    events.EngineLost: looks.engine_lost,
    events.EngineReturned: looks.engine_returned,
    events.EventsMissed: looks.events_missed,
}


class Engine:
    """The machine: built from the host's facts and the checkpoint, then fed AgentStarted."""

    def __init__(
        self,
        host: Host,
        tasks: tuple[TaskRecord, ...] = (),
        memory: HostMemory | None = None,
        *,
        moves_max: int | None = None,
    ) -> None:
        """Take up the checkpoint's records; `moves_max` bounds the moves of a test."""
        self.story = Story(moves_max)
        self.state = State(host, tasks, memory or HostMemory(), self.story)

    def handle(self, event: Event, now: Instant) -> list[Instruction]:
        """Take one event in; the instructions stand in the order in which they are begun."""
        state = self.state
        state.step += 1
        turn = Turn(now, state.host, state.pulls, self.story, state.tasks.values)
        memory = state.memory
        HANDLERS[type(event)](state, event, turn)
        if state.sighted():
            cleaning.dispose(state, turn)
        state.settle(turn)
        if turn.wants_look:
            looks.look(state, turn)
        impairment.follow(state, turn)
        submissions.submit(state, turn)
        post_mortems.gather(state, turn)
        state.dirty.clear()
        answer = [*turn.acts, *self._checkpoint(memory, turn), *turn.words]
        return [*answer, *self._timer(turn)]

    def tasks(self) -> tuple[TaskRecord, ...]:
        """All tasks as they are known now: what a checkpoint of everything would hold."""
        return tuple(self.state.tasks.values())

    def timeline(self) -> int:
        """The highest number under which the server has ever sent this host anything."""
        return max(self.state.memory.timeline, self.state.memory.manifest_timeline)

    def memory(self) -> HostMemory:
        """What is remembered beside the tasks."""
        return self.state.memory

    def status(self, now: Instant) -> PublishInstanceStatus:
        """How the container runtime is, as it would be published now."""
        return impairment.status(self.state, now)

    def health(self) -> tuple[TaskHealth, ...]:
        """The health of all tasks that have a check."""
        return _all_health(self.state)

    def _checkpoint(self, before: HostMemory, turn: Turn) -> list[Instruction]:
        state = self.state
        images = state.pulls.records()
        if images != state.memory.images:
            state.memory = evolve(state.memory, images=images)
        changed = tuple(
            state.tasks[arn] for arn, old in state.changed.items() if state.tasks[arn] != old
        )
        forgotten = tuple(state.forgotten)
        state.changed.clear()
        state.forgotten.clear()
        memory = None if state.memory == before else state.memory
        if not changed and not forgotten and memory is None:
            return []
        return [
            SaveCheckpoint(tasks=changed, forgotten=forgotten, memory=memory, durable=turn.durable)
        ]

    def _timer(self, turn: Turn) -> list[Instruction]:
        state = self.state
        if state.health_due is None and self.health():
            state.health_due = turn.after(HEALTH_PERIOD)
        dues = [state.health_due]
        if state.lost_since is None:
            dues.append(state.look_due)
        if state.sighted():
            dues += [*state.dues.values(), state.images_due]
            dues += [state.pulls.next_due(), cleaning.next_clean_up(state, turn.now)]
        due = min((d for d in dues if d is not None), default=None)
        at = None if due is None else max(due, later(turn.now, TIMER_MIN))
        if at == state.timer:
            return []
        state.timer = at
        return [SetTimer(at=at)]
