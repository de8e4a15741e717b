"""I4: when faults and users have stopped, what is desired runs, within a bound, and goes on running.

The bound is CALM_SECONDS after the last fault, and longer only for as long as a written rule says
so: a service that waits with its next start (`StartBackoff`), a host that is rested because it
flapped, a wave that the brake holds, a hook, a task that waits for room, a pool that grows or
shrinks, tasks that move to other hosts. While one does, there is one more of its service, which is
right; at first rest nothing moves any more.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.rolling import lower_limit, percentages, upper_limit
from moorage.ground.instant import Instant, later, seconds
from moorage.sim.laws.moves import under_way
from moorage.sim.laws.pauses import awaiting
from moorage.sim.laws.placement import means, takes_tasks

if TYPE_CHECKING:
    from moorage.sim.scene import Scene

LAW = "I4 calm"
CALM_SECONDS = 240.0
CALM_SECONDS_MAX = 2400.0
SLACK_SECONDS = 90.0


def is_at_rest(scene: "Scene") -> bool:
    """Whether services, tasks, containers and pools agree."""
    return next(astray(scene), None) is None


def is_moving(scene: "Scene") -> bool:
    """Whether a task is on its way to another host, or a pool is about to shrink.

    Until both have come to an end there is no rest. Later either may begin anew: hosts that are even
    may be made more so, and a host of the pool from which the last task moved is let go.
    """
    live = scene.plane.sight.live
    known = {task.arn for task in live}
    shrinks = any(pool.low_since is not None for pool in scene.plane.sight.pools)
    return shrinks or any(task.replaces in known for task in live)


def astray(scene: "Scene") -> Iterator[str]:
    """In what they differ."""
    if not scene.users.is_tidy:
        yield "the users have not done what they wanted"
    live = scene.plane.sight.live
    known = {task.arn for task in live}
    # Until what has moved is gone, whether it was told to stop already or not.
    successors = [task for task in live if task.replaces in known]
    moving = {arn for task in successors for arn in (task.arn, task.replaces)}
    for service in scene.plane.sight.services:
        if service.status != "ACTIVE":
            continue
        tasks = [task for task in live if task.service == service.arn]
        extra = sum(task.service == service.arn for task in successors)
        yield from _service(scene, service, tasks, extra)
        if service.scheduling_strategy == "DAEMON":
            yield from _daemon(scene, service, tasks)
    yield from _machines(scene, live, moving)
    yield from _pools(scene)
    for freeze in scene.plane.sight.tables["freezes"].values():
        yield f"{freeze.service or freeze.cluster} is frozen"
    for task in live:
        if scene.machine_of(task.instance) is None and task.instance:
            yield f"{task.arn} is on a host that no machine is"
        is_right = task.last_status == task.desired_status == "RUNNING"
        if not is_right and task.arn not in moving:
            yield f"{task.arn} is {task.last_status}, and to be {task.desired_status}"


def _service(scene: "Scene", service: Service, tasks: list[Task], extra: int) -> Iterator[str]:
    desired = service.desired_count
    running = [task for task in tasks if task.last_status == task.desired_status == "RUNNING"]
    too_few = len(running) == len(tasks) < desired
    if not desired <= len(running) <= len(tasks) <= desired + extra and not (
        too_few and _is_cramped(scene, service)
    ):
        yield (
            f"{service.name} wants {desired}, and has {len(running)} running of {len(tasks)} tasks"
        )
    least, most = percentages(service.deployment_configuration)
    # Where the percentages leave no room to move (100 % of one task), no task is ever replaced.
    if lower_limit(desired, least) >= upper_limit(desired, most):
        return
    wrong = [task for task in running if task.task_definition != service.task_definition]
    old = [task for task in running if task.deployment != service.deployment]
    if not wrong and old and _is_rolling(scene, service):
        yield f"{service.name} runs {len(old)} tasks of another deployment"
    # Nor where the hosts leave none, and none may stop first.
    if wrong and not (len(running) <= lower_limit(desired, least) and _is_cramped(scene, service)):
        yield f"{service.name} runs {len(wrong)} tasks of another definition"


def _is_rolling(scene: "Scene", service: Service) -> bool:
    """Whether the newest deployment still replaces tasks of others."""
    known = scene.plane.sight.deployments(service.arn)
    return any(
        one.id == service.deployment and one.rollout_state == "IN_PROGRESS" for one in known
    ) and not _is_cramped(scene, service)


def _is_cramped(scene: "Scene", service: Service) -> bool:
    """Whether no host is left for one more task, for good.

    A port of the host that it needs is taken on each; or each has one, and they share none.
    """
    books = scene.plane.sight
    if service.scheduling_strategy == "DAEMON" or books.tables["freezes"]:
        return False
    known = books.definition(service.task_definition)
    containers = (known.definition.container_definitions or ()) if known is not None else ()
    ports = {
        one.host_port for each in containers for one in each.port_mappings or () if one.host_port
    }
    alone = any(one.type == "distinctInstance" for one in service.placement_constraints)
    taken = {
        task.instance
        for task in books.live
        if ports.intersection(task.reserved.ports) or (alone and task.service == service.arn)
    }
    return (alone or bool(ports)) and {
        host.arn for host in books.instances if takes_tasks(host)
    } <= taken


def _daemon(scene: "Scene", service: Service, tasks: list[Task]) -> Iterator[str]:
    """One on each host where it belongs, and none on any other."""
    counts = Counter(task.instance for task in tasks)
    for host in scene.plane.sight.instances:
        if host.status != "ACTIVE":
            continue
        belongs = means(service, host)
        if counts[host.arn] > belongs or (belongs and not counts[host.arn] and takes_tasks(host)):
            yield f"{host.name} has {counts[host.arn]} tasks of the daemon {service.name}"


def _machines(scene: "Scene", live: list[Task], moving: set[str]) -> Iterator[str]:
    for machine in scene.machines:
        wanted = Counter(
            task.arn
            for task in live
            if task.instance == machine.instance and task.last_status == "RUNNING"
        )
        found = Counter(arn for arn, _ in machine.running)
        for arn in sorted({*wanted, *found} - moving):
            if wanted[arn] != found[arn]:
                yield f"{machine.name} runs {found[arn]} containers of {arn}, {wanted[arn]} wanted"


def _pools(scene: "Scene") -> Iterator[str]:
    """As many machines as are wanted, all of them hosts, and no others."""
    machines = scene.plane.sight.machines
    for pool in scene.plane.sight.pools:
        if len(machines) != pool.wanted:
            yield f"the pool has {len(machines)} machines, and wants {pool.wanted}"
    for machine in machines:
        if machine.status != "JOINED":
            yield f"{machine.name} of the pool is {machine.status}"
    made, known = set(scene.yard.machines), {machine.name for machine in machines}
    if made != known:
        yield f"the yard has {sorted(made)}, and the pool knows {sorted(known)}"


def deadline(scene: "Scene", began: float) -> float:
    """Up to when it may take, in seconds of the world."""
    now = scene.plane.clock.now()
    ends = [
        scene.world.seconds + (until - now) / seconds(1) + SLACK_SECONDS
        for until in _excuses(scene)
        if until is not None and until > now
    ]
    return min(max(began + CALM_SECONDS, *ends, 0.0), began + CALM_SECONDS_MAX)


def _excuses(scene: "Scene") -> Iterator[Instant | None]:
    """Until when written rules let something wait."""
    books, site = scene.plane.sight, scene.plane.site
    for service in books.services:
        if service.status == "ACTIVE":
            yield service.backoff.until
            for one in books.deployments(service.arn):
                yield from (hook.expires_at for hook in awaiting(one))
    for host in books.instances:
        yield host.flapping_until
        yield host.drain.deadline if host.drain is not None else None
    for freeze in books.tables["freezes"].values():
        yield freeze.until
    for task in books.live:
        yield task.provisioning.until if task.provisioning is not None else None
    if under_way(books.live):
        yield later(scene.plane.clock.now(), site.rebalance_pause)
    for rule, pool in zip(site.pools, books.pools, strict=True):
        yield pool.retry_at
        yield later(pool.low_since, rule.scale_in) if pool.low_since is not None else None
