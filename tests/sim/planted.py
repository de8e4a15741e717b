"""Bugs as people make them, each put in the place of one sound part of a simulated world.

Nothing in production knows of them: tables, classes and rules are handed to the simulator's own
composition (`sim.scene.Make`), which here gets a broken one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

import moorage.ecs.api as ecs
from moorage.acs.patience import Uptime
from moorage.agent.engine import events as ev
from moorage.agent.engine import instructions as to
from moorage.agent.engine.machine import Engine
from moorage.agent.performer import Performer
from moorage.ecs.records.service import StartBackoff
from moorage.ecs.store import container_instances, services, tasks
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.runner import Runner
from moorage.ground.instant import Duration, seconds
from moorage.ground.record import evolve
from moorage.sim.agent import AgentParts
from moorage.sim.plane import Composition
from moorage.sim.scene import Make
from moorage.sql.inline import InlineDatabase


def with_controller(name: str, body: Callable[[Any, Any, str], Any]) -> Make:
    """One controller replaced: `body` is handed the sound one."""

    def broken(sound):
        return replace(sound, body=lambda turn, key: body(sound, turn, key))

    controllers = tuple(broken(one) if one.name == name else one for one in ecs.CONTROLLERS)
    assert any(one.name == name for one in ecs.CONTROLLERS)
    return Make(plane=Composition(controllers=controllers))


def with_operation(name: str, change: Callable[[Any], Any]) -> Make:
    """One operation of ECS replaced."""

    def apis():
        sound = Composition().apis()
        others = [one for one in sound if one.service != "ecs"]
        broken = object.__new__(type(ecs.ECS))
        broken.__dict__.update(ecs.ECS.__dict__)
        broken.operations = {**ecs.ECS.operations, name: change(ecs.ECS.operations[name])}
        return (broken, *others)

    return Make(plane=Composition(apis=apis))


def with_percentages(wrong: Callable[[Any], dict[str, int]]) -> Make:
    """The scheduler reads percentages that nobody wrote: what `wrong` makes of a service."""

    def body(sound, turn, key):
        service = services.get(turn.tx, key)
        if service is None or service.status != "ACTIVE":
            return sound(turn, key)
        right = service.deployment_configuration
        services.SERVICES.put(
            turn.tx, evolve(service, deployment_configuration=evolve(right, **wrong(service)))
        )
        look = sound(turn, key)
        after = services.get(turn.tx, key)
        if after is not None:
            services.SERVICES.put(turn.tx, evolve(after, deployment_configuration=right))
        return look

    return with_controller("deployments", body)


def _one_more(service) -> dict[str, int]:
    each = -(-100 // max(service.desired_count, 1))
    return {"maximum_percent": service.deployment_configuration.maximum_percent + each}


def _none_left(_service) -> dict[str, int]:
    return {"minimum_healthy_percent": 0}


# --- the control plane ----------------------------------------------------------------------------


class Deaf(Runner):
    """A wake-up in twenty is lost."""

    heard = 0

    def changed(self, changes):
        kept = []
        for change in changes:
            self.heard += 1
            if self.heard % 20:
                kept.append(change)
        super().changed(kept)


class Forgetful(InlineDatabase):
    """What is acknowledged is on the disk only now and then."""

    turns = 0
    kept = b""

    def turn(self, works_max=256):
        more = super().turn(works_max)
        self.turns += 1
        if self.turns % 7 == 1:
            self.kept = super().image()
        return more

    def image(self):
        super().image()
        return self.kept


def _no_backoff(sound, turn, key):
    service = services.get(turn.tx, key)
    if service is not None and service.backoff != StartBackoff():
        services.SERVICES.put(turn.tx, evolve(service, backoff=StartBackoff()))
    sound(turn, key)
    service = services.get(turn.tx, key)
    if service is not None and service.status == "ACTIVE":
        services.SERVICES.put(turn.tx, evolve(service, backoff=StartBackoff()))
    return turn.now + seconds(0.5)


def _second_reason(sound, turn, key):
    task = tasks.get(turn.tx, key)
    if task is not None and task.is_stopped and task.stopped_reason:
        tasks.TASKS.put(turn.tx, evolve(task, stopped_reason="Task ended"))
    return sound(turn, key)


def _reset_counter(call, arn, hello):
    refused = ecs.AGENT.connected(call, arn, hello)
    instance = container_instances.get(call.tx, arn)
    if instance is not None and refused is None:
        container_instances.CONTAINER_INSTANCES.put(call.tx, evolve(instance, sequence=0))
    return refused


def _to_another(call, arn, on_connect):
    """What is sent to one host names, now and then, a task of another."""
    found = ecs.AGENT.outgoing(call, arn, on_connect)
    others = [one for one in container_instances.every(call.tx) if one != arn]
    if not others:
        return found
    stray = ecs.AGENT.outgoing(call, others[0], False)
    return evolve(found, payloads=(*found.payloads, *stray.payloads))


def _fails_on_many(operation):
    def body(call, request):
        assert len(request.tasks or ()) < 4, "nobody asks for so many"
        return operation.body(call, request)

    return replace(operation, body=body)


class Unslept(Uptime):
    """It counts the time in which the server itself stood still."""

    __slots__ = ()

    def passed(self, now):
        self.ran = Duration(self.ran + max(0, now - self._last))
        self._last = now


class Hasty(AgentsDoor):
    """Hosts are missed while the server sleeps."""

    async def begin(self):
        await super().begin()
        self._uptime.__class__ = Unslept


# --- the agent ------------------------------------------------------------------------------------


class Panicking(Engine):
    """It stops everything when the server is away for twenty seconds."""

    def handle(self, event, now):
        answer = super().handle(event, now)
        if isinstance(event, ev.ServerSilent) and event.unheard > seconds(20):
            answer += super().handle(ev.HostDeregistered(), now)
        return answer


class Lazy(Performer):
    """One container in eight is said to have stopped, and runs on."""

    told = 0

    async def perform(self, instruction):
        if isinstance(instruction, to.StopContainer):
            self.told += 1
            if self.told % 8 == 0:
                return ev.StopFinished(
                    task_arn=instruction.task_arn,
                    container=instruction.container,
                    attempt=instruction.attempt,
                    exit=None,
                )
        return await super().perform(instruction)


class Doubling(Performer):
    """A container that is started again after a pause gets a twin."""

    specs: dict[str, Any] = {}
    started = 0

    async def perform(self, instruction):
        if isinstance(instruction, to.CreateContainer):
            self.specs[instruction.task_arn] = instruction.spec
        event = await super().perform(instruction)
        if isinstance(event, ev.ContainerStarted):
            self.started += 1
            spec = self.specs.get(event.task_arn)
            if self.started % 6 == 0 and spec is not None:
                twin = await self._runtime.create(evolve(spec, name=f"{spec.name}-again"))
                await self._runtime.start(twin.id)
        return event


BUGS: dict[str, tuple[str, Make]] = {
    "a lost wake-up": ("I4 calm", Make(plane=Composition(runner=Deaf))),
    "an off-by-one in the maximum": ("I3 percent", with_percentages(_one_more)),
    "a minimum that is not kept": ("I3 percent", with_percentages(_none_left)),
    "an acknowledged commit that is lost": (
        "I1 durability",
        Make(plane=Composition(database=Forgetful)),
    ),
    "a client token that is ignored": (
        "I2 idempotency",
        with_operation("RunTask", lambda one: replace(one, idempotency=None)),
    ),
    "a crash loop that nothing holds back": (
        "I14 bounds",
        with_controller("deployments", _no_backoff),
    ),
    "a second reason for a stopped task": (
        "I6 monotony",
        with_controller("tasks", _second_reason),
    ),
    "an epoch that begins anew at each connection": (
        "I10 decider",
        Make(
            plane=Composition(agents=msgspec.structs.replace(ecs.AGENT, connected=_reset_counter))
        ),
    ),
    "an order to the wrong host": (
        "I5 lineage",
        Make(plane=Composition(agents=msgspec.structs.replace(ecs.AGENT, outgoing=_to_another))),
    ),
    "a server that misses hosts while it sleeps": (
        "I15 stability",
        Make(plane=Composition(links=Hasty)),
    ),
    "an internal error": ("I14 bounds", with_operation("DescribeTasks", _fails_on_many)),
    "an agent that panics without its server": (
        "I15 stability",
        Make(agent=AgentParts(engine=Panicking)),
    ),
    "a stop that did not happen": ("I3 engines", Make(agent=AgentParts(performer=Lazy))),
    "a double start": ("I5 lineage", Make(agent=AgentParts(performer=Doubling))),
}
