"""A small service in a small world: the rules drive it, chance ends and delays its tasks."""

from collections.abc import Callable

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.rules.deployment import census
from moorage.ecs.rules.deployment.hosts import HostState
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.deployment.rolling import lower_limit, percentages, upper_limit
from moorage.ecs.rules.deployment.state import Conditions, Plan, ServiceState, current_of
from moorage.ecs.rules.task.advance import ContainerReport, TaskReport, advance
from moorage.ecs.rules.task.health import observe_health
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.builders import (
    NOW,
    a_configuration,
    a_container,
    a_deployment,
    a_revision,
    a_service,
    a_task,
    instance_arn,
)

HOSTS = ("h1", "h2", "h3")


class World:
    """All rows of one service, and what its hosts would do with its tasks."""

    def __init__(self, desired: int = 3, minimum: int = 100, maximum: int = 200, **more) -> None:
        configuration = evolve(
            a_configuration(minimum, maximum, **more.pop("breaker", {})),
            **more.pop("configuration", {}),
        )
        self.now: Instant = NOW
        self.checked = more.pop("checked", False)
        self.sent = more.pop("sent", False)
        self.service = a_service(desired, deployment_configuration=configuration, **more)
        self.configuration = configuration
        self.deployments = [
            a_deployment(
                status="PENDING", deployment_configuration=configuration, rollout_reason=""
            )
        ]
        self.revisions = {"ecs-svc/1": a_revision()}
        self.tasks: dict[str, object] = {}
        self.hosts = {instance_arn(name): HostState(name=name) for name in HOSTS}
        self.freeze = None
        self.throughout = set(self.hosts)
        self.brake = False
        self.stop_timeouts: dict[str, Duration] = {}
        self.conditions = Conditions(settle=seconds(10))
        self.events: list[str] = []
        self.minted = 0

    # --- what the controller does ----------------------------------------------------------------

    def state(self, **more) -> ServiceState:
        return ServiceState(
            service=self.service,
            deployments=tuple(self.deployments),
            tasks=tuple(task for task in self.tasks.values() if not task.judged),
            revision=self.revisions[self.current()],
            hosts=dict(self.hosts),
            freeze=self.freeze,
            stop_timeouts=self.stop_timeouts,
            conditions=self.conditions,
            **more,
        )

    def reconcile(self, placeable: int | None = None) -> Plan:
        state = self.state()
        plan = reconcile(state, self.now)
        if not self.free():
            placeable = 0
        if placeable is not None and plan.relies_on > placeable:
            plan = reconcile(evolve(state, placeable=placeable), self.now)
        return plan

    def act(self, keep: Callable[[int], bool] = lambda _: True, placeable: int | None = None):
        """Reconcile, check the laws, and carry out the plan, or only a part of it."""
        self.wait(0.000_001)  # no two transactions have the same time
        plan = self.reconcile(placeable)
        before = census.take(self.state(), self.now)
        minimum, maximum = percentages(self.service.deployment_configuration)
        lower = lower_limit(self.service.desired_count, minimum)
        upper = upper_limit(self.service.desired_count, maximum)
        step = 0
        for order in plan.stop:
            step += 1
            if keep(step):
                task = self.tasks[order.task]
                self.tasks[order.task] = ask_to_stop(task, order.code, order.reason, self.now)
            self.check(before, lower, upper)
        for order in plan.start:
            for _ in range(order.count):
                step += 1
                if keep(step):
                    self.start(order.deployment)
                self.check(before, lower, upper)
        if keep(step + 1):
            self.keep(plan)
        return plan

    def keep(self, plan: Plan) -> None:
        self.service = plan.service or self.service
        changed = {one.id: one for one in plan.deployments}
        self.deployments = [changed.get(one.id, one) for one in self.deployments]
        if plan.revision:
            self.revisions[self.current()] = plan.revision
        for arn in plan.judged:
            self.tasks[arn] = evolve(self.tasks[arn], judged=True)
        for arn in plan.unlinked:
            self.tasks[arn] = evolve(self.tasks[arn], replaces="")
        self.events += plan.events

    def check(self, before: census.Census, lower: int, upper: int) -> None:
        """After every single step: the minimum and the maximum hold, as far as they held before."""
        if self.service.status != "ACTIVE":
            return
        after = census.take(self.state(), self.now)
        assert after.counts.healthy >= min(lower, before.counts.healthy), "below the minimum"
        there = after.counts.wanted + after.counts.stopping
        assert there <= max(upper, before.counts.wanted + before.counts.stopping), "too many"

    def start(self, deployment: str) -> None:
        assert deployment == self.current()
        self.minted += 1
        task = a_task(
            f"t{self.minted:04}",
            host=self.place(),
            deployment=deployment,
            created_at=self.now,
            connectivity_at=self.now,
            containers=(a_container(has_health_check=self.checked),),
            payload_sequence=int(self.sent or self.minted % 2),
        )
        self.tasks[task.arn] = task

    def free(self) -> list[str]:
        """The hosts that can take a task."""
        return [
            host.name
            for host in self.hosts.values()
            if not host.draining and host.lost_at is None and not host.is_flapping(self.now)
        ]

    def place(self) -> str:
        """A host that can take a task, in turn."""
        free = self.free()
        return free[self.minted % len(free)]

    # --- what hosts, users and time do -----------------------------------------------------------

    def live(self) -> list:
        return [one for one in self.tasks.values() if not one.is_stopped]

    def report(self, task, status: str, **more) -> None:
        container = ContainerReport(name="web", status=status, **more)
        report = TaskReport(status=status, containers=(container,))
        self.tasks[task.arn] = advance(self.tasks[task.arn], report, self.now).task

    def health(self, task, health: str) -> None:
        self.tasks[task.arn] = observe_health(self.tasks[task.arn], {"web": health}).task

    def change_host(self, name: str, **members) -> None:
        arn = instance_arn(name)
        self.hosts[arn] = evolve(self.hosts[arn], **members)

    def drain(self, name: str) -> None:
        self.change_host(name, draining=True)

    def undrain(self) -> None:
        for host in list(self.hosts.values()):
            self.change_host(host.name, draining=False)

    def lose(self, task) -> None:
        """The host of a task is lost; unless the brake holds, its tasks may be replaced."""
        self.lose_host(self.hosts[task.instance].name)

    def lose_host(self, name: str, **members) -> None:
        arn = instance_arn(name)
        if self.hosts[arn].lost_at is not None:
            return
        replace_at = None if self.brake else self.now
        known = {
            "lost_at": self.now,
            "disconnected_at": self.now,
            "replace_at": replace_at,
        }
        self.change_host(name, **(known | members))
        self.throughout.discard(arn)
        self._follow(arn, "DISCONNECTED")

    def find_again(self, task) -> None:
        self.find_host(self.hosts[task.instance].name)

    def find_host(self, name: str, **members) -> None:
        arn = instance_arn(name)
        if self.hosts[arn].lost_at is None:
            return
        known = dict.fromkeys(("lost_at", "disconnected_at", "replace_at", "confirmed_at"))
        self.change_host(name, **(known | members))
        self._follow(arn, "CONNECTED")

    def _follow(self, arn: str, connectivity: str) -> None:
        for task in self.live():
            if task.instance == arn:
                self.tasks[task.arn] = evolve(
                    task, connectivity=connectivity, connectivity_at=self.now
                )

    def update(self) -> None:
        """A new deployment, as UpdateService makes it."""
        number = len(self.deployments) + 1
        identity = f"ecs-svc/{number}"
        self.deployments.append(
            a_deployment(
                identity,
                status="PENDING",
                created_at=self.now,
                deployment_configuration=self.configuration,
                rollout_reason="",
            )
        )
        self.revisions[identity] = a_revision(str(number))
        self.service = evolve(self.service, deployment=identity, backoff=StartBackoff())

    def wait(self, count: float) -> None:
        self.now = later(self.now, seconds(count))

    def serve(self) -> None:
        """One round in which every host does what it is told, and all goes well."""
        for task in self.live():
            if task.connectivity == "DISCONNECTED":
                continue
            if task.desired_status == "STOPPED":
                self.report(task, "STOPPED", exit_code=0)
                continue
            if task.last_status == "PENDING":
                self.report(task, "RUNNING")
            if self.checked:
                self.health(task, "HEALTHY")

    def settle(self, rounds: int = 200) -> int:
        """Rounds in which all goes well until nothing is left to do; how many it took."""
        for count in range(rounds):
            plan = self.act()
            if self.service.status == "INACTIVE" or self.is_steady():
                return count
            known = dict(self.tasks)
            self.serve()
            # What hosts report is looked at at once, and so is what ended before it was sent.
            calm = self.tasks == known and not plan.stop
            if calm and plan.look_again is not None:
                self.now = max(self.now, plan.look_again)
            self.wait(1)
        raise AssertionError(f"not steady after {rounds} rounds: {self.events[-5:]}")

    def is_steady(self) -> bool:
        primary = self.deployment()
        mine = [one for one in self.live() if one.connectivity == "CONNECTED"]
        wanted = [one for one in mine if one.deployment == primary.id]
        return (
            primary.rollout_state == "COMPLETED"
            and len(mine) == len(wanted) == self.service.desired_count
            and self.service.steady_at is not None
            and [one.id for one in self.deployments if one.open] == [primary.id]
        )

    def change_deployment(self, changed) -> None:
        """Put a deployment in the place of the one that it was."""
        self.deployments = [changed if one.id == changed.id else one for one in self.deployments]

    def deployment(self, identity: str = ""):
        wanted = identity or self.service.deployment
        return next(one for one in self.deployments if one.id == wanted)

    def current(self) -> str:
        """The id of the deployment whose tasks are kept and started now."""
        return current_of(self.service, self.deployments).id

    def counts(self) -> tuple[int, int]:
        """(RUNNING and wanted, PENDING and wanted) on hosts that are reached."""
        wanted = [
            one
            for one in self.live()
            if one.desired_status == "RUNNING" and one.connectivity == "CONNECTED"
        ]
        ready = sum(one.last_status == "RUNNING" for one in wanted)
        return ready, len(wanted) - ready
