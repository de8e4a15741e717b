"""The moves that were planned for a service, begun in its own turn, in one transaction.

Only a service that is steady, and stays so, begins them: its rules have just said that there is
nothing else to do. A successor starts on the host that the plan names, if that can still take it.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from moorage.ecs.records.rebalancing import Relocation
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules import rebalancing_events as sentences
from moorage.ecs.rules.deployment.state import Plan, ServiceState
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.rules.placement.place import place_on
from moorage.ecs.rules.placement.view import ClusterView, cluster_view
from moorage.ecs.rules.rebalancing.case import at_once, movable
from moorage.ecs.rules.rebalancing.field import why_closed
from moorage.ecs.rules.rebalancing.mode import mode_of
from moorage.ecs.store import container_instances, drafts, rebalances, tasks
from moorage.ecs.store.view import for_others, promise
from moorage.ground.instant import Duration, later, minutes
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Turn

# Where a plan could not be begun, the next one waits so long.
REST_AFTER_REFUSAL: Duration = minutes(1)


class Begun(Record):
    """The service after its turn, and what is to be said of the moves that began."""

    service: Service
    said: tuple[str, ...] = ()


def follow(
    turn: Turn, state: ServiceState, plan: Plan, service: Service, draft: Callable[[], drafts.Draft]
) -> Begun:
    """Begin what is planned, and let the cluster be looked at where this turn may have changed it.

    `state` is what the turn began with, `service` what it has made of it; `draft` what successors
    have in common with all tasks that start now.
    """
    if not turn.site.rebalance_moves_max:
        return Begun(service=service)
    if service.status != "ACTIVE":
        if service.status == "INACTIVE":  # what it held is free
            rebalances.wake(turn.tx, service.cluster_arn)
        return Begun(service=service)
    mode = _wish(service, turn.site.rebalance_moves_max)
    if mode != "off" and _changes_balance(state.service, service, mode):
        rebalances.wake(turn.tx, service.cluster_arn)
    if mode != service.rebalancing.mode:
        service = evolve(service, rebalancing=evolve(service.rebalancing, mode=mode))
    if mode == "off" and service.rebalancing.since is not None:  # nobody looks at it any more
        over = evolve(service.rebalancing, since=None, zones=False)
        service = evolve(service, rebalancing=over)
    planned = service.rebalancing.planned
    if not planned:
        return Begun(service=service)
    service = evolve(service, rebalancing=evolve(service.rebalancing, planned=()))
    sound = _sound(turn, state, plan, service, planned)
    return _begin(turn, state, service, sound, draft()) if sound else _refused(turn, service)


def _wish(service: Service, moves_max: int) -> str:
    """What it wants of rebalancing: off too where its percentages let nothing of it move."""
    return mode_of(service).name if at_once(service, moves_max) > 0 else "off"


def _changes_balance(before: Service, after: Service, mode: str) -> bool:
    """Whether a service has become steady or was thawed, or wants something else than it did."""
    settled = after.steady_at is not None and after.steady_at != before.steady_at
    thawed = before.frozen_at is not None and after.frozen_at is None
    return settled or thawed or mode != after.rebalancing.mode


def _refused(turn: Turn, service: Service) -> Begun:
    """Nothing of the plan can begin: the cluster is looked at anew, though not at once."""
    rest = later(turn.now, REST_AFTER_REFUSAL)
    rebalances.wake(turn.tx, service.cluster_arn)
    return Begun(service=evolve(service, rebalancing=evolve(service.rebalancing, rest_until=rest)))


def _sound(
    turn: Turn, state: ServiceState, plan: Plan, service: Service, planned: Sequence[Relocation]
) -> Sequence[tuple[Relocation, Task]]:
    """The planned moves that can begin now; none where the service has anything else to do."""
    busy = plan.start or plan.stop or plan.relies_on or state.freeze is not None
    if busy or service.steady_at is None or mode_of(service).name == "off":
        return ()
    known = {task.arn: task for task in state.tasks}
    found = [
        (one, task)
        for one in planned
        if (task := known.get(one.task)) is not None
        and movable(task, turn.now)
        and task.deployment == state.current.id
    ]
    return found[: max(0, at_once(service, turn.site.rebalance_moves_max))]


def _begin(
    turn: Turn,
    state: ServiceState,
    service: Service,
    moves: Sequence[tuple[Relocation, Task]],
    draft: drafts.Draft,
) -> Begun:
    """Start a successor for each move whose host can take it; the moved tasks run on meanwhile."""
    tx = turn.tx
    targets, cluster = sorted({one.instance for one, _ in moves}), service.cluster_arn
    view = _targets(turn, cluster, targets)
    definition = draft.definition.definition
    wants = wants_of_service(service, definition, state.current.id, turn.now)
    said: list[str] = []
    begun: list[Relocation] = []
    for one, task in moves:
        if not place_on(wants, (one.instance,), view).chosen:
            continue
        load = view.hosts[one.instance]
        promise(tx, view, (one.instance,))
        successor_draft = evolve(
            draft,
            replaces=task.arn,
            providers={one.instance: task.capacity_provider},
        )
        (successor,) = drafts.start(tx, successor_draft, [(one.instance, load.instance.zone)])
        view = _targets(turn, cluster, targets)
        begun.append(one)
        said += _words(service, one, task, successor)
    if not begun:
        return _refused(turn, service)
    tx.wake("service", service.arn)  # which looks at its successors from now on
    known = service.rebalancing
    first = known.since is None or not known.zones
    if any(one.kind == "zone" for one in begun) and first:
        said.insert(0, sentences.not_zone_balanced(service.name, _zones(state, begun, view)))
    known = evolve(
        known,
        since=known.since or turn.now,
        zones=known.zones or any(one.kind == "zone" for one in begun),
    )
    return Begun(service=evolve(service, rebalancing=known, steady_at=None), said=tuple(said))


def _words(service: Service, one: Relocation, task: Task, successor: Task) -> list[str]:
    moving = sentences.moving(service.name, task.id, one.why, successor.id)
    if one.kind != "zone":
        return [moving]
    return [sentences.zone_started(service.name, successor.zone, successor.id), moving]


def _targets(turn: Turn, cluster: str, arns: Sequence[str]) -> ClusterView:
    """The hosts that are moved to, as placement sees them: those alone that take tasks now."""
    hosts = container_instances.named(turn.tx, arns)
    whole = cluster_view(hosts.values(), tasks.live_of_instances(turn.tx, arns))
    view = for_others(turn.tx, cluster, whole)
    ready = {
        arn: load for arn, load in view.hosts.items() if not why_closed(load, Duration(0), turn.now)
    }
    return ClusterView(ready)


def _zones(
    state: ServiceState, begun: Sequence[Relocation], view: ClusterView
) -> list[tuple[str, int]]:
    """How many tasks each zone had before; the zones that are moved to as well."""
    counts = Counter[str]({view.hosts[one.instance].instance.zone: 0 for one in begun})
    counts.update(
        task.zone
        for task in state.tasks
        if not task.is_stopped and task.desired_status == "RUNNING"
    )
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
