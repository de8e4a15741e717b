"""Why a task is as it is: the chain of causes, oldest first, in plain sentences.

For tasks that stopped: who wanted it, what the containers did, what the scheduler did next and
when it tries again. For those that run or do not run yet: where they are, and what they wait for.
Made from the records alone; whatever is not known is left out, never guessed.
"""

from collections.abc import Callable, Mapping

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.events import is_of_a_host
from moorage.ecs.rules.freeze import HOLDING
from moorage.ecs.rules.host.precedence import LEAD
from moorage.ecs.rules.task import ending
from moorage.ecs.rules.task.ending import Cause, length
from moorage.ground.instant import Instant, between, iso, seconds
from moorage.ground.record import Record

ID_LENGTH_SHOWN = 8
# Services start and stop tasks for a host that is lost or back within so long.
FOLLOWS_WITHIN = seconds(10)
_UNABLE = " was unable to place a task"
_LOSSES = {
    "silent": "it fell silent",
    "away": "its agent went away and stayed away",
    "engine": "its container engine is gone",
}


class Case(Record):
    """All that is known: of the task's past and, of its service and its host, the present.

    `host` is None where it is forgotten; `service` and `deployment` where there is none, or it is
    forgotten. `live` are the service's tasks that are not STOPPED, `events` its newest, newest
    first. `forgotten` says that the task itself was, and is shown as its post-mortem remembers it.
    `position` is where one that is PROVISIONING stands among those that wait for its provider.
    """

    task: Task
    now: Instant
    host: ContainerInstance | None = None
    service: Service | None = None
    deployment: ServiceDeployment | None = None
    post_mortem: PostMortem | None = None
    live: tuple[Task, ...] = ()
    events: tuple[ServiceEvent, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    forgotten: bool = False
    position: int | None = None


class Explanation(Record):
    """The chain, a sentence that sums it up, and the container whose output tells most."""

    headline: str
    causes: tuple[Cause, ...]
    container: str


def explain(case: Case) -> Explanation:
    """The chain of causes of one task."""
    chain = [*_beginning(case), *_events(case), *_course(case)]
    timed = sorted((one for one in chain if one.at is not None), key=lambda one: one.at or 0)
    untimed = [one for one in chain if one.at is None]
    return Explanation(
        headline=_headline(case),
        causes=(*timed, *untimed, *_next(case)),
        container=ending.mattered(case.task, case.post_mortem),
    )


# --- what it is ----------------------------------------------------------------------------------


def _headline(case: Case) -> str:
    task = case.task
    name = f"Task {task.id[:ID_LENGTH_SHOWN]} of {_whose(task)}"
    if task.is_stopped:
        code = ending.wanted_by(task).text.partition(". ")[0].removesuffix(".")
        return f"{name} is STOPPED. {code}."
    if task.desired_status == "STOPPED":
        return f"{name} is {task.last_status} and is being stopped."
    if task.connectivity == "DISCONNECTED":
        return f"{name} was {task.last_status} on {_host_name(case)}, which is out of reach."
    if task.last_status == "RUNNING":
        since = between(task.started_at or task.created_at, case.now)
        return f"{name} has been RUNNING on {_host_name(case)} for {length(since)}."
    waiting = length(between(task.created_at, case.now))
    if task.provisioning is not None:
        place = "" if case.position is None else f", at place {case.position} of those that do"
        return (
            f"{name} has waited {waiting} for room on the capacity provider "
            f"{task.capacity_provider}{place}. {task.provisioning.reason}"
        )
    return f"{name} is {task.last_status} on {_host_name(case)}, for {waiting} so far."


def _whose(task: Task) -> str:
    if task.service:
        return f"service {task.service.rpartition('/')[2]}"
    return f"{task.family}:{task.revision}, of no service"


def _host_name(case: Case) -> str:
    if not case.task.instance:
        return f"the capacity provider {case.task.capacity_provider}"
    if case.host is None:
        return f"host {case.task.instance.rpartition('/')[2][:ID_LENGTH_SHOWN]}"
    return f"host {case.host.name or case.host.id}"


def _beginning(case: Case) -> list[Cause]:
    task = case.task
    by = f"by deployment {task.deployment}" if task.service else "by RunTask or StartTask"
    causes = [
        Cause(
            text=f"It was made {by}, as {task.family}:{task.revision}, for {_host_name(case)}.",
            at=task.created_at,
        )
    ]
    if task.acknowledged_at is not None:
        causes.append(Cause(text="Its host took the order in.", at=task.acknowledged_at))
    if task.pull_started_at is not None:
        causes.append(
            Cause(text="Its host began to fetch what images it lacked.", at=task.pull_started_at)
        )
    if task.pull_stopped_at is not None and not _failed_pull(task):
        causes.append(Cause(text="The images were there.", at=task.pull_stopped_at))
    if task.started_at is not None:
        causes.append(Cause(text="Its containers ran: it was RUNNING.", at=task.started_at))
    return causes


def _failed_pull(task: Task) -> bool:
    return any((one.reason or "").startswith("CannotPull") for one in task.containers)


def _events(case: Case) -> list[Cause]:
    """The service's own sentences that name this task, and the host that was lost or back before."""
    named = [event for event in case.events if f"(task {case.task.id})" in event.message]
    before = [
        event
        for event in case.events
        if is_of_a_host(event.message)
        and any(0 <= between(event.created_at, one.created_at) <= FOLLOWS_WITHIN for one in named)
    ]
    return [
        Cause(text=f"The service said: {event.message}", at=event.created_at)
        for event in (*named, *before)
    ]


# --- what became of it ---------------------------------------------------------------------------


def _course(case: Case) -> list[Cause]:
    task = case.task
    causes = [*ending.healing_causes(case.post_mortem), *_loss(case)]
    if task.desired_status == "STOPPED" or task.is_stopped:
        causes.append(ending.wanted_by(task))
    if task.stop_acknowledged_at is not None:
        causes.append(
            Cause(text="Its host took the order to stop in.", at=task.stop_acknowledged_at)
        )
    if task.is_stopped:
        causes += ending.container_causes(task, case.post_mortem)
        causes.append(Cause(text="It was STOPPED.", at=task.stopped_at))
    return causes


def _loss(case: Case) -> list[Cause]:
    """That its host is lost now, or was while the task was there and has returned."""
    host = case.host
    if host is None:
        return []
    if host.lost_at is None or not _during(case, host.lost_at):
        return _past_losses(case, host)
    why = _LOSSES.get(host.loss or "", "it could not be reached")
    text = f"{_upper(_host_name(case))} counts as lost: {why}."
    if host.confirmed_at is not None:
        text += " Somebody confirmed that it will not come back with its tasks."
    return [Cause(text=text, at=host.lost_at)]


def _past_losses(case: Case, host: ContainerInstance) -> list[Cause]:
    causes = [
        Cause(text=f"{_upper(_host_name(case))} was lost, and the task was out of reach.", at=at)
        for at in host.losses
        if _during(case, at)
    ]
    back = host.connected_at
    if causes and back is not None and back > max(host.losses) and _during(case, back):
        causes.append(Cause(text=f"{_upper(_host_name(case))} was back.", at=back))
    return causes


def _during(case: Case, at: Instant) -> bool:
    """Whether that was in the life of the task."""
    end = case.task.stopped_at
    return case.task.created_at <= at <= (case.now if end is None else end)


# --- what comes next -----------------------------------------------------------------------------


def _next(case: Case) -> list[Cause]:
    """What is waited for, or what was done about it, as of now."""
    sentences = _STATES[_state(case.task)](case)
    if case.forgotten:
        sentences.append(
            "The server has forgotten the task itself, as it does with tasks that stopped long "
            "ago; this is what was kept with its post-mortem."
        )
    elif case.task.is_stopped and case.post_mortem is None and case.task.payload_sequence:
        sentences.append(
            "No post-mortem is kept of it: its host has not sent one (yet), runs another agent, "
            "or it was forgotten."
        )
    return [Cause(text=text) for text in sentences]


def _state(task: Task) -> str:
    if task.is_stopped:
        return "stopped"
    if task.desired_status == "STOPPED":
        return "stopping"
    return "running" if task.last_status == "RUNNING" else "pending"


def _stopped(case: Case) -> list[str]:
    task, service = case.task, case.service
    if not task.service:
        return ["It was of no service, so nothing takes its place. RunTask starts another one."]
    if service is None or service.status != "ACTIVE":
        return ["Its service was deleted, so nothing takes its place."]
    follower = _follower(case)
    if follower is not None:
        gap = length(between(task.stopped_at or follower.created_at, follower.created_at))
        when = f" {gap} later" if follower.created_at >= (task.stopped_at or 0) else " before"
        return [
            (
                f"The scheduler started task {follower.id[:ID_LENGTH_SHOWN]}{when}; it is "
                f"{follower.last_status}."
            )
        ]
    wanted = sum(one.desired_status == "RUNNING" for one in case.live)
    if wanted >= service.desired_count:
        return [f"The service has all the tasks that it wants: {service.desired_count}."]
    return _holds(case) or ["The scheduler has not started another one yet; it looks again soon."]


def _follower(case: Case) -> Task | None:
    """The oldest task that was started since this one was known to end."""
    since = case.task.stop_requested_at or case.task.stopped_at or case.task.created_at
    later = [
        one
        for one in case.live
        if one.created_at >= since and one.arn != case.task.arn and one.desired_status == "RUNNING"
    ]
    return min(later, key=lambda one: (one.created_at, one.arn), default=None)


def _holds(case: Case) -> list[str]:
    """Why the service starts nothing now."""
    service, found = case.service, []
    found += [
        f"Nothing is started now: it is frozen ({one.cause}: {one.reason}){_until(one.until)}."
        for one in case.freezes
        if one.cause in HOLDING
    ]
    if case.deployment is not None and case.deployment.has_ended_in_vain:
        found.append("Its deployment has failed, so that nothing more of it is started.")
    back = service.backoff if service is not None else None
    if back is not None and back.until is not None and back.until > case.now:
        wait = length(between(case.now, back.until))
        found.append(
            f"{back.failures} starts failed in a row: the scheduler tries again at "
            f"{iso(back.until)}, in {wait}."
        )
    unable = next((one for one in case.events if _UNABLE in one.message), None)
    if service is not None and service.waits_for_room and unable is not None:
        found.append(f"No host can take another one: {unable.message}")
    return found


def _until(until: Instant | None) -> str:
    return "" if until is None else f", until {iso(until)}"


def _stopping(case: Case) -> list[str]:
    if not _reachable(case):
        return [_out_of_reach(case), "It is told to stop when its host is back."]
    if case.task.stop_acknowledged_at is None:
        return ["The order to stop is on its way to the host."]
    waited = length(between(case.task.stop_acknowledged_at, case.now))
    return [f"Its containers have had {waited} to end since then, within their stopTimeout."]


def _running(case: Case) -> list[str]:
    task = case.task
    if not _reachable(case):
        return [_out_of_reach(case), *_meanwhile(task)]
    if task.health == "UNHEALTHY":
        return ["It is UNHEALTHY by its own health check: a service replaces it."]
    if task.has_health_check and task.health == "UNKNOWN":
        return ["Its health check has not given a verdict yet."]
    return ["Nothing is wrong with it that the server knows of."]


def _meanwhile(task: Task) -> list[str]:
    if task.fence_after is not None:
        return [
            (
                "Its host stops it by itself after "
                f"{length(task.fence_after)} without the server, since its service is fenced."
            )
        ]
    if task.heal_after is not None:
        return ["As long as the host lives, it runs the task on, and starts what ends again."]
    return ["As long as the host lives, it runs the task on."]


def _pending(case: Case) -> list[str]:
    task = case.task
    if not _reachable(case):
        return [_out_of_reach(case)]
    if not task.payload_sequence and case.host is not None and case.host.held_until is not None:
        return [f"Daemons go first there: it is sent when they run, or after {length(LEAD)}."]
    if task.acknowledged_at is None:
        return ["The order to run it is on its way to the host, which has not answered yet."]
    reasons = [f"{one.name}: {one.reason}." for one in task.containers if one.reason]
    if task.pull_started_at is not None and task.pull_stopped_at is None:
        return [*reasons, "Its host is fetching images."]
    waiting = [one.name for one in task.containers if one.last_status == "PENDING"]
    if waiting and len(waiting) < len(task.containers):
        return [*reasons, f"These containers wait to be started: {', '.join(waiting)}."]
    return [
        *reasons,
        (
            "Its host has the order, and has not said yet that all containers run: it may fetch "
            "images, or wait for containers that others depend on."
        ),
    ]


def _reachable(case: Case) -> bool:
    return case.host is not None and case.host.connected and case.host.lost_at is None


def _out_of_reach(case: Case) -> str:
    host = case.host
    if case.task.provisioning is not None:
        return (
            "It is placed as soon as a host of that provider has room. What keeps the pool from "
            "growing, if anything does: moorage pool"
        )
    if host is None:
        return "Its host is not known any more."
    name = _upper(_host_name(case))
    if host.connected:
        return f"{name} is connected and counts as lost: {_LOSSES['engine']}."
    if host.disconnected_at is None:
        return f"{name} has never been connected."
    return f"{name} has not been connected for {length(between(host.disconnected_at, case.now))}."


_STATES: Mapping[str, Callable[[Case], list[str]]] = {
    "stopped": _stopped,
    "stopping": _stopping,
    "running": _running,
    "pending": _pending,
}


def _upper(name: str) -> str:
    """A name at the beginning of a sentence."""
    return f"{name[:1].upper()}{name[1:]}"
