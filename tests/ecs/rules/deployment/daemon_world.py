"""A daemon service in a small world: hosts join, match or not, fill up, drain, and are lost."""

from collections.abc import Callable

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.deployment.daemon_hosts import DaemonHosts, survey
from moorage.ecs.rules.deployment.hosts import host_state
from moorage.ecs.rules.deployment.reconcile import reconcile
from moorage.ecs.rules.deployment.rolling import lower_limit
from moorage.ecs.rules.deployment.state import Plan, ServiceState
from moorage.ecs.rules.deployment.strategies import census_of
from moorage.ecs.rules.placement.constraint import Wants, unavailable
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ground.record import evolve
from tests.ecs.rules.builders import a_container, a_task, an_instance, instance_arn
from tests.ecs.rules.deployment.world import World

NEEDS = Resources(cpu=256, memory=512)
GROUP = "service:web"


class DaemonWorld(World):
    """All rows of one daemon service, its hosts, and the tasks of others there."""

    def __init__(
        self, minimum: int = 0, hosts: tuple[str, ...] = ("h1", "h2", "h3"), **more
    ) -> None:
        self.members = more.pop("members", ())
        super().__init__(0, minimum, 100, scheduling_strategy="DAEMON", **more)
        self.hosts = {}
        self.instances = {}
        self.others = {}
        for name in hosts:
            self.join(name)

    # --- hosts -----------------------------------------------------------------------------------

    def join(self, name: str, **members) -> None:
        self._put(an_instance(name, **members))

    def change_host(self, name: str, **members) -> None:
        self._put(evolve(self.instances[instance_arn(name)], **members))

    def _put(self, instance) -> None:
        self.instances[instance.arn] = instance
        self.hosts[instance.arn] = host_state(instance)
        self.throughout = set(self.hosts)

    def drain(self, name: str) -> None:
        self.change_host(name, status="DRAINING")

    def undrain(self) -> None:
        for one in list(self.instances.values()):
            self._put(evolve(one, status="ACTIVE"))

    def lose_host(self, name: str, **members) -> None:
        if self.instances[instance_arn(name)].lost_at is None:
            self.change_host(name, **{"lost_at": self.now, "connected": False, **members})
            self._follow(instance_arn(name), "DISCONNECTED")

    def find_host(self, name: str, **members) -> None:
        if self.instances[instance_arn(name)].lost_at is not None:
            self.change_host(name, lost_at=None, connected=True, **members)
            self._follow(instance_arn(name), "CONNECTED")

    def other(self, host: str, identity: str = "", cpu: int = 256):
        """A task of another service starts on a host."""
        name = identity or f"o{len(self.others)}"
        self.others[name] = a_task(
            name, host=host, group="service:other", service="", reserved=Resources(cpu=cpu)
        )

    # --- what the controller does ----------------------------------------------------------------

    def survey(self) -> DaemonHosts:
        live = [*self.live(), *(one for one in self.others.values() if not one.is_stopped)]
        wants = Wants(needs=NEEDS, group=GROUP, members=self.members)
        view = cluster_view(self.instances.values(), live)
        return survey(view, wants, self.live(), {GROUP, "service:another-daemon"})

    def state(self, **more) -> ServiceState:
        return super().state(daemon=self.survey(), **more)

    def reconcile(self, placeable: int | None = None) -> Plan:
        del placeable
        return reconcile(self.state(), self.now)

    def act(self, keep: Callable[[int], bool] = lambda _: True, placeable: int | None = None):
        """Reconcile, and carry out the plan step by step, or only a part of it; check the laws."""
        del placeable
        self.wait(0.000_001)
        plan = self.reconcile()
        healthy, step = self.healthy(), 0
        minimum = self.service.deployment_configuration.minimum_healthy_percent
        lower = lower_limit(len(self.survey().targets), minimum)
        for order in plan.stop:
            step += 1
            if keep(step):
                task = self.tasks[order.task]
                self.tasks[order.task] = ask_to_stop(task, order.code, order.reason, self.now)
            assert self.service.status != "ACTIVE" or self.healthy() >= min(lower, healthy)
        started = plan.placed.chosen if plan.placed else ()
        assert len(started) == sum(order.count for order in plan.start)
        for arn in started:
            step += 1
            if keep(step):
                self.start_on(arn)
            self.check_hosts()
        if keep(step + 1):
            self.keep(plan)
        return plan

    def start_on(self, arn: str) -> None:
        found = self.survey()
        load = found.targets[arn]
        assert unavailable(load) is None
        assert load.cpu >= NEEDS.cpu, "no host is over-promised"
        self.minted += 1
        task = a_task(
            f"t{self.minted:04}",
            host=arn.rpartition("/")[2],
            deployment=self.current(),
            created_at=self.now,
            connectivity_at=self.now,
            reserved=NEEDS,
            containers=(a_container(has_health_check=self.checked),),
        )
        self.tasks[task.arn] = task

    def check_hosts(self) -> None:
        """Never two tasks on one host."""
        there = [task.instance for task in self.live() if task.connectivity == "CONNECTED"]
        assert len(there) == len(set(there)), "two on one host"

    def healthy(self) -> int:
        """How many hosts where one belongs have a healthy one."""
        state = self.state()
        taken, targets = census_of(state, self.now), state.daemon.targets
        mine = [task for task in (*taken.staying, *taken.leaving) if task.instance in targets]
        return taken.healthy(mine)

    # --- what is to be seen ----------------------------------------------------------------------

    def on(self, deployment: str = "") -> list[str]:
        """The names of the hosts with wanted tasks."""
        return sorted(
            task.instance.rpartition("/")[2]
            for task in self.live()
            if task.desired_status == "RUNNING"
            and (not deployment or task.deployment == deployment)
        )

    def is_steady(self) -> bool:
        primary = self.deployment()
        targets = self.survey().targets
        mine = [task for task in self.live() if task.instance in targets]
        return (
            primary.rollout_state == "COMPLETED"
            and {task.instance for task in mine} == set(targets)
            and all(task.deployment == primary.id for task in mine)
            and self.service.desired_count == len(targets)
            and self.service.steady_at is not None
        )
