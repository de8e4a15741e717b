"""Reports on their way: one of a task at a time, in order, and a bounded number at once."""

from moorage.agent.engine.events import ReportAcknowledged, ReportRefused
from moorage.agent.engine.instructions import SubmitTaskStateChange
from moorage.agent.engine.reporting import REPORTS_IN_FLIGHT_MAX, due
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.ground.record import evolve


def submit(state: State, turn: Turn) -> None:
    """Submit what is due, first come first served, as far as the bound allows."""
    if state.blind:
        return
    for arn in list(state.to_report):
        if len(state.out) >= REPORTS_IN_FLIGHT_MAX:
            return
        del state.to_report[arn]
        task = state.tasks.get(arn)
        report = None if task is None else due(task)
        if task is None or report is None:
            continue
        # Whoever said that a task is over never runs it again, though the power fails right now.
        turn.durable = turn.durable or report.status == "STOPPED"
        sequence = task.sequence + 1
        state.put(evolve(task, submitting=report, sequence=sequence))
        state.out.add(arn)
        turn.say(SubmitTaskStateChange(sequence=sequence, report=report))


def acknowledged(state: State, event: ReportAcknowledged, _turn: Turn) -> None:
    """The server knows; after STOPPED nothing is left to say."""
    _over(state, event.task_arn, event.sequence)


def refused(state: State, event: ReportRefused, _turn: Turn) -> None:
    """The server will never take it: it is dropped as if it were known (agent-protocol 6)."""
    _over(state, event.task_arn, event.sequence)


def _over(state: State, arn: str, sequence: int) -> None:
    task = state.tasks.get(arn)
    if task is None or task.submitting is None or task.sequence != sequence:
        return
    state.out.discard(arn)
    state.to_report[arn] = None
    state.put(
        evolve(
            task,
            reported=task.submitting,
            submitting=None,
            settled=task.submitting.status == "STOPPED",
        )
    )
