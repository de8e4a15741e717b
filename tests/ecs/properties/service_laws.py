"""What must hold of every turn of a service; each law asserts one sentence.

Tasks are counted here anew, by docs/explanation/deployments.md, not by the product's census.
"""

from collections import Counter
from collections.abc import Iterable

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ground.instant import Duration, Instant, later, seconds
from tests.ecs.properties import service_story
from tests.ecs.properties.service_cases import ServiceCase
from tests.ecs.properties.service_rows import FENCE_AFTER
from tests.ecs.properties.service_world import (
    CPU,
    MEMORY,
    STEPS_MAX,
    Decision,
    Rule,
    ServiceWorld,
    changes,
)

# A service is at rest after so many turns in which nothing is reported.
REST_TURNS_MAX = 6
# And where all is well and every report is honest, steady after so many.
STEADY_TURNS_MAX = 60
# After so long a task without a check counts.
SETTLED_SECONDS = 11
# That long nothing happens where nothing will.
CALM_TURNS = 4
RETURN_LOOK = seconds(2)


def holds(case: ServiceCase, seen: Counter[str], rule: Rule = reconcile) -> None:
    """All laws, of the turn that the case leads to, and of every way to interrupt it."""
    world = ServiceWorld(case, rule)
    for one in case.happenings:
        if one.what == "look":
            look(world, Limits(world), seen, most=one.cut)
        else:
            service_story.befall(world, one)
    whole = world.clone()
    decision = look(whole, Limits(world), seen)
    rest(whole, seen, at_once=at_once(world, decision, whole.now))
    ends = [whole]
    for cut in range(len(decision.steps)):
        ends.append(interrupted(world, cut, seen))
        if outcome(ends[-1]) != outcome(whole):
            short = whole.was_short or ends[-1].was_short
            mine, theirs = (reported(one, seen, short=short) for one in (ends[-1], whole))
            assert mine == theirs, f"after {cut} steps it ends elsewhere: {mine}, {theirs}"
    converges(ends[case.cut % len(ends)], seen)


def look(
    world: ServiceWorld, limits: "Limits", seen: Counter[str], most: int = STEPS_MAX
) -> Decision:
    """One turn, with the limits looked at after each of its steps."""
    decision = world.decide()
    seen["turns"] += 1
    orders_are_sound(world, decision)
    for step in decision.steps[:most]:
        world.do(step)
        seen["steps"] += 1
        limits.hold(world)
    if most > len(decision.steps):
        world.keep(decision.plan)
        has_room(world)
    return decision


def interrupted(world: ServiceWorld, cut: int, seen: Counter[str]) -> ServiceWorld:
    """The plan is broken off after `cut` steps, nothing of it is noted, and all begins again."""
    seen["interruptions"] += 1
    again, limits = world.clone(), Limits(world)
    for step in again.decide().steps[:cut]:
        again.do(step)
        limits.hold(again)
    look(again, limits, seen)
    rest(again, seen)
    return again


def reported(world: ServiceWorld, seen: Counter[str], *, short: bool) -> dict[str, object]:
    """Where it ends as things are, once hosts have done what they were told.

    Where there was not room for all, who was first has it: then it is where it ends with room.
    """
    seen["ends compared after reports"] += 1
    world, calm = world.clone(), 0
    if short:
        converges(world, seen)
        return outcome(world)
    for _ in range(STEADY_TURNS_MAX):
        known = dict(world.tasks)
        world.serve()
        world.wait(SETTLED_SECONDS)
        decision = look(world, Limits(world), seen)
        calm = calm + 1 if decision.is_empty and world.tasks == known else 0
        if calm == CALM_TURNS:
            return outcome(world)
    raise AssertionError(f"it goes on and on: {world.events[-6:]}")


