"""Random callers, hosts and accidents, all by the public operations: three laws hold after each step.

*Capacity*: no host is ever over-promised. *Monotony*: no status goes back, STOPPED is the end.
*Lineage*: what a host runs belongs to one task of its own.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.acs.messages import PayloadMessage
from moorage.ecs.agents import AGENT
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.status import RANK
from moorage.ecs.store import container_instances, tasks
from moorage.ground.fault import Fault
from moorage.ground.instant import seconds
from tests.builders import EcsHouse, a_container, a_definition, a_host, connect_host
from tests.ecs.controllers.host import Act, ScriptedHost

CPU, MEMORY, PORT = 1024, 1024, 8080
ACTIONS = (
    "run", "start", "stop", "create", "scale", "update", "delete", "drain", "undrain", "cut",
    "lose", "connect", "join", "leave", "deliver", "finish", "slow", "wait", "settle",
)  # fmt: skip


class World(Act):
    """One account with two definitions, some hosts, and whoever calls."""

    def __init__(self) -> None:
        self.house = EcsHouse()
        self.keys: dict[str, Any] = {}
        self.hosts: dict[str, ScriptedHost] = {}
        self.connected: set[str] = set()
        self.known: dict[str, Task] = {}
        fixed = [{"containerPort": 80, "hostPort": PORT}]
        a_definition(self.house, "small", containerDefinitions=[a_container(cpu=300, memory=200)])
        a_definition(
            self.house,
            "port",
            containerDefinitions=[a_container(cpu=100, memory=300, portMappings=fixed)],
        )
        for _ in range(2):
            self.join()

    def join(self, _: int = 0) -> None:
        if len(self.hosts) >= 5:
            return
        key = a_host(self.house, f"h{len(self.hosts)}", cpu=CPU, memory=MEMORY, ports=(22,))
        self.keys[key.instance] = key
        self.hosts[key.instance] = ScriptedHost(key.instance, key.name)
        self.connected.add(key.instance)

    def act(self, action: str, number: int) -> None:
        """Do one thing; a refusal is an answer like any other."""
        try:
            getattr(self, action)(number)
        except Fault as fault:
            if fault.status != 400:
                raise

    def run(self, number: int) -> None:
        family = ("small", "port")[number % 2]
        self.house.ask("RunTask", taskDefinition=family, count=1 + number % 4)

    def start(self, number: int) -> None:
        self.house.ask("StartTask", taskDefinition="port", containerInstances=[self._host(number)])

    def stop(self, number: int) -> None:
        listed = self.house.ask("ListTasks")["taskArns"]
        if listed:
            self.house.ask("StopTask", task=listed[number % len(listed)])

    def create(self, number: int) -> None:
        name = f"s{number % 2}"
        self.house.ask(
            "CreateService",
            serviceName=name,
            taskDefinition=("small", "port")[number % 2],
            desiredCount=number % 4,
        )

    def scale(self, number: int) -> None:
        self.house.ask("UpdateService", service=f"s{number % 2}", desiredCount=number % 5)

    def update(self, number: int) -> None:
        self.house.ask("UpdateService", service=f"s{number % 2}", forceNewDeployment=True)

    def delete(self, number: int) -> None:
        self.house.ask("DeleteService", service=f"s{number % 2}", force=True)

    def drain(self, number: int) -> None:
        self._state(number, "DRAINING")

    def undrain(self, number: int) -> None:
        self._state(number, "ACTIVE")

    def cut(self, number: int) -> None:
        self._away(number, AGENT.disconnected, "closed")

    def lose(self, number: int) -> None:
        self._away(number, AGENT.lost)

    def connect(self, number: int) -> None:
        arn = self._host(number)
        if self._is_live(arn):
            connect_host(self.house, self.keys[arn])
            self.connected.add(arn)
            self._tell(arn, on_connect=True)

    def leave(self, number: int) -> None:
        arn = self._host(number)
        self.house.ask("DeregisterContainerInstance", containerInstance=arn, force=True)
        self.connected.discard(arn)

    def deliver(self, _: int) -> None:
        for arn in sorted(self.connected):
            self._tell(arn, on_connect=False)

    def finish(self, number: int) -> None:
        arn = self._host(number)
        self.hosts[arn].slow = False
        if arn in self.connected:
            self.hosts[arn].finish(self)

    def slow(self, number: int) -> None:
        self.hosts[self._host(number)].slow = True

    def wait(self, number: int) -> None:
        self.house.pass_time(seconds(number))

    def settle(self, _: int) -> None:
        self.house.settle()

    def say(self, host: ScriptedHost, message: Any) -> None:
        """An agent's message, and what is answered at once."""
        key = self.keys[host.arn]
        handler = AGENT.messages[type(message)]
        for reply in self.house.write(lambda call: handler(call, host.arn, message), principal=key):
            host.hear(reply, self)

    def report(self, host: ScriptedHost, request: Any) -> None:
        """A report by the public door."""
        operation = "SubmitTaskStateChange"
        containers = [
            {"containerName": one.container_name, "status": one.status, "exitCode": one.exit_code}
            for one in request.containers
        ]
        self.house.ask(
            operation,
            by=self.keys[host.arn],
            cluster="default",
            task=request.task,
            status=request.status,
            containers=[{k: v for k, v in one.items() if v is not None} for one in containers],
        )

    def check(self) -> None:
        """The three laws."""
        found, instances = self.house.read(
            lambda call: (
                tasks.named(call.tx, tasks.every(call.tx)),
                container_instances.named(call.tx, container_instances.every(call.tx)),
            )
        )
        for arn, instance in instances.items():
            held = [one for one in found.values() if one.instance == arn and not one.is_stopped]
            assert sum(one.reserved.cpu for one in held) <= CPU, "capacity: CPU"
            assert sum(one.reserved.memory for one in held) <= MEMORY, "capacity: memory"
            assert sum(PORT in one.reserved.ports for one in held) <= 1, "capacity: port"
            if instance.status != "INACTIVE":
                for running in self.hosts[arn].running():
                    assert found[running].instance == arn, "lineage: a task of another host"
                    assert not found[running].is_stopped, "lineage: a task that is over runs"
        for arn, before in self.known.items():
            after = found[arn]
            assert RANK[after.last_status] >= RANK[before.last_status], "monotony: status"
            assert (before.desired_status, after.desired_status) != ("STOPPED", "RUNNING")
            assert after.version >= before.version
            if before.is_stopped:
                assert after.stopped_at == before.stopped_at
                assert after.stopped_reason == before.stopped_reason
        self.known = found

    def _host(self, number: int) -> str:
        return list(self.hosts)[number % len(self.hosts)]

    def _state(self, number: int, status: str) -> None:
        self.house.ask(
            "UpdateContainerInstancesState",
            containerInstances=[self._host(number)],
            status=status,
        )

    def _away(self, number: int, handler: Any, *more: Any) -> None:
        arn = self._host(number)
        self.connected.discard(arn)
        self.house.write(lambda call: handler(call, arn, *more), principal=self.keys[arn])

    def _is_live(self, arn: str) -> bool:
        found = self.house.read(lambda call: container_instances.get(call.tx, arn))
        return found.status != "INACTIVE"

    def _tell(self, arn: str, *, on_connect: bool) -> None:
        told = self.house.write(
            lambda call: AGENT.outgoing(call, arn, on_connect), principal=self.keys[arn]
        )
        numbers = [one.seq_num for one in told.messages if isinstance(one, PayloadMessage)]
        assert numbers == sorted(set(numbers)), "payloads are numbered in order, each once"
        for message in told.messages:
            self.hosts[arn].hear(message, self)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 40)), max_size=25))
def test_laws_hold_after_each_step(steps):
    world = World()
    try:
        for action, number in steps:
            world.act(action, number)
            world.check()
        for arn in list(world.connected):
            world._tell(arn, on_connect=True)
            world.hosts[arn].slow = False
            world.hosts[arn].finish(world)
        world.house.settle()
        world.check()
        assert world.house.settle() == 0
    finally:
        world.house.close()
