"""The same laws on whole transactions: controllers, placement and rows on SQLite in memory.

Before it is committed, each turn of a service is cut off at its end some of the time, and must
leave no trace; once committed it is taken a second time, and must change nothing. Services, hosts
and disasters are drawn; in the calm that follows, what is desired runs.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from moorage.ecs.controllers.deployments import deployments
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ecs.store import container_instances, services, tasks
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Turn
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.controllers.host import ScriptedHost
from tests.ecs.controllers.rig import CLUSTER, TABLES, Rig
from tests.ecs.controllers.test_host_stories import freeze, thaw
from tests.ecs.properties.drawing import Draw
from tests.ecs.properties.service_laws import Limits
from tests.ecs.properties.service_rows import STRATEGIES

SETTLE = seconds(3)
HOSTS_MAX = 6
DESIRED_LIMIT = 7
PERCENTAGES = ((100, 200), (100, 200), (50, 150), (0, 100), (50, 100), (100, 150), (0, 200))
DISASTERS = (
    "update", "scale", "scale", "kill", "lose", "cut", "connect", "drain", "undrain", "slow",
    "finish", "deaf", "resend", "wait", "wait", "restart", "freeze", "thaw", "protect", "join",
)  # fmt: skip
CALM_ROUNDS = 12
CALM_SECONDS = 400


class Cut(Exception):  # noqa: N818 - the end of a transaction that never was
    """The server is killed just before it commits."""


class Disaster(Record):
    """One thing that happens; `number` chooses to whom."""

    what: str
    number: int


class RigCase(Record):
    """One service on some hosts (their zones), and what befalls them; every `cut`-th turn is cut."""

    daemon: bool
    desired: int
    percentages: tuple[int, int]
    strategy: str
    zones: tuple[str, ...]
    disasters: tuple[Disaster, ...]
    cut: int
    tag: str = ""
    grace: int = 0


def drawn(draw: Draw) -> RigCase:
    """A service on two to four hosts, and up to twelve disasters."""
    daemon = draw.likely(20)
    return RigCase(
        daemon=daemon,
        desired=0 if daemon else draw.between(1, 5),
        percentages=draw.one_of(((0, 100), (34, 100)) if daemon else PERCENTAGES),
        strategy="" if daemon else draw.one_of(("", "", "spread zone", "spread host", "binpack")),
        zones=tuple(draw.one_of("ab") for _ in range(draw.between(2, 4))),
        disasters=tuple(
            Disaster(what=draw.one_of(DISASTERS), number=draw.below(61))
            for _ in range(draw.between(2, 12))
        ),
        cut=draw.between(1, 4),
    )


class Rows:
    """The rows of one service as the laws of `service_laws` count them."""

    def __init__(self, rig: "StrictRig", arn: str) -> None:
        self.case = rig.case
        self.conditions = Conditions(settle=SETTLE)
        self.now = rig.house.clock.now()
        self.service = rig.service(arn)
        self.tasks = rig.tasks(arn)
        found = rig.house.read(lambda call: container_instances.live_of_cluster(call.tx, CLUSTER))
        self.instances: dict[str, ContainerInstance] = {one.arn: one for one in found}
        self.hosts = self.instances
        self.is_daemon = rig.case.daemon
        self.deployments: list[ServiceDeployment] = rig.deployments(arn)

    def live(self) -> list[Task]:
        return [task for task in self.tasks if not task.is_stopped]


class StrictRig(Rig):
    """A rig whose turns of services are cut off, taken twice, and judged."""

    def __init__(self, case: RigCase, seen: Counter[str]) -> None:
        super().__init__(
            settle=SETTLE,
            rebalance_moves_max=1,
            rebalance_pause=seconds(2),
            rebalance_settling=seconds(20),
        )
        self.case = case
        self.seen = seen
        self.looks = 0

    def turn(self, name: str, key: str) -> Instant | None:
        if name != deployments.name or not self._is_there(key):
            return super().turn(name, key)
        self.looks += 1
        self.seen["turns"] += 1
        before = Rows(self, key)
        if self.looks % self.case.cut == 0:
            self._cut_off(key)
        limits = Limits(before)
        look = super().turn(name, key)
        if not self._is_there(key):
            return look
        after = Rows(self, key)
        limits.hold(after)
        self._kept_what_is_protected(before, after)
        if look != self.house.clock.now() and not _ended_at_once(before, after):
            self._again(key, after)
        return look

    def rows(self) -> dict[str, list[Any]]:
        """Everything that is kept, in one look."""
        return self.house.read(
            lambda call: {table.name: table.query().all(call.tx) for table in TABLES}
        )

    def _is_there(self, arn: str) -> bool:
        return self.house.read(lambda call: services.get(call.tx, arn)) is not None

    def _cut_off(self, key: str) -> None:
        """The server is killed before it commits: nothing of the turn is to be seen."""
        self.seen["turns cut off"] += 1
        before = self.rows()

        def work(tx: Any) -> None:
            deployments(Turn(tx=tx, site=self.house.site), key)
            raise Cut

        try:
            self.house.database.write(work).result()
        except Cut:
            assert self.rows() == before, "a turn that was cut off left something behind"
            return
        raise AssertionError("the turn was not cut off")

    def _again(self, key: str, before: Rows) -> None:
        """The same turn once more decides nothing."""
        self.seen["turns taken twice"] += 1
        self.house.database.write(
            lambda tx: deployments(Turn(tx=tx, site=self.house.site), key)
        ).result()
        after = Rows(self, key)
        assert after.tasks == before.tasks, "a second turn moves tasks"
        assert after.deployments == before.deployments, "a second turn moves deployments"
        assert after.service == before.service, "a second turn changes the service"

    def _kept_what_is_protected(self, before: Rows, after: Rows) -> None:
        now = {task.arn: task for task in after.tasks}
        for task in before.live():
            host = before.instances.get(task.instance)
            kept = task.is_protected(before.now) and task.connectivity == "CONNECTED"
            if kept and host is not None and host.status == "ACTIVE":
                assert now[task.arn].desired_status == task.desired_status, "a protected task"


def _ended_at_once(before: Rows, after: Rows) -> bool:
    """Whether a task stopped that its host was never told of: that is taken in by the next turn."""
    stopped = {task.arn for task in before.tasks if task.is_stopped}
    return any(task.is_stopped and task.arn not in stopped for task in after.tasks)


class Story:
    """One service of a case, and what befalls it."""

    def __init__(self, case: RigCase, seen: Counter[str]) -> None:
        self.case = case
        self.rig = StrictRig(case, seen)
        self.hosts = [
            self.rig.host(f"h{number}", zone=zone) for number, zone in enumerate(case.zones)
        ] or [self.rig.host("h0")]
        self.desired = case.desired
        self.version = 1
        minimum, maximum = case.percentages
        strategies = [
            PlacementStrategy(type=kind, field=field) for kind, field in STRATEGIES[case.strategy]
        ]
        self.service = self.rig.serve(
            "web",
            case.desired,
            self.rig.define("web"),
            configuration=DeploymentConfiguration(
                minimum_healthy_percent=minimum, maximum_percent=maximum
            ),
            scheduling_strategy="DAEMON" if case.daemon else "REPLICA",
            placement_strategy=strategies,
            availability_zone_rebalancing="ENABLED" if self._balances_zones() else "DISABLED",
        )
        self.rig.settle()

    def _balances_zones(self) -> bool:
        allowed = self.case.strategy in {"", "spread zone"}
        return allowed and not self.case.daemon and self.case.percentages[1] > 100

    def happen(self, one: Disaster) -> None:
        """One disaster."""
        rig, number = self.rig, one.number
        host = self.hosts[number % len(self.hosts)]
        {
            "update": self.update,
            "scale": lambda: self.scale(number % DESIRED_LIMIT),
            "kill": lambda: self._kill(host),
            "lose": lambda: rig.lose(host),
            "cut": lambda: rig.cut(host),
            "connect": lambda: rig.connect(host),
            "drain": lambda: rig.change_host(host, status="DRAINING"),
            "undrain": lambda: rig.change_host(host, status="ACTIVE"),
            "slow": lambda: setattr(host, "slow", True),
            "finish": lambda: self._reached(host) and host.finish(rig),
            "deaf": lambda: setattr(host, "deaf", True),
            "resend": lambda: self._resend(host),
            "wait": lambda: rig.advance(float(number)),
            "restart": rig.restart,
            "freeze": lambda: freeze(rig),
            "thaw": lambda: thaw(rig),
            "protect": lambda: self.protect(number),
            "join": lambda: self.join(number),
        }[one.what]()

    def can_move(self) -> bool:
        """Whether the percentages allow any move at all."""
        desired = len(self.hosts) if self.case.daemon else self.desired
        minimum, maximum = self.case.percentages
        return desired * maximum // 100 > desired or -(-desired * minimum // 100) < desired

    def calm(self) -> None:
        """Everything works again, and some time passes."""
        thaw(self.rig)
        for one in self.hosts:
            one.slow = one.deaf = False
            self.rig.change_host(one, status="ACTIVE")
            self.rig.connect(one)
        for _ in range(CALM_ROUNDS):
            for one in self.hosts:
                one.finish(self.rig)
                self.rig.resend(one)
            self.rig.advance(CALM_SECONDS)

    def update(self) -> None:
        self.version += 1
        self.rig.update(self.service, self.rig.define("web", f"demo:{self.version}"))

    def scale(self, desired: int) -> None:
        if not self.case.daemon:
            self.desired = desired
            self.rig.update(self.service, desired_count=desired)

    def protect(self, number: int) -> None:
        live = self.rig.running(self.service)
        if not live or self.case.daemon:
            return
        until = later(self.rig.house.clock.now(), seconds(60 + number))
        arn = live[number % len(live)].arn

        def work(call: Any) -> None:
            found = tasks.get(call.tx, arn)
            assert found is not None
            tasks.write(call.tx, evolve(found, protected_until=until))

        self.rig.house.write(work)

    def join(self, number: int) -> None:
        if len(self.hosts) < HOSTS_MAX:
            self.hosts.append(self.rig.host(f"h{len(self.hosts)}", zone="ab"[number % 2]))

    def _reached(self, host: ScriptedHost) -> bool:
        return host.arn in self.rig.connected

    def _resend(self, host: ScriptedHost) -> None:
        host.deaf = False
        if self._reached(host):
            self.rig.resend(host)

    def _kill(self, host: ScriptedHost) -> None:
        if host.running() and self._reached(host):
            host.kill(host.running()[0], self.rig)


def holds(case: RigCase, seen: Counter[str]) -> None:
    """The laws of each turn while the story is told; and in the end, what is desired runs."""
    story = Story(case, seen)
    rig, service = story.rig, story.service
    try:
        for disaster in case.disasters:
            story.happen(disaster)
        story.calm()
        if not story.can_move():
            return  # the percentages allow no move, and the service says so
        wanted = len(story.hosts) if case.daemon else story.desired
        assert len(rig.live(service)) == wanted == len(rig.running(service)), "not what is desired"
        assert {task.revision for task in rig.live(service)} <= {story.version}, "an old revision"
        assert rig.primary(service).rollout_state == "COMPLETED"
        held = sorted(arn for one in story.hosts for arn in one.running())
        assert held == sorted(task.arn for task in rig.live(service)), "hosts hold something else"
        rig.restart()
        rig.settle()
        before = rig.rows()
        rig.restart()
        rig.settle()
        assert rig.rows() == before, "a new server changes what is at rest"
    finally:
        rig.house.close()


def told(case: RigCase) -> Iterator[str]:
    """The service and what befalls it, a line each."""
    kind = "daemon" if case.daemon else f"service of {case.desired}"
    minimum, maximum = case.percentages
    yield f"a {kind}, {minimum}/{maximum} percent, strategy [{case.strategy}]"
    yield f"hosts in the zones {' '.join(case.zones)}; every {case.cut}. turn is cut off"
    for one in case.disasters:
        yield f"then: {one.what} ({one.number})"
