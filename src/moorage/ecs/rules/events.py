"""Every sentence of service events, and which of them are said again."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.container_instance import Loss
from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.service_deployment import PauseHook
from moorage.ground.instant import Duration, Instant, between, hours, iso

EVENTS_MAX = 100
MUTED_FOR: Duration = hours(6)
IDS_SHOWN_MAX = 20
HELD = "replaces no task of a lost host for now"
_LOSSES: Mapping[Loss | None, str] = {
    None: "it is out of reach",
    "silent": "nothing is heard of it any more",
    "away": "its agent has gone and has not come back",
    "engine": "its container engine is gone",
}


def started(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has started N tasks: (task ID) (task ID).`."""
    return f"(service {service}) has started {len(task_ids)} tasks: {_shown(task_ids)}."


def stopped(service: str, task_ids: Sequence[str]) -> str:
    """`(service X) has stopped N running tasks: (task ID).`."""
    return f"(service {service}) has stopped {len(task_ids)} running tasks: {_shown(task_ids)}."


def unhealthy(service: str, task_id: str) -> str:
    """`(service X) (task ID) failed container health checks.`."""
    return f"(service {service}) (task {task_id}) failed container health checks."


def steady(service: str) -> str:
    """`(service X) has reached a steady state.`."""
    return f"(service {service}) has reached a steady state."


def deployment_completed(service: str, deployment: str) -> str:
    """`(service X) (deployment ecs-svc/N) deployment completed.`."""
    return f"(service {service}) (deployment {deployment}) deployment completed."


def deployment_failed(service: str, deployment: str, why: str = "tasks failed to start") -> str:
    """`(service X) (deployment ecs-svc/N) deployment failed: tasks failed to start.`."""
    return f"(service {service}) (deployment {deployment}) deployment failed: {why}."


def rolling_back(service: str, deployment: str) -> str:
    """`(service X) rolling back to deployment ecs-svc/N.`."""
    return f"(service {service}) rolling back to deployment {deployment}."


def inconsistent(service: str) -> str:
    """`(service X) is unable to consistently start tasks successfully.`."""
    return f"(service {service}) is unable to consistently start tasks successfully."


def stuck(service: str) -> str:
    """No move is possible within the deployment's percentages."""
    return (
        f"(service {service}) was unable to stop or start tasks during a deployment because of the "
        "service deployment configuration. Update the minimumHealthyPercent or maximumPercent "
        "value and try again."
    )


def protected(service: str, *task_ids: str) -> str:
    """Tasks run on although a scale-in or a deployment would stop them."""
    return (
        f"(service {service}) does not stop {len(task_ids)} tasks that it no longer wants, because "
        f"they are protected from scale-in: {_shown(task_ids)}. They stop when their protection "
        "expires or is ended (UpdateTaskProtection)."
    )


def waits_for_host(service: str, hosts: Sequence[str], why: str) -> str:
    """A service that must not run a task too many waits for lost hosts; `why` says by what rule."""
    return (
        f"(service {service}) waits for its tasks on lost hosts ({', '.join(hosts)}) and starts none "
        f"in their place, because {why}. Bring the hosts back, or say which are gone for good: "
        "moorage host confirm-lost HOST."
    )


def fences(service: str, hosts: Sequence[str], at: Instant | None) -> str:
    """Tasks on lost hosts are replaced once their agents must have stopped them."""
    when = "" if at is None else f", at {iso(at)}"
    return (
        f"(service {service}) replaces its tasks on lost hosts ({', '.join(hosts)}) once they are "
        f"fenced{when}."
    )


def cannot_fence(service: str, hosts: Sequence[str]) -> str:
    """Tasks that are to be fenced are on lost hosts that do not stop them."""
    return (
        f"(service {service}) starts no tasks in place of those on lost hosts ({', '.join(hosts)}), "
        "because nobody fences them there: the container engine is gone, or the task was started "
        "before the tag moorage:fence was set. Bring the hosts back, or say which are gone for "
        "good: moorage host confirm-lost HOST."
    )


