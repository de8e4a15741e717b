"""A service: decide, place and write, all in one transaction.

What `rules.deployment.reconcile` answers is carried out as it is; hosts are chosen by
`rules.placement.place` in the same transaction in which tasks are written, so that no host is
promised twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from moorage.acs.task_messages import CAPABILITY_OF_FENCING
from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_revision import RevisionImage, ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events as sentences
from moorage.ecs.rules.capacity.sharing import share
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.deployment.state import Plan, ServiceState, soonest
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.rules.host.avoidance import avoided
from moorage.ecs.rules.placement.constraint import FOLLOW_LOOK, follows
from moorage.ecs.rules.placement.explain import (
    CLUSTER,
    PROVIDER,
    closest_match,
    lacks_attribute,
    room_helps,
    sentence,
)
from moorage.ecs.rules.placement.place import Batch, Placements, Unplaced, place_around
from moorage.ecs.rules.placement.strategy import draws
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.rules.tags import task_tags
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ecs.store import (
    capacity,
    drafts,
    images,
    relocations,
    rollouts,
    service_deployments,
    service_events,
    service_revisions,
    service_states,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.store.view import cluster_view, promise
from moorage.ground.instant import Instant, hours, later
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller
from moorage.sql.transaction import Transaction

INACTIVE_KEPT = hours(24)
NUMBER_LIMIT = 2**32
_NOWHERE = Placements(chosen=(), unplaced=Unplaced(count=0))


class Decision(Record):
    """A plan, with the hosts that were found for what it starts.

    `look_again` is when hosts may answer otherwise of which nobody tells.
    """

    plan: Plan
    placed: Placements
    view: ClusterView | None
    wanting: dict[str, int] = {}
    look_again: Instant | None = None


@controller(kind="service", keys=services.every)
def deployments(turn: Turn, key: str) -> Instant | None:
    """Bring one service closer to what is asked of it; answers when time alone may change that."""
    tx = turn.tx
    service = services.get(tx, key)
    if service is None:
        return None
    if service.status == "INACTIVE":
        return _forget(tx, service)
    state = service_states.load(tx, turn.site, service)
    if state.daemon is not None:
        _let_others_follow(tx, state.daemon.view)
    decision = _decide(turn, state)
    plan = decision.plan
    after = plan.service or service
    revision = _keep_revision(turn, state, plan)
    _keep_deployments(tx, plan)
    _stop(tx, state, plan)
    started = _start(turn, decision, after, revision)
    draft = partial(_draft, tx, after, revision, state.current.id)
    moved = relocations.follow(turn, state, plan, after, draft)
    _judge(tx, state, plan)
    _release_images(tx, state)
    said = [
        *plan.events,
        *([sentences.started(after.name, [task.id for task in started])] if started else []),
        *_all_the_same(turn, decision, evolve(state, service=after)),
        *_unplaced(after, decision),
        *moved.said,
    ]
    after = evolve(
        moved.service,
        events_written=_say(tx, service, said),
        waits_for_room=_wanting(decision),
        wanting=decision.wanting,
    )
    if after.status == "INACTIVE":
        after = evolve(after, deleted_at=turn.now)  # from here on it stays describable for a day
    if after != service:
        services.note(tx, after)
    if after.wanting != service.wanting:
        capacity.wake_pools(tx, after, {**after.wanting, **service.wanting})
    if after.status == "INACTIVE":
        return _forget(tx, after)
    return soonest([plan.look_again, decision.look_again])


def _let_others_follow(tx: Transaction, view: ClusterView) -> None:
    """Hosts where others wait for daemons look again: one may run now, or have stopped."""
    for arn, load in view.hosts.items():
        if load.instance.held_until is not None:
            tx.wake("instance", arn)


def _decide(turn: Turn, state: ServiceState) -> Decision:
    """Ask the rules, find hosts, and ask again where there are fewer than wanted.

    The view of the cluster is only made where it is needed: most turns start nothing.
    """
    plan = reconcile(state, turn.now)
    if state.daemon is not None:
        return Decision(plan=plan, placed=plan.placed or _NOWHERE, view=state.daemon.view)
    view: ClusterView | None = None
    if plan.stop and state.service.placement_strategy:
        view = cluster_view(turn.tx, state.service.cluster_arn)
        plan = reconcile(state, turn.now, view)
    count = plan.relies_on
    if not count:
        return Decision(plan=plan, placed=_NOWHERE, view=view)
    view = view or cluster_view(turn.tx, state.service.cluster_arn)
    judged = evolve(state, service=plan.service or state.service)
    batch = _batch(turn, judged, count)
    placed, wanting = _place(judged, view, batch)
    look: Instant | None = None
    if placed.unplaced.count:
        limited = evolve(
            state, placeable=len(placed.chosen), room_helps=room_helps(placed.unplaced)
        )
        asked, plan = plan, reconcile(limited, turn.now, view)
        if _moves(plan) == _moves(asked):
            # What was to leave a drained host without a place elsewhere stays there, and others of
            # the service make room in its stead: nothing is wanting.
            return Decision(plan=plan, placed=evolve(placed, unplaced=_NOWHERE.unplaced), view=view)
        look = later(turn.now, FOLLOW_LOOK) if follows(batch.wants) else None
    return Decision(plan=plan, placed=placed, view=view, wanting=wanting, look_again=look)


def _moves(plan: Plan) -> tuple[int, int]:
    """How many tasks start, and how many stop."""
    return sum(order.count for order in plan.start), len(plan.stop)


def _batch(turn: Turn, state: ServiceState, count: int) -> Batch:
    """So many tasks of the current deployment."""
    service = state.service
    definition = task_definitions.needed(turn.tx, service, state.current.task_definition)
    strategies = tuple(service.placement_strategy)
    numbers = tuple(turn.chance.below(NUMBER_LIMIT) for _ in range(count))
    return Batch(
        wants=wants_of_service(service, definition.definition, state.current.id, turn.now),
        count=count,
        strategies=strategies,
        numbers=numbers if draws(strategies) else (),
        counted=_staying(state),
    )


def _place(
    state: ServiceState, view: ClusterView, batch: Batch
) -> tuple[Placements, dict[str, int]]:
    """Hosts for a batch; and for how many of it each capacity provider had none."""
    service = state.service
    if not service.capacity_provider_strategy:
        return place_around(batch, view), {}
    counted = Counter(task.capacity_provider for task in state.tasks if _stays(state, task))
    shared = share(batch, service.capacity_provider_strategy, counted, view, place_around)
    return shared.placed, shared.wanting


def _staying(state: ServiceState) -> Mapping[str, int]:
    """How many tasks of the current deployment each host has: what stays is to be balanced."""
    return Counter(task.instance for task in state.tasks if _stays(state, task))


def _stays(state: ServiceState, task: Task) -> bool:
    return (
        task.deployment == state.current.id
        and task.desired_status == "RUNNING"
        and not task.is_stopped
    )


def _wanting(decision: Decision) -> bool:
    return decision.placed.unplaced.count > 0 or decision.plan.awaits_tasks


def _all_the_same(turn: Turn, decision: Decision, state: ServiceState) -> Sequence[str]:
    """What is said of tasks that start on hosts that the service avoids."""
    shunned = avoided(state.service, state.current.id, turn.now)
    count = sum(order.count for order in decision.plan.start)
    if decision.view is None or not shunned:
        return ()
    taken = sorted(set(decision.placed.chosen[:count]).intersection(shunned))
    hosts = [decision.view.hosts[arn].instance for arn in taken]
    return [sentences.not_avoided(state.service.name, one.name or one.id) for one in hosts]


def _unplaced(service: Service, decision: Decision) -> Sequence[str]:
    """What is said of tasks for which there is no host: one sentence, where it is one trouble."""
    name, unplaced = service.name, decision.placed.unplaced
    draining = decision.plan.kept_by_drain
    if not unplaced.count:
        return ()
    among = PROVIDER if service.capacity_provider_strategy else CLUSTER
    if draining:
        said = sentences.drain_without_room(name, draining, closest_match(unplaced, among))
    else:
        said = sentence(name, unplaced, among)
    if lacks_attribute(unplaced, CAPABILITY_OF_FENCING):
        return said, sentences.no_host_fences(name)
    return (said,)


def _keep_revision(turn: Turn, state: ServiceState, plan: Plan) -> ServiceRevision:
    """The primary's revision, pinned by what was learned; new digests are claimed."""
    if plan.revision is None:
        _claim_unpinned(turn, state)
        return state.revision
    service_revisions.put(turn.tx, plan.revision)
    images.claim(turn.tx, turn.site.names, state.service, plan.revision.arn, plan.revision.images)
    return plan.revision


