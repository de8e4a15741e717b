"""One service with its hosts, as the rules see it: built from a case, decided on, carried out.

It does what the controller of services does (`ecs/controllers/deployments.py`: decide, place,
decide again where there is less room) on records alone, one step at a time.
"""

import copy
from collections.abc import Callable

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.deployment.daemon_hosts import DaemonHosts, survey
from moorage.ecs.rules.deployment.hosts import host_state
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.deployment.state import Plan, ServiceState
from moorage.ecs.rules.host.avoidance import avoided
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.explain import room_helps
from moorage.ecs.rules.placement.place import Batch, place_around
from moorage.ecs.rules.placement.view import ClusterView, cluster_view
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.instant import Instant, later, minutes
from moorage.ground.record import Record, evolve
from tests.ecs.properties import service_rows
from tests.ecs.properties.service_cases import ServiceCase, ServiceTask
from tests.ecs.rules.builders import (
    ARN,
    CLUSTER,
    NOW,
    a_container,
    a_task,
    an_instance,
    instance_arn,
)
from tests.ecs.rules.deployment.world import World
from tests.ecs.rules.test_freeze import a_freeze

CPU, MEMORY = 256, 512
NEEDS = Resources(cpu=CPU, memory=MEMORY)
GROUP = "service:web"
# Slots of a host that is large enough for whatever a case asks.
PLENTY = 64
STEPS_MAX = 99
# What is judged: `reconcile`, or one with a planted bug.
Rule = Callable[[ServiceState, Instant, ClusterView | None], Plan]


class Decision(Record):
    """A plan with the hosts (ARNs) of what it starts."""

    plan: Plan
    hosts: tuple[str, ...] = ()

    @property
    def steps(self) -> list[tuple[str, object]]:
        """What is done, one after another: a task to stop, or a host to start one on."""
        return [("stop", one) for one in self.plan.stop] + [("start", one) for one in self.hosts]

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        plan = self.plan
        return not (
            plan.start
            or plan.stop
            or plan.service
            or plan.deployments
            or plan.judged
            or plan.unlinked
            or plan.revision
        )


def changes(decision: Decision, world: "ServiceWorld") -> str:
    """What a decision changes, in a few words."""
    plan = decision.plan
    rows = [*([plan.service] if plan.service else []), *plan.deployments]
    known = {one.arn: one for one in (world.service, *world.deployments)}
    said = [f"{what} {getattr(whom, 'task', whom)}" for what, whom in decision.steps]
    for row in rows:
        before = known[row.arn]
        said += [
            f"{row.arn.rpartition(':')[2]}: {name} {getattr(before, name)} -> {getattr(row, name)}"
            for name in row.__struct_fields__
            if getattr(before, name) != getattr(row, name)
        ]
    return "; ".join([*said, *(f"judge {arn}" for arn in plan.judged), *plan.events])