def no_host_fences(service: str) -> str:
    """No host that is left can fence."""
    return (
        f"(service {service}) is tagged moorage:fence=true, so only hosts with the attribute "
        "moorage.capability.fence can take its tasks."
    )


def drain_without_room(service: str, hosts: Sequence[str], closest: str) -> str:
    """Tasks stay on draining hosts, because nothing else can take their replacements."""
    return (
        f"(service {service}) keeps its tasks on draining hosts ({', '.join(hosts)}), because no "
        f"other container instance can take their replacements. {closest}"
    )


def drain_without_leave(service: str, hosts: Sequence[str], minimum: int, maximum: int) -> str:
    """Tasks stay on draining hosts, because the percentages allow neither a start nor a stop."""
    return (
        f"(service {service}) keeps its tasks on draining hosts ({', '.join(hosts)}), because "
        f"minimumHealthyPercent {minimum} and maximumPercent {maximum} allow neither to start "
        "another task nor to stop one. Lower the one or raise the other."
    )


def ignored_tag(service: str, tag: str) -> str:
    """A tag of ours has a value that means nothing."""
    return f"(service {service}) ignores its tag {tag}."


def frozen(service: str, until: str, reason: str) -> str:
    """A freeze holds the service now; `until` says for how long."""
    return (
        f'(service {service}) is frozen {until} ("{reason}"): nothing of it is started, stopped or '
        "replaced."
    )


def waits_for_thaw(service: str, until: str) -> str:
    """The service was changed while it is frozen."""
    return f"(service {service}) was changed and is frozen {until}: the change takes effect then."


def thawed(service: str) -> str:
    """No freeze holds the service any more."""
    return f"(service {service}) is no longer frozen."


def rollout_in_progress(deployment: str, failures: int = 0, until: Instant | None = None) -> str:
    """The rolloutStateReason of a deployment under way; after failed starts, when the next try is."""
    start = f"ECS deployment {deployment} in progress."
    if until is None:
        return start
    return f"{start} {failures} starts failed in a row; the next try is at {iso(until)}."


def rollout_completed(deployment: str) -> str:
    """The rolloutStateReason of a deployment that is done."""
    return f"ECS deployment {deployment} completed."


def paused(service: str, deployment: str, hook: PauseHook) -> str:
    """A deployment waits at a PAUSE hook; what ends that."""
    return (
        f"(service {service}) (deployment {deployment}) is paused at {hook.stage} by the lifecycle "
        f"hook {hook.id}. Call ContinueServiceDeployment to continue or to roll back; at "
        f"{iso(hook.expires_at)} follows {hook.timeout_action}."
    )


def rollout_paused(deployment: str, hook: PauseHook) -> str:
    """The rolloutStateReason of a deployment that waits at a PAUSE hook."""
    return (
        f"ECS deployment {deployment} is paused at {hook.stage} by the lifecycle hook {hook.id}; "
        f"at {iso(hook.expires_at)} follows {hook.timeout_action}."
    )


def rollout_failed(deployment: str, why: str = "tasks failed to start") -> str:
    """The rolloutStateReason of a deployment that failed."""
    return f"ECS deployment {deployment} failed: {why}."


def rollout_rolling_back(deployment: str, by: str = "circuit breaker") -> str:
    """The rolloutStateReason of the deployment that is gone back to, and by what."""
    return f"ECS deployment {by}: rolling back to deploymentId {deployment}."


def host_lost(service: str, host: str, tasks: int, why: Loss | None) -> str:
    """A host is lost with tasks of the service; what follows is said by what follows."""
    return f"(service {service}) lost the host {host} with {tasks} of its tasks: {_LOSSES[why]}."


def host_returned(service: str, host: str, tasks: int) -> str:
    """A lost host is back with tasks of the service; those that are too many will be stopped."""
    return f"(service {service}) the host {host} is back with {tasks} of its tasks."


def is_of_a_host(sentence: str) -> bool:
    """Whether a sentence tells that a host is lost or back: it is why what follows happened."""
    return ") lost the host " in sentence or " is back with " in sentence