def rest(world: ServiceWorld, seen: Counter[str], *, at_once: bool = False) -> None:
    """Asked again it decides nothing: at once, or as soon as what ended at once is taken in."""
    limits = Limits(world)
    for turn in range(REST_TURNS_MAX):
        before = world.clone()
        decision = look(world, limits, seen)
        if decision.is_empty:
            return
        said = changes(decision, before)
        assert not at_once, f"what is done and asked again answers: {said}"
        assert turn < REST_TURNS_MAX - 1, f"it never comes to rest: {said}"


def at_once(world: ServiceWorld, decision: Decision, now: Instant) -> bool:
    """Whether nothing follows of itself from what was decided.

    A task that its host was never told of has ended as soon as it is told to, which is to be taken
    in; where another deployment is current now, it is looked at next. Where a task is being moved
    and another is the surplus, either of the two may go first, and the other is looked at then.
    """
    if any(task.replaces in world.tasks for task in world.live()):
        return False
    untold = any(not world.tasks[one.task].payload_sequence for one in decision.plan.stop)
    return not untold and decision.plan.look_again != now


def outcome(world: ServiceWorld) -> dict[str, object]:
    """Where a service has come to rest, whichever of equal tasks were chosen."""
    return {
        "wanted": Counter(
            task.deployment for task in world.live() if task.desired_status == "RUNNING"
        ),
        "healthy": len(healthy(world, world.live())),
        "stopping": sum(task.desired_status == "STOPPED" for task in world.live()),
        "service": (world.service.status, world.service.deployment, world.service.desired_count),
        "rollouts": [(one.id, one.rollout_state, one.open) for one in world.deployments],
    }