class ServiceWorld(World):
    """All rows of one service and of its hosts."""

    def __init__(self, case: ServiceCase, rule: Rule = reconcile) -> None:
        minimum, maximum = case.percentages
        super().__init__(case.desired, minimum, maximum, checked=case.checked, sent=case.sent)
        self.is_daemon = case.daemon
        self.configuration = service_rows.configuration(case)
        self.others = {}
        self.instances = {}
        self.hosts = {}
        self.case = case
        self.rule = rule
        self.was_short = False
        self._bring_out()
        self._settle_in()
        if case.frozen:
            self.hold()

    # --- from a case to rows ---------------------------------------------------------------------

    def _bring_out(self) -> None:
        """The service and its deployments, the newest last."""
        case = self.case
        count = case.olds + 1
        numbers = range(1, count + 1)
        self.deployments = [service_rows.deployment(case, number) for number in numbers]
        self.revisions = {f"ecs-svc/{one}": service_rows.revision(case, one) for one in numbers}
        self.service = service_rows.service(case)

    def _settle_in(self) -> None:
        """The hosts, and the tasks on them."""
        case = self.case
        for number, host in enumerate(case.hosts):
            self.put(an_instance(f"h{number}", zone=host.zone, cpu=0, memory=0))
        names = [one.name for one in self.instances.values()]
        for number, task in enumerate(case.tasks):
            host = names[task.host % len(names)] if names else ""
            alone = not any(one.instance == instance_arn(host) for one in self.live())
            if names and (alone or not case.daemon):
                self._arrive(number, task, host)
        for number, host in enumerate(case.hosts):
            for _ in range(host.crowd):
                self._settle_other(f"h{number}")
            self._furnish(f"h{number}", host.room)
            CONDITIONS[host.condition](self, f"h{number}")

    def _arrive(self, number: int, task: ServiceTask, host: str) -> None:
        deployment = self.deployments[self._place(task)]
        made = service_rows.task(self.case, task, number, deployment)
        made = evolve(
            made,
            instance=instance_arn(host),
            zone=self.instances[instance_arn(host)].zone,
            replaces=self._moved(task),
        )
        self.tasks[made.arn] = made

    def _moved(self, task: ServiceTask) -> str:
        """The ARN of the task of the same deployment in whose place this one was started."""
        moved = self.tasks.get(f"{ARN}:task/{CLUSTER}/t{task.moves}")
        if moved is None or moved.deployment != self.deployments[self._place(task)].id:
            return ""
        return moved.arn

    def _place(self, task: ServiceTask) -> int:
        return -1 - task.deployment % len(self.deployments)

    # --- hosts -----------------------------------------------------------------------------------

    def put(self, instance: ContainerInstance) -> None:
        """A host joins, or is another now."""
        self.instances[instance.arn] = instance
        self.hosts[instance.arn] = host_state(instance)
        self.throughout = set(self.hosts)

    def change_host(self, name: str, **members) -> None:
        self.put(evolve(self.instances[instance_arn(name)], **members))

    def change_lost(self, name: str, **members) -> None:
        if self.instances[instance_arn(name)].lost_at is not None:
            self.change_host(name, **members)

    def drain(self, name: str) -> None:
        self.change_host(name, status="DRAINING")

    def undrain(self) -> None:
        for one in list(self.instances.values()):
            self.put(evolve(one, status="ACTIVE"))

    def lose_host(self, name: str, **members) -> None:
        """Nothing is heard of a host for too long."""
        if self.instances[instance_arn(name)].lost_at is None:
            gone = {"lost_at": self.now, "disconnected_at": self.now, "connected": False}
            self.change_host(name, **gone, **members)
            self._follow(instance_arn(name), "DISCONNECTED")

    def find_host(self, name: str, **members) -> None:
        """A lost host is back."""
        if self.instances[instance_arn(name)].lost_at is not None:
            back = dict.fromkeys(("lost_at", "disconnected_at", "replace_at", "confirmed_at"))
            self.change_host(name, connected=True, **back, **members)
            self._follow(instance_arn(name), "CONNECTED")

    def crowd(self, name: str) -> None:
        """A task of another service starts on a host, if that has room."""
        arn = instance_arn(name)
        there = [one for one in (*self.live(), *self.others.values()) if one.instance == arn]
        if CPU * len(there) < self.instances[arn].resources.cpu:
            self._settle_other(name)

    def _settle_other(self, name: str) -> None:
        other = f"o{len(self.others)}"
        self.others[other] = a_task(
            other, host=name, group="service:other", service="", reserved=NEEDS
        )

    def enlarge(self, name: str) -> None:
        """A host has room for one task more."""
        has = self.instances[instance_arn(name)].resources
        more = evolve(has, cpu=has.cpu + CPU, memory=has.memory + MEMORY)
        self.change_host(name, resources=more)

    def _furnish(self, name: str, room: int) -> None:
        """Give a host what its tasks take, and room for so many more."""
        arn = instance_arn(name)
        there = [one for one in (*self.live(), *self.others.values()) if one.instance == arn]
        slots = len(there) + room
        self.change_host(name, resources=Resources(cpu=CPU * slots, memory=MEMORY * slots))

    def hold(self) -> None:
        """A person freezes the service."""
        self.freeze = evolve(a_freeze(until=later(self.now, minutes(10))), created_at=self.now)

    def heal(self, *, tight: bool = False) -> None:
        """All hosts are there, whole and large enough, and nobody holds anything.

        Where it is `tight`, there is room for what is there and for what is desired, and no more.
        """
        self.freeze = None
        self.undrain()
        for one in list(self.instances.values()):
            self.find_host(one.name)
            whole = {"suspect": False, "connected": True, "flapping_until": None}
            self.change_host(one.name, **whole, confirmed_at=None, disconnected_at=None)
            self._furnish(one.name, PLENTY)
        missing = self.service.desired_count - len(self.live())
        for one in list(self.instances.values()) if tight else ():
            alone = not any(task.instance == one.arn for task in self.live())
            self._furnish(one.name, int(alone) if self.is_daemon else max(0, missing))
            missing = 0

    # --- what the controller does ----------------------------------------------------------------

    def clone(self) -> "ServiceWorld":
        """The same world once more; records are never changed."""
        other = copy.copy(self)
        for name in ("deployments", "revisions", "tasks", "hosts", "instances", "others", "events"):
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def state(self, **more) -> ServiceState:
        completed = [one.id for one in self.deployments if one.completed_before][-1:]
        state = super().state(**more)
        return evolve(
            state,
            deployments=tuple(one for one in state.deployments if one.open or one.id in completed),
            daemon=self.survey() if self.is_daemon else None,
        )

    def survey(self) -> DaemonHosts:
        """Where the tasks of a daemon belong."""
        wants = Wants(needs=NEEDS, group=GROUP)
        return survey(self.view(), wants, self.live(), {GROUP})

    def view(self) -> ClusterView:
        """The cluster as placement sees it."""
        return cluster_view(self.instances.values(), [*self.live(), *self.others.values()])

    def decide(self) -> Decision:
        """Ask the rules, find hosts, and ask again where there are fewer than wanted."""
        self.wait(0.000_001)  # no two transactions have the same time
        state = self.state()
        plan = self.rule(state, self.now, None)
        if state.daemon is not None:
            return Decision(plan=plan, hosts=plan.placed.chosen if plan.placed else ())
        view: ClusterView | None = None
        if plan.stop and self.service.placement_strategy:
            view = self.view()
            plan = self.rule(state, self.now, view)
        if not plan.relies_on:
            return Decision(plan=plan)
        view = view or self.view()
        placed = place_around(self._batch(state, plan), view)
        if placed.unplaced.count:
            self.was_short = True
            limited = evolve(
                state, placeable=len(placed.chosen), room_helps=room_helps(placed.unplaced)
            )
            plan = self.rule(limited, self.now, view)
        return Decision(plan=plan, hosts=placed.chosen[: sum(one.count for one in plan.start)])

    def _batch(self, state: ServiceState, plan: Plan) -> Batch:
        current = state.current.id
        counted: dict[str, int] = {}
        for task in state.tasks:
            if task.deployment == current and task.desired_status == "RUNNING":
                counted[task.instance] = counted.get(task.instance, 0) + (not task.is_stopped)
        shunned = avoided(plan.service or self.service, current, self.now)
        return Batch(
            wants=Wants(needs=NEEDS, group=GROUP, avoided=shunned),
            count=plan.relies_on,
            strategies=tuple(self.service.placement_strategy),
            numbers=tuple(range(7, 7 + plan.relies_on)),
            counted=counted,
        )

    def serve(self) -> None:
        """Every host that is there does what it is told, and all goes well."""
        for task in self.live():
            if task.connectivity == "DISCONNECTED":
                continue
            if task.desired_status == "STOPPED":
                self.report(task, "STOPPED", exit_code=0)
                continue
            if task.last_status != "RUNNING":
                self.report(task, "RUNNING")
            if self.checked:
                self.health(task, "HEALTHY")

    def do(self, step: tuple[str, object]) -> None:
        """One step of a decision."""
        what, whom = step
        if what == "stop":
            task = self.tasks[whom.task]
            self.tasks[whom.task] = ask_to_stop(task, whom.code, whom.reason, self.now)
        else:
            self._start_on(whom)

    def look(self, most: int = STEPS_MAX) -> Decision:
        """One turn, or its first `most` steps, after which nothing of it is noted."""
        decision = self.decide()
        for step in decision.steps[:most]:
            self.do(step)
        if most > len(decision.steps):
            self.keep(decision.plan)
        return decision

    def _start_on(self, arn: str) -> None:
        self.minted += 1
        task = a_task(
            f"n{self.minted}",
            host=arn.rpartition("/")[2],
            deployment=self.current(),
            created_at=self.now,
            connectivity_at=self.now,
            containers=(a_container(has_health_check=self.checked),),
            payload_sequence=int(self.sent or self.minted % 2),
            fence_after=service_rows.FENCE_AFTER,
            zone=self.instances[arn].zone,
        )
        self.tasks[task.arn] = task


def _lose(**members):
    return lambda world, name: world.lose_host(name, **members)


def _back(**members):
    def happen(world: ServiceWorld, name: str) -> None:
        world.lose_host(name, replace_at=world.now)
        world.wait(1)
        world.find_host(name, **members)

    return happen


CONDITIONS = {
    "sound": lambda *_: None,
    "draining": lambda world, name: world.drain(name),
    "suspect": lambda world, name: world.change_host(name, suspect=True),
    "away": lambda world, name: world.change_host(name, connected=False, disconnected_at=NOW),
    "lost": _lose(replace_at=NOW),
    "braked": _lose(replace_at=None),
    "written off": _lose(replace_at=NOW, confirmed_at=NOW),
    "back": _back(),
    "flapping": _back(flapping_until=later(NOW, minutes(5))),
}
