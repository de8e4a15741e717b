"""Telling a server what runs here: after its database was restored from a backup it does not know.

What is told is the task as the server itself had sent it, and how its containers are, so that the
server can write its rows anew. Tasks that are to stop are not told: their end is reported as ever.
"""

from moorage.acs.messages import HeldContainer, HeldPort, HeldTask, InventoryMessage
from moorage.agent.engine.events import InventoryRequested
from moorage.agent.engine.instructions import SendMessage
from moorage.agent.engine.reporting import picture
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.agent.records.report import ContainerReport
from moorage.agent.records.task import TaskRecord

TASKS_AT_ONCE = 50


def inventory_requested(state: State, event: InventoryRequested, turn: Turn) -> None:
    """Tell what is to run here; before the first look nobody knows, so wait for it."""
    state.held_inventory = event.message_id
    if not state.blind:
        tell_held(state, turn)


def tell_held(state: State, turn: Turn) -> None:
    """Tell what was asked for, a bounded number of tasks a message."""
    message_id, state.held_inventory = state.held_inventory, None
    if message_id is None:
        return
    held = [
        told
        for task in state.tasks.values()
        if task.desired == "RUNNING" and (told := _held(task)) is not None
    ]
    for first in range(0, max(len(held), 1), TASKS_AT_ONCE):
        part = tuple(held[first : first + TASKS_AT_ONCE])
        turn.say(SendMessage(message=InventoryMessage(message_id=message_id, tasks=part)))


def _held(task: TaskRecord) -> HeldTask | None:
    """The task and how it is; None where it is over."""
    report = picture(task)
    if report.status == "STOPPED":
        return None
    return HeldTask(
        task=task.task,
        status=report.status,
        containers=tuple(_container(one) for one in report.containers),
    )


def _container(report: ContainerReport) -> HeldContainer:
    return HeldContainer(
        name=report.container_name,
        status=report.status,
        runtime_id=report.runtime_id,
        image_digest=report.image_digest,
        ports=tuple(
            HeldPort(
                container_port=one.container_port,
                host_port=one.host_port,
                bind_ip=one.bind_ip,
                protocol=one.protocol,
            )
            for one in report.network_bindings
        ),
    )