def _claim_unpinned(turn: Turn, state: ServiceState) -> None:
    """Images that are never pinned (versionConsistency disabled): what their tasks found is used."""
    revision = state.revision
    unpinned = {one.container_name for one in revision.images if one.digest is None}
    if not unpinned:
        return
    found = {
        (one.name, one.image_digest): RevisionImage(
            container_name=one.name, image=one.image, digest=one.image_digest
        )
        for task in state.tasks
        if task.service_revision == revision.arn
        for one in task.containers
        if one.name in unpinned and one.image_digest
    }
    images.claim(turn.tx, turn.site.names, state.service, revision.arn, found.values())


def _keep_deployments(tx: Transaction, plan: Plan) -> None:
    for deployment in plan.deployments:
        service_deployments.put(tx, deployment)


def _stop(tx: Transaction, state: ServiceState, plan: Plan) -> None:
    by_arn = {task.arn: task for task in state.tasks}
    for order in plan.stop:
        task = by_arn[order.task]
        stopping = ask_to_stop(task, order.code, order.reason, tx.now)
        if stopping != task:
            tasks.write(tx, stopping)


def _start(
    turn: Turn, decision: Decision, service: Service, revision: ServiceRevision
) -> Sequence[Task]:
    """Promise the hosts and write the tasks of the (one) deployment that starts some."""
    tx, view = turn.tx, decision.view
    count = sum(order.count for order in decision.plan.start)
    chosen = decision.placed.chosen[:count]
    if view is None or not chosen:
        return ()
    promise(tx, view, chosen)
    if service.scheduling_strategy == "DAEMON":
        tx.wake("cluster", service.cluster_arn)  # some want to be where the daemon is
    by_strategy = chosen if service.capacity_provider_strategy else ()
    draft = evolve(
        _draft(tx, service, revision, decision.plan.start[0].deployment),
        providers={arn: view.hosts[arn].instance.capacity_provider for arn in by_strategy},
    )
    return drafts.start(tx, draft, [(arn, view.hosts[arn].instance.zone) for arn in chosen])


