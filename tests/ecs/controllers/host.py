"""A scripted host: takes orders as an agent does, and reports by the public operation."""

from collections.abc import Callable, Sequence

from moorage.acs.messages import (
    AckRequest,
    Message,
    PayloadMessage,
    TaskIdentifier,
    TaskManifestMessage,
    TaskStopVerificationAck,
    TaskStopVerificationMessage,
)
from moorage.acs.task_messages import Task as Order
from moorage.ecs.operations.agent import submit_task_state_change
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.agent import ContainerStateChange, SubmitTaskStateChangeRequest
from moorage.shapes.ecs.network import NetworkBinding

DIGEST = "sha256:" + "d" * 64


class Held(Record):
    """One task that the host runs, or ran: its order, and what was last reported."""

    order: Order
    status: str = "PENDING"


class ScriptedHost:
    """Runs what it is told, at once; images whose name says otherwise behave otherwise.

    `broken` cannot be pulled, `crashing` exits as soon as it runs. With `deaf` it takes nothing
    in, with `slow` it pulls (and stops) until `finish` is called, with `stubborn` it never stops.
    While it is `ill` it starts nothing, and says that `trouble` is the reason.
    """

    def __init__(self, arn: str, name: str) -> None:
        self.arn = arn
        self.name = name
        self.tasks: dict[str, Held] = {}
        self.heard: list[Message] = []
        self.deaf = False
        self.slow = False
        self.stubborn = False
        self.ill = False
        self.trouble = "CannotStartContainerError: no such device"
        self.orders = 0

    def hear(self, message: Message, act: "Act") -> None:
        """Take in one message of the server."""
        self.heard.append(message)
        if self.deaf:
            return
        answers: dict[type[Message], Callable[[], None]] = {
            PayloadMessage: lambda: self._payload(message, act),
            TaskManifestMessage: lambda: self._manifest(message, act),
            TaskStopVerificationAck: lambda: self._verified(message, act),
        }
        answer = answers.get(type(message))
        if answer is not None:
            answer()

    def running(self) -> list[str]:
        """The ARNs of the tasks that run here."""
        return sorted(arn for arn, held in self.tasks.items() if held.status == "RUNNING")

    def finish(self, act: "Act") -> None:
        """Bring what is pulled to run, and what is stopping to its end."""
        for arn, held in sorted(self.tasks.items()):
            if held.status == "PENDING":
                self._run(arn, act)
            elif held.status == "STOPPING":
                self._stop(arn, act, exit_code=143)

    def kill(self, arn: str, act: "Act", exit_code: int = 137) -> None:
        """End a task's container as `docker kill` does."""
        self._stop(arn, act, exit_code=exit_code)

    def _payload(self, message: PayloadMessage, act: "Act") -> None:
        for order in message.tasks or ():
            self.orders += 1
            if order.desired_status == "RUNNING" and order.arn not in self.tasks:
                self.tasks[order.arn] = Held(order=order)
                act.say(self, AckRequest(message_id=message.message_id))
                if not self.slow:
                    self._run(order.arn, act)
            else:
                act.say(self, AckRequest(message_id=message.message_id))
                if order.desired_status == "STOPPED":
                    self._told_to_stop(order, act)

    def _told_to_stop(self, order: Order, act: "Act") -> None:
        held = self.tasks.setdefault(order.arn, Held(order=order))
        if held.status in {"STOPPED", "STOPPING"} or self.stubborn:
            return
        if self.slow:
            self.tasks[order.arn] = evolve(held, status="STOPPING")
            return
        self._stop(order.arn, act, exit_code=143 if held.status == "RUNNING" else None)

    def _manifest(self, message: TaskManifestMessage, act: "Act") -> None:
        act.say(self, AckRequest(message_id=message.message_id))
        wanted = {one.task_arn for one in message.tasks or () if one.desired_status == "RUNNING"}
        candidates = [
            TaskIdentifier(
                task_arn=arn, task_cluster_arn=message.cluster_arn, desired_status="STOPPED"
            )
            for arn in self.running()
            if arn not in wanted
        ]
        if candidates:
            act.say(
                self,
                TaskStopVerificationMessage(
                    message_id=message.message_id, stop_candidates=tuple(candidates)
                ),
            )

    def _verified(self, message: TaskStopVerificationAck, act: "Act") -> None:
        for one in message.stop_tasks or ():
            if one.task_arn in self.tasks:
                self._stop(one.task_arn, act, exit_code=143)

    def _run(self, arn: str, act: "Act") -> None:
        image = (self.tasks[arn].order.containers or ())[0].image or ""
        if "broken" in image:
            self._submit(
                arn, act, "STOPPED", reason="CannotPullContainerError: not found", ran=False
            )
            return
        if self.ill:
            self._submit(arn, act, "STOPPED", reason=self.trouble, ran=False)
            return
        self._submit(arn, act, "RUNNING")
        if "crashing" in image:
            self._stop(arn, act, exit_code=1)

    def _stop(self, arn: str, act: "Act", exit_code: int | None) -> None:
        self._submit(arn, act, "STOPPED", exit_code=exit_code)

    def _submit(self, arn: str, act: "Act", status: str, **members) -> None:
        self.tasks[arn] = evolve(self.tasks[arn], status=status)
        act.report(self, report_of(self.tasks[arn].order, status, **members))


class Act:
    """What a host does in the world; the rig carries it out."""

    def say(self, host: ScriptedHost, message: Message) -> None:
        """Send one message to the server."""
        raise NotImplementedError

    def report(self, host: ScriptedHost, request: SubmitTaskStateChangeRequest) -> None:
        """Call SubmitTaskStateChange."""
        raise NotImplementedError


def report_of(
    order: Order,
    status: str,
    exit_code: int | None = None,
    reason: str | None = None,
    ran: bool = True,
) -> SubmitTaskStateChangeRequest:
    """The report that an agent submits of a task."""
    containers: Sequence[ContainerStateChange] = [
        ContainerStateChange(
            container_name=one.name,
            status=status,
            exit_code=exit_code,
            reason=reason,
            image_digest=DIGEST if ran else None,
            network_bindings=[
                NetworkBinding(bind_ip="0.0.0.0", container_port=80, host_port=32768 + number)
            ]
            if status == "RUNNING"
            else None,
        )
        for number, one in enumerate(order.containers or ())
    ]
    return SubmitTaskStateChangeRequest(
        cluster="default", task=order.arn, status=status, containers=list(containers)
    )


__all__ = ["DIGEST", "Act", "ScriptedHost", "submit_task_state_change"]