def replacement_held(service: str, reason: str, until: Instant) -> str:
    """Too many hosts of the cluster were lost at once (`rules.host.brake`); what to do."""
    return (
        f"(service {service}) {HELD}: {reason}, and what they run probably runs on. It goes on "
        "when hosts return, for each host that you confirm as lost (moorage host confirm-lost "
        f"NAME), or by itself, one host after another, from {iso(until)} on."
    )


def replacement_resumed(service: str, lost: int, hosts: int) -> str:
    """The brake has let go: enough hosts are back, or were confirmed lost."""
    return (
        f"(service {service}) replaces tasks of lost hosts again: {lost} of {hosts} hosts of the "
        "cluster are still lost."
    )


def replacement_paced(service: str, host: str) -> str:
    """The brake's time is over: the lost hosts are replaced one after another."""
    return (
        f"(service {service}) waited long enough for the lost host {host}: its tasks are replaced "
        "now, and those of the other lost hosts one host after another."
    )


def avoids(service: str, host: str, failures: int, within: str, until: Instant) -> str:
    """Too many tasks of the service failed on a host; `within` is a length of time in words."""
    return (
        f"(service {service}) avoids the host {host} until {iso(until)}, where another can take its "
        f"tasks: {failures} of them failed there within {within}."
    )


def not_avoided(service: str, host: str) -> str:
    """An avoided host takes a task after all."""
    return (
        f"(service {service}) starts a task on the host {host}, which it avoids, because no other "
        "container instance can take it."
    )


def drain_forced(service: str, host: str, task_ids: Sequence[str]) -> str:
    """A drain's deadline has passed, and the tasks that were left are stopped."""
    return (
        f"(service {service}) the deadline of the drain of the host {host} has passed: "
        f"{len(task_ids)} tasks are stopped although too few healthy ones have replaced them: "
        f"{_shown(task_ids)}."
    )


def drain_abandoned(service: str, host: str, left: int) -> str:
    """A drain's deadline has passed, and the host is taken back."""
    return (
        f"(service {service}) the deadline of the drain of the host {host} has passed with {left} "
        "tasks of services left on it: it is ACTIVE again and keeps them. Make room elsewhere, or "
        "lower minimumHealthyPercent, and drain it again."
    )


def healed(service: str, task_id: str, times: int, exit_code: int | None) -> str:
    """A host started ended containers of a task again while it could not reach the server."""
    how = "" if exit_code is None else f"; the last of them had ended with exit code {exit_code}"
    again = "once" if times == 1 else f"{times} times"
    return (
        f"(service {service}) (task {task_id}) its host started ended containers again {again} "
        f"while it could not reach the server{how}. The task never stopped."
    )


def admitted(sentences: Sequence[str], recent: Sequence[ServiceEvent], now: Instant) -> list[str]:
    """The sentences that are said: the same one is muted for 6 h, or until its cause is gone.

    `recent` are the service's newest events, the newest first. A steady state ends every trouble:
    what was said before it may be said again; it is said again itself once anything has happened
    since, or after 6 h.
    """
    said: list[str] = []
    for sentence in sentences:
        if sentence not in said and not _muted(sentence, recent, now, fresh=bool(said)):
            said.append(sentence)
    return said


def _muted(sentence: str, recent: Sequence[ServiceEvent], now: Instant, *, fresh: bool) -> bool:
    if _is_steady(sentence):
        newest = recent[0] if recent and not fresh else None
        return newest is not None and newest.message == sentence and _lately(newest, now)
    for event in recent[:EVENTS_MAX]:
        if _is_steady(event.message) or not _lately(event, now):
            return False
        if event.message == sentence:
            return True
    return False


def _is_steady(sentence: str) -> bool:
    return sentence.endswith(" has reached a steady state.")


def _lately(event: ServiceEvent, now: Instant) -> bool:
    return between(event.created_at, now) < MUTED_FOR


def _shown(task_ids: Sequence[str]) -> str:
    shown = " ".join(f"(task {identity})" for identity in task_ids[:IDS_SHOWN_MAX])
    more = len(task_ids) - IDS_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown
