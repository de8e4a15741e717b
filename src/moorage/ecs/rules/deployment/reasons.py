"""Says why a service does not do what one would expect: what its lost and draining hosts hold."""

from collections.abc import Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.hosts import SOUND, loss_rule
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.protection import kept_back
from moorage.ecs.rules.deployment.rolling import percentages
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.host import avoidance
from moorage.ecs.rules.service_tags import ON_HOST_LOSS, wishes
from moorage.ground.record import evolve


def say_tags(ledger: Ledger) -> None:
    """Say which tags of the service mean nothing."""
    for tag in wishes(ledger.service.tags).ignored:
        ledger.say(events.ignored_tag, tag)


def say_holds(state: ServiceState, ledger: Ledger, census: Census) -> None:
    """Say why tasks on lost hosts are not replaced yet; of the brake, who sets it says it."""
    service, held = state.service.name, census.holds
    if "wait" in held:
        ledger.events.append(events.waits_for_host(service, held["wait"], _why(state)))
    if "fence" in held:
        ledger.events.append(events.fences(service, held["fence"], census.fenced_at))
    if "unfenced" in held:
        ledger.events.append(events.cannot_fence(service, held["unfenced"]))


def say_protected(state: ServiceState, ledger: Ledger, census: Census) -> None:
    """Say which tasks run on beyond what is wanted, because they are protected."""
    held = kept_back(state, census, ledger.now)
    if held:
        ledger.say(events.protected, *sorted(task.id for task in held))


def say_avoided(state: ServiceState, ledger: Ledger, stopped: Sequence[Task]) -> None:
    """Note on which hosts these tasks of the current deployment failed; say which are avoided.

    Of a daemon it is only noted, for its back-off: no other host could take its task.
    """
    service = ledger.service
    conditions = avoidance.conditions_of(service, state.conditions)
    verdict = avoidance.after(service.avoidance, state.current.id, stopped, conditions, ledger.now)
    ledger.service = evolve(service, avoidance=verdict.avoidance)
    said = () if service.scheduling_strategy == "DAEMON" else verdict.shunned
    for one in verdict.avoidance.hosts:
        if one.instance in said and one.avoided_until is not None:
            name = state.hosts.get(one.instance, SOUND).name or one.instance.rpartition("/")[2]
            within = avoidance.within_words(conditions)
            ledger.events.append(
                events.avoids(service.name, name, one.failures, within, one.avoided_until)
            )


def say_kept(state: ServiceState, ledger: Ledger, census: Census, kept: Sequence[Task]) -> bool:
    """Say that the percentages keep tasks on draining hosts, where nothing else is held up."""
    if not kept or len(kept) < len(census.leaving):
        return False
    names = sorted({state.host(task).name for task in kept})
    bounds = percentages(state.service.deployment_configuration)
    ledger.events.append(events.drain_without_leave(state.service.name, names, *bounds))
    return True


def _why(state: ServiceState) -> str:
    if loss_rule(state.service).tagged:
        return f"its tag {ON_HOST_LOSS} is wait"
    maximum = percentages(state.service.deployment_configuration)[1]
    return f"maximumPercent {maximum} lets it run no task too many"