def _draft(
    tx: Transaction, service: Service, revision: ServiceRevision, deployment: str
) -> drafts.Draft:
    """What all tasks of one deployment have in common."""
    definition = task_definitions.needed(tx, service, revision.task_definition)
    inherited = {"TASK_DEFINITION": definition.tags, "SERVICE": service.tags}
    managed = service.enable_ecs_managed_tags
    return drafts.Draft(
        account=service.account,
        region=service.region,
        cluster=service.cluster,
        definition=definition,
        group=f"service:{service.name}",
        launch_type=service.launch_type or "EC2",
        started_by=deployment,
        service=service.arn,
        deployment=deployment,
        service_revision=revision.arn,
        images=revision.images,
        enable_execute_command=service.enable_execute_command,
        tags=task_tags(
            (),
            inherited.get(service.propagate_tags, []),
            cluster=service.cluster if managed else "",
            service=service.name if managed else "",
        ),
    )


def _judge(tx: Transaction, state: ServiceState, plan: Plan) -> None:
    by_arn = {task.arn: task for task in state.tasks}
    for arn in plan.judged:
        tasks.note(tx, evolve(by_arn[arn], judged=True))
    for arn in plan.unlinked:
        tasks.note(tx, evolve(by_arn[arn], replaces=""))


def _release_images(tx: Transaction, state: ServiceState) -> None:
    """Let go of the images of revisions that have left, whose tasks are gone on every host."""
    service = state.service.arn
    claimed = service_revisions.claimed_of_service(tx, service)
    if len(claimed) <= 1:
        return
    kept = {one.revision for one in service_deployments.open_of_service(tx, service)}
    completed = service_deployments.last_completed(tx, service)
    kept |= {completed.revision} if completed else set()
    kept |= {task.service_revision for task in state.tasks if not task.is_stopped}
    for revision in claimed:
        if revision.arn not in kept:
            images.release(tx, revision.arn)
            service_revisions.put(tx, evolve(revision, claimed=False))


def _say(tx: Transaction, service: Service, said: Iterable[str]) -> int:
    """Write the sentences that are not muted; answers how many the service has had by now."""
    number = service.events_written
    spoken = list(said)
    if not spoken:
        return number
    recent = service_events.newest(tx, service.arn)
    for message in sentences.admitted(spoken, recent, tx.now):
        number += 1
        service_events.append(
            tx,
            ServiceEvent(
                service=service.arn,
                number=number,
                id=drafts.uuid_of(tx.chance),
                created_at=tx.now,
                message=message,
            ),
        )
    return number


def _forget(tx: Transaction, service: Service) -> Instant | None:
    """Let an INACTIVE service's images go at once, and all that is known of it a day later."""
    for revision in service_revisions.claimed_of_service(tx, service.arn):
        images.release(tx, revision.arn)
        service_revisions.put(tx, evolve(revision, claimed=False))
    until = later(service.deleted_at or tx.now, INACTIVE_KEPT)
    if tx.now < until:
        return until
    rollouts.forget_service(tx, service)
    services.delete(tx, service)
    return None
