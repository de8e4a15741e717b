"""A control plane without a server: controllers on a manual clock, and scripted hosts."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from moorage.acs.messages import Message, PayloadMessage
from moorage.ecs.agents import AGENT
from moorage.ecs.api import CONTROLLERS
from moorage.ecs.api import TABLES as OWN_TABLES
from moorage.ecs.operations.session import Hello
from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.deployment.configuration import full_configuration
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ecs.store import (
    container_instances,
    rollouts,
    service_deployments,
    service_events,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.store.view import untrue
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant, between, seconds
from moorage.ground.record import evolve
from moorage.iam.api import TABLES as IAM_TABLES
from moorage.kernel.agenda import Agenda
from moorage.kernel.call import Turn
from moorage.kernel.images import IMAGE_CLAIMS, TAG_DIGESTS
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from moorage.sql.transaction import Change
from tests.ecs.controllers.host import Act, ScriptedHost, submit_task_state_change
from tests.house import ACCOUNT, REGION, House, host

TABLES = (*OWN_TABLES, *IAM_TABLES, IMAGE_CLAIMS, TAG_DIGESTS)
CAPABILITIES = ("moorage.capability.agent", "ecs.capability.container-health-check")
KEYS_AT_ONCE = 16
ROUNDS_MAX = 2000
CLUSTER = make_arn("cluster", REGION, ACCOUNT, "default")


class Rig(Act):
    """The house, its agenda, its hosts; everything happens in `settle` and `advance`."""

    table = AGENT

    def __init__(self, **site: Any) -> None:
        site.setdefault("settle", seconds(0))
        self.house = House(TABLES, **site)
        self.agenda = Agenda()
        self.hosts: dict[str, ScriptedHost] = {}
        self.connected: set[str] = set()
        self.on_wire: dict[str, set[str]] = {}
        self.inbox: deque[tuple[ScriptedHost, Message]] = deque()
        self.changes: list[Change] = []
        self.turns: list[tuple[str, str]] = []
        self.laws: list[Callable[[Rig], None]] = [capacity, projected]
        self.house.database.watch(self.changes.extend)

    # --- time and turns --------------------------------------------------------------------------

    def settle(self) -> None:
        """Do all that is due now, and all that follows from it."""
        for _ in range(ROUNDS_MAX):
            woken = self._take_changes()
            keys = self.agenda.take(self.house.clock.now(), KEYS_AT_ONCE)
            for name, key in keys:
                self.turn(name, key)
            for arn in woken:
                self._send(arn)
            self._deliver()
            if not keys and not self.changes and not self.inbox:
                return
        raise AssertionError(f"it never settles: {self.turns[-8:]}")

    def advance(self, length: float) -> None:
        """Let time pass, turning whatever becomes due on the way."""
        self.settle()
        end = Instant(self.house.clock.now() + seconds(length))
        for _ in range(ROUNDS_MAX):
            look = self.agenda.next_look()
            step = end if look is None or look > end else max(look, self.house.clock.now())
            self.house.clock.advance(between(self.house.clock.now(), step))
            self.settle()
            if step == end:
                return
        raise AssertionError(f"too many looks: {self.turns[-8:]}")

    def turn(self, name: str, key: str) -> Instant | None:
        """Run one controller once."""
        found = next(one for one in CONTROLLERS if one.name == name)
        self.turns.append((name, key))
        look = self.house.database.write(
            lambda tx: found(Turn(tx=tx, site=self.house.site), key)
        ).result()
        if (name, key) in self.agenda._running:
            self.agenda.finish((name, key), look)
        self._check()
        return look

    def restart(self) -> None:
        """A new server on the same rows: every key is due once."""
        self.agenda = Agenda()
        self.changes.clear()
        for one in CONTROLLERS:
            keys = self.house.read(lambda call, one=one: list(one.keys(call.tx)))
            self.agenda.wake((one.name, key) for key in keys)

    def _take_changes(self) -> list[str]:
        seen, self.changes[:] = list(self.changes), []
        woken: dict[str, None] = {}
        for change in seen:
            self.agenda.wake(
                [(one.name, change.key) for one in CONTROLLERS if one.kind == change.kind]
            )
            if change.kind in {"instance", "orders"} and change.key in self.connected:
                woken[change.key] = None
        return list(woken)

    def _check(self) -> None:
        for law in self.laws:
            law(self)

    # --- hosts -----------------------------------------------------------------------------------

    def host(self, name: str, cpu: int = 1024, memory: int = 1024, zone: str = "") -> ScriptedHost:
        """A new host that is connected."""
        identity = self.house.chance.hex(32)
        arn = make_arn("container-instance", REGION, ACCOUNT, "default", identity)
        attributes = tuple(InstanceAttribute(name=one) for one in CAPABILITIES)
        if zone:
            attributes += (InstanceAttribute(name="ecs.availability-zone", value=zone),)
        record = ContainerInstance(
            account=ACCOUNT,
            region=REGION,
            cluster="default",
            id=identity,
            arn=arn,
            name=name,
            status="ACTIVE",
            registered_at=self.house.clock.now(),
            resources=Resources(cpu=cpu, memory=memory),
            attributes=attributes,
        )
        self.house.write(lambda call: container_instances.create(call.tx, record))
        self.hosts[arn] = ScriptedHost(arn, name)
        self.connect(self.hosts[arn])
        return self.hosts[arn]

    def connect(self, one: ScriptedHost) -> None:
        """The host's agent opens its websocket and is told what it should hold."""
        hello = Hello(agent_version="1.0", docker_version="DockerVersion: 29.0")
        assert self.agent(one, AGENT.connected, hello) is None
        self.connected.add(one.arn)
        self.on_wire[one.arn] = set()
        self._send(one.arn, on_connect=True)
        self._deliver()

    def cut(self, one: ScriptedHost) -> None:
        """The connection is gone."""
        self.connected.discard(one.arn)
        self.agent(one, AGENT.disconnected, "closed")

    def lose(self, one: ScriptedHost) -> None:
        """The host falls silent for too long."""
        self.connected.discard(one.arn)
        self.agent(one, AGENT.lost)

    def resend(self, one: ScriptedHost) -> None:
        """The session's resend interval has passed."""
        self.on_wire[one.arn] = set()
        self._send(one.arn)
        self._deliver()

    def agent(self, one: ScriptedHost, handler: Callable[..., Any], *arguments: Any) -> Any:
        return self.house.write(
            lambda call: handler(call, one.arn, *arguments), principal=host(one.arn)
        )

    def say(self, one: ScriptedHost, message: Message) -> None:
        handler = AGENT.messages.get(type(message))
        if handler is not None:
            self.inbox.extend((one, reply) for reply in self.agent(one, handler, message))

    def report(self, one: ScriptedHost, request: Any) -> None:
        self.house.run(submit_task_state_change, request, principal=host(one.arn))
        self._check()

    def _send(self, arn: str, on_connect: bool = False) -> None:
        """What the gateway does: everything that is not on the wire of this connection yet."""
        one = self.hosts[arn]
        for message in self.agent(one, AGENT.outgoing, on_connect).messages:
            if isinstance(message, PayloadMessage):
                if message.message_id in self.on_wire[arn]:
                    continue
                self.on_wire[arn].add(message.message_id)
            self.inbox.append((one, message))

    def _deliver(self) -> None:
        while self.inbox:
            one, message = self.inbox.popleft()
            if one.arn in self.connected:
                one.hear(message, self)

    # --- what an owner does ----------------------------------------------------------------------

    def define(self, family: str, image: str = "demo:1", **members: Any) -> TaskDefinition:
        """Register the next revision of a family with one container, a fifth of a host."""
        members = {"cpu": 200, "memory": 200, "version_consistency": "disabled"} | members
        shape = normal_form(
            RegisterTaskDefinitionRequest(
                family=family,
                container_definitions=[ContainerDefinition(name="main", image=image, **members)],
            )
        )
        known = self.house.read(
            lambda call: task_definitions.names(call.tx, call, "ACTIVE", family)
        )
        revision = len(known) + 1
        definition = TaskDefinition(
            account=ACCOUNT,
            region=REGION,
            family=family,
            revision=revision,
            arn=make_arn("task-definition", REGION, ACCOUNT, f"{family}:{revision}"),
            status="ACTIVE",
            registered_at=self.house.clock.now(),
            definition=shape,
        )
        self.house.write(lambda call: task_definitions.create(call.tx, definition))
        return definition

    def serve(self, name: str, desired: int, definition: TaskDefinition, **members: Any) -> str:
        """Create a service; answers its ARN. Percentages and the breaker by `configuration`."""
        asked = members.pop("configuration", DeploymentConfiguration())

        def work(call: Any) -> str:
            number = rollouts.new_number(call.chance)
            service = Service(
                account=ACCOUNT,
                region=REGION,
                cluster="default",
                name=name,
                arn=make_arn("service", REGION, ACCOUNT, "default", name),
                status="ACTIVE",
                created_at=call.now,
                created_by=call.principal.arn,
                desired_count=desired,
                task_definition=definition.arn,
                deployment=rollouts.deployment_id(number),
                deployment_configuration=full_configuration(asked),
                **members,
            )
            services.create(call.tx, service)
            rollouts.begin(call.tx, call.site.names, service, definition, number)
            return service.arn

        return self.house.write(work)

    def update(self, arn: str, definition: TaskDefinition | None = None, **members: Any) -> None:
        """Change a service; with a definition, by a new deployment."""

        def work(call: Any) -> None:
            service = evolve(self._service(call.tx, arn), **members)
            if definition is None:
                services.write(call.tx, service)
                return
            number = rollouts.new_number(call.chance)
            service = evolve(
                service,
                deployment=rollouts.deployment_id(number),
                task_definition=definition.arn,
            )
            service = services.write(call.tx, service)
            rollouts.begin(call.tx, call.site.names, service, definition, number)

        self.house.write(work)

    def change_host(self, one: ScriptedHost, **members: Any) -> None:
        """Drain, undrain or deregister a host."""

        def work(call: Any) -> None:
            found = container_instances.get(call.tx, one.arn)
            assert found is not None
            container_instances.write(call.tx, evolve(found, **members))

        self.house.write(work)

    def condemn(self, tx: Any, arn: str) -> None:
        """Order one task to stop, as StopTask does."""
        task = tasks.get(tx, arn)
        assert task is not None
        tasks.write(tx, ask_to_stop(task, "UserInitiated", "Task stopped by user", tx.now))

    def acknowledge_stop(self, tx: Any, arn: str) -> None:
        """Let an order to stop be taken in, by a host that then forgets it."""
        task = tasks.get(tx, arn)
        assert task is not None
        tasks.write(tx, evolve(task, stop_sequence=99, stop_acknowledged_at=tx.now))

    def forget_host(self, tx: Any, arn: str) -> None:
        """Remove a host's row, as no operation does."""
        found = container_instances.get(tx, arn)
        assert found is not None
        container_instances.delete(tx, found)

    # --- what is to be seen ----------------------------------------------------------------------

    def service(self, arn: str) -> Service:
        return self.house.read(lambda call: self._service(call.tx, arn))

    def instance(self, one: ScriptedHost) -> ContainerInstance:
        found = self.house.read(lambda call: container_instances.get(call.tx, one.arn))
        assert found is not None
        return found

    def tasks(self, arn: str) -> list[Task]:
        """All tasks of a service that are remembered, oldest first."""
        found = self.house.read(lambda call: tasks.of_service(call.tx, arn))
        return sorted(found, key=lambda task: (task.created_at, task.arn))

    def live(self, arn: str) -> list[Task]:
        return [task for task in self.tasks(arn) if not task.is_stopped]

    def running(self, arn: str) -> list[Task]:
        return [
            task
            for task in self.live(arn)
            if task.last_status == "RUNNING" and task.desired_status == "RUNNING"
        ]

    def deployments(self, arn: str) -> list[Any]:
        return self.house.read(lambda call: service_deployments.of_service(call.tx, arn))

    def primary(self, arn: str) -> Any:
        wanted = self.service(arn).deployment
        return next(one for one in self.deployments(arn) if one.id == wanted)

    def events(self, arn: str) -> list[str]:
        """The sentences, oldest first, without the service's name and without random ids."""
        found = self.house.read(lambda call: service_events.newest(call.tx, arn))
        name = arn.rpartition("/")[2]
        return [one.message.removeprefix(f"(service {name}) ") for one in reversed(found)]

    def rows(self) -> dict[str, list[Any]]:
        """Everything that is kept, to be compared."""
        return {
            table.name: self.house.read(lambda call, table=table: table.query().all(call.tx))
            for table in TABLES
        }

    def _service(self, tx: Any, arn: str) -> Service:
        found = services.get(tx, arn)
        assert found is not None
        return found


def capacity(rig: Rig) -> None:
    """No host is ever promised more than it has."""

    def work(call: Any) -> Iterable[tuple[ContainerInstance, list[Task]]]:
        return [
            (one, tasks.live_of_instance(call.tx, one.arn))
            for one in container_instances.live_of_cluster(call.tx, CLUSTER)
        ]

    for one, promised in rig.house.read(work):
        assert sum(task.reserved.cpu for task in promised) <= one.resources.cpu
        assert sum(task.reserved.memory for task in promised) <= one.resources.memory


def projected(rig: Rig) -> None:
    """What is kept of the cluster from write to write is what its rows say."""
    assert not rig.house.write(lambda call: untrue(call.tx, CLUSTER))