class Limits:
    """The bounds of a service, and what there was when its turn began."""

    def __init__(self, world: ServiceWorld) -> None:
        minimum, maximum = world.case.percentages
        desired = len(belonging(world)) if world.is_daemon else world.service.desired_count
        self.lower = -(-desired * minimum // 100)
        self.upper = desired * maximum // 100
        self.healthy = len(healthy(world, there(world)))
        self.there = len(there(world))
        # A service that may run no task too many counts those that nobody sees as well.
        self.wary = maximum <= 100 and world.case.tag != "replace"
        self.everywhere = len(may_run(world))
        self.crowded = self._crowded(world)

    def hold(self, world: ServiceWorld) -> None:
        """After each step the bounds hold, as far as they held before."""
        if world.service.status != "ACTIVE":
            return
        good = len(healthy(world, there(world)))
        assert good >= min(self.lower, self.healthy), f"below the minimum: {good}, {self.lower}"
        if world.is_daemon:
            crowded = self._crowded(world)
            assert not crowded - self.crowded, f"two of a daemon on {crowded - self.crowded}"
            return
        count = len(there(world))
        assert count <= max(self.upper, self.there), f"too many: {count}, {self.upper}"
        if self.wary and not any(one.confirmed_at for one in world.hosts.values()):
            most = max(self.upper, self.everywhere)
            assert len(may_run(world)) <= most, "one too many, where some are not seen"

    def _crowded(self, world: ServiceWorld) -> Counter[str]:
        """The hosts with more than one task, each as often as that."""
        counts = Counter(task.instance for task in there(world))
        return counts - Counter(counts.keys())


def there(world: ServiceWorld) -> list[Task]:
    """The tasks that have not stopped, on hosts that are not lost."""
    return [task for task in world.live() if task.connectivity == "CONNECTED"]


def may_run(world: ServiceWorld) -> list[Task]:
    """The tasks that may be running, seen or not: all but those that must have been fenced."""
    fenced = later(Instant(world.now - FENCE_AFTER), Duration(-world.conditions.fence_margin))
    hosts = world.hosts
    return [
        task
        for task in world.live()
        if task.connectivity == "CONNECTED"
        or world.case.tag != "fence"
        or (hosts[task.instance].disconnected_at or world.now) > fenced
    ]


def healthy(world: ServiceWorld, tasks: Iterable[Task]) -> list[Task]:
    """Those that count towards the minimum."""
    found = []
    for task in tasks:
        since = task.started_at if task.started_at is not None else task.created_at
        fine = (
            task.health == "HEALTHY"
            if task.has_health_check
            else later(since, world.conditions.settle) <= world.now
        )
        back = task.connectivity_at
        fresh = back is not None and back > task.created_at and world.now < later(back, RETURN_LOOK)
        serves = task.last_status == "RUNNING" and task.desired_status == "RUNNING"
        if serves and fine and not fresh and task.connectivity == "CONNECTED":
            found.append(task)
    return [task for task in found if not world.is_daemon or task.instance in belonging(world)]


def belonging(world: ServiceWorld) -> set[str]:
    """The hosts where a task of a daemon belongs."""
    held = {task.instance for task in world.live() if task.desired_status == "RUNNING"}
    return {
        one.arn
        for one in world.instances.values()
        if one.status == "ACTIVE"
        and one.lost_at is None
        and (one.arn in held or (one.connected and not one.suspect and one.flapping_until is None))
    }


def orders_are_sound(world: ServiceWorld, decision: Decision) -> None:
    """Every order is one that may be given to that task, or to that host."""
    plan, service = decision.plan, world.service
    stopped = [world.tasks[one.task] for one in plan.stop]
    assert len({task.arn for task in stopped}) == len(stopped), "a task is stopped twice"
    assert all(task.desired_status == "RUNNING" for task in stopped), "it stops already"
    assert not any(task.is_stopped for task in stopped), "it has stopped"
    assert len(decision.hosts) == sum(one.count for one in plan.start), "a start without a host"
    if world.freeze is not None:
        assert not decision.steps, "a frozen service moves nothing"
    if service.status == "DRAINING" and world.freeze is None:
        wanted = {one.arn for one in world.live() if one.desired_status == "RUNNING"}
        assert {one.arn for one in stopped} == wanted, "a deleted service stops all"
        assert not plan.start, "a deleted service starts nothing"
    worst_first(world, stopped)
    if service.status == "ACTIVE":
        kept = [task.id for task in stopped if is_kept(world, task)]
        assert not kept, f"protected tasks are stopped: {kept}"
    assert all(one.deployment == world.current() for one in plan.start), "an old revision starts"
    well = [task for task in world.live() if does_well(world, task)]
    good = len({task.instance for task in well}) if world.is_daemon else len(well)
    desired = len(belonging(world)) if world.is_daemon else service.desired_count
    started = len(decision.hosts)
    assert not started or good + started <= desired, "more start than are missing"


def worst_first(world: ServiceWorld, stopped: list[Task]) -> None:
    """Scaled in, no task that does better stops while one stays that does worse and may go.

    Where a host has returned, or flaps, and where tasks are moved, other rules hold.
    """
    live = world.live()
    moves = {arn for task in live if task.replaces for arn in (task.arn, task.replaces)}
    back = any(one.connectivity_at != one.created_at for one in live)
    if back or world.is_daemon or world.service.status != "ACTIVE":
        return
    ours = [task for task in live if does_well(world, task) and task.arn not in moves]
    gone = {task.arn for task in stopped}
    best = max((standing(world, task) for task in ours if task.arn in gone), default=0)
    kept = [one for one in ours if one.arn not in gone and not is_kept(world, one)]
    worse = [one.id for one in kept if standing(world, one) < best]
    assert not worse, f"a better task stops, and {worse} stay"


def standing(world: ServiceWorld, task: Task) -> int:
    """How well a task does that is not failing: it starts, it runs, it counts."""
    if task.last_status != "RUNNING":
        return 0
    return 2 if healthy(world, [task]) else 1


def is_kept(world: ServiceWorld, task: Task) -> bool:
    """Whether protection keeps a task from being stopped by what a service wants."""
    host = world.instances[task.instance]
    failing = task.last_status == "RUNNING" and task.health == "UNHEALTHY"
    since = task.started_at if task.started_at is not None else task.created_at
    graced = world.now < later(since, seconds(world.case.grace))
    return (
        task.protected_until is not None
        and world.now < task.protected_until
        and task.connectivity == "CONNECTED"
        and host.status == "ACTIVE"
        and host.confirmed_at is None
        and (graced or not failing)
    )


def does_well(world: ServiceWorld, task: Task) -> bool:
    """Whether a task is one of those that are desired: nothing starts in its place."""
    host = world.instances[task.instance]
    since = task.started_at if task.started_at is not None else task.created_at
    failing = (
        task.health == "UNHEALTHY"
        and task.last_status == "RUNNING"
        and later(since, seconds(world.case.grace)) <= world.now
    )
    return (
        task.deployment == world.current()
        and task.desired_status == "RUNNING"
        and task.connectivity == "CONNECTED"
        and host.status == "ACTIVE"
        and host.confirmed_at is None
        and not failing
    )


def has_room(world: ServiceWorld) -> None:
    """No host is promised more than it has."""
    tasks = [*world.live(), *world.others.values()]
    counts = Counter(task.instance for task in tasks)
    minted = {task.instance for task in tasks if task.id.startswith("n")}
    for arn in minted:
        has = world.instances[arn].resources
        assert counts[arn] * CPU <= has.cpu, "CPU is promised twice"
        assert counts[arn] * MEMORY <= has.memory, "memory is promised twice"


def converges(world: ServiceWorld, seen: Counter[str]) -> None:
    """Where all hosts are well and have room, and reports are honest, it becomes steady.

    Room for what is desired is enough where some may stop before others start.
    """
    world.heal(tight=world.case.cut % 3 == 0 and may_stop_first(world))
    if world.service.status != "ACTIVE":
        world.look()
        world.serve()
        world.look()
        assert world.service.status == "INACTIVE", "a deleted service ends"
        return
    for turn in range(STEADY_TURNS_MAX):
        decision = look(world, Limits(world), seen)
        if is_steady(world):
            rest(world, seen)
            seen["most turns until steady"] = max(seen["most turns until steady"], turn)
            return
        if world.deployment().has_ended_in_vain and decision.is_empty:
            return
        known = dict(world.tasks)
        world.serve()
        quiet = decision.is_empty and world.tasks == known
        if quiet and decision.plan.look_again is not None:
            world.now = max(world.now, decision.plan.look_again)
        elif quiet:
            assert not can_move(world), f"it waits for nothing: {world.events[-4:]}"
            return
        world.wait(1)
    raise AssertionError(f"not steady after {STEADY_TURNS_MAX} turns: {world.events[-6:]}")


def is_steady(world: ServiceWorld) -> bool:
    """Whether just the desired tasks run, all of the newest deployment, and it is said to be so."""
    primary = world.deployment()
    hosts = belonging(world)
    wanted = len(hosts) if world.is_daemon else world.service.desired_count
    mine = world.live()
    return (
        primary.rollout_state == "COMPLETED"
        and len(mine) == wanted == world.service.desired_count
        and len(healthy(world, mine)) == wanted
        and all(task.deployment == primary.id for task in mine)
        and (not world.is_daemon or {task.instance for task in mine} == hosts)
        and world.service.steady_at is not None
        and [one.id for one in world.deployments if one.open] == [primary.id]
    )


def may_stop_first(world: ServiceWorld) -> bool:
    """Whether the minimum lets a healthy task stop before another starts, on every way there."""
    return Limits(world).lower < world.service.desired_count or world.is_daemon


def can_move(world: ServiceWorld) -> bool:
    """Whether the percentages allow any move at all."""
    limits = Limits(world)
    desired = len(belonging(world)) if world.is_daemon else world.service.desired_count
    return limits.upper > desired or limits.lower < desired
