"""Why a host gets no tasks, and what it holds and promises."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.explanation.filters import lack
from moorage.ecs.rules.explanation.waits import tasks
from moorage.ecs.rules.placement.constraint import Wants, obstacle
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.record import Record


class Resource(Record):
    """What a host has of one resource, what its tasks were promised of it, and what is left."""

    name: str
    has: int
    promised: int

    @property
    def left(self) -> int:
        """What another task may have; below zero where the host has shrunk since."""
        return self.has - self.promised


class Holding(Record):
    """One live task of a host, and what it was promised there; ports as `80/tcp`."""

    task: Task
    ports: tuple[str, ...]
    whose: str


class Waiting(Record):
    """What one more task of a service that waits for room wants, and on whose hosts, if it matters.

    `providers` are the names of the capacity providers that it waits for; empty for any host.
    """

    wants: Wants
    providers: tuple[str, ...] = ()


class HostExplanation(Record):
    """In one sentence; what it has; what each task holds; and why it gets no tasks."""

    headline: str
    resources: tuple[Resource, ...]
    holdings: tuple[Holding, ...]
    reserved: tuple[str, ...]
    reasons: tuple[str, ...]


def explain(
    load: HostLoad,
    live: Sequence[Task],
    waiting: Mapping[str, Waiting],
    others: HostLoad | None = None,
) -> HostExplanation:
    """The explanation of one host with its live tasks.

    `waiting` is what each service of its cluster wants that waits for room, by name.
    `others` is the host as all but daemons see it, without what is kept for those.
    """
    seen = others or load
    instance, has = load.instance, load.instance.resources
    ordered = sorted(live, key=lambda one: (-one.reserved.memory, one.arn))
    whole = (
        Resource(name="CPU", has=has.cpu, promised=has.cpu - load.cpu),
        Resource(name="MEMORY", has=has.memory, promised=has.memory - load.memory),
        Resource(name="GPU", has=has.gpus, promised=has.gpus - load.gpus),
    )
    name = instance.name or instance.id
    nothing = Wants(needs=type(has)(), group="")
    general = obstacle(nothing, load)
    reasons = [f"It takes no task at all: it {lack(general)}."] if general is not None else []
    if seen.kept_for:
        daemons = ", ".join(group.partition(":")[2] for group in seen.kept_for)
        reasons.append(
            f"It keeps {load.cpu - seen.cpu} CPU units and {load.memory - seen.memory} MiB for the "
            f"tasks of daemons that it lacks: {daemons}."
        )
    for service, one in sorted(waiting.items()):
        found = _unfit(one, load, seen)
        if found and general is None:
            reasons.append(f"Service {service} waits for room, and not here: the host {found}.")
    takes = "takes no new task" if general is not None else "takes tasks"
    return HostExplanation(
        headline=(
            f"Host {name} {takes}. It holds {tasks(len(live))} and has {load.cpu} of {has.cpu} CPU "
            f"units and {load.memory} of {has.memory} MiB left."
        ),
        resources=tuple(one for one in whole if one.has or one.promised),
        holdings=tuple(_holding(one) for one in ordered),
        reserved=ports_of(has.ports, has.ports_udp),
        reasons=tuple(reasons),
    )


def _unfit(one: Waiting, load: HostLoad, seen: HostLoad) -> str:
    """Why a host takes none of a service's tasks, "" where it would."""
    if one.providers and load.instance.capacity_provider not in one.providers:
        return f"is none of the capacity provider {' or '.join(one.providers)}"
    found = obstacle(one.wants, load if one.wants.group in seen.kept_for else seen)
    return "" if found is None else lack(found)


def ports_of(tcp: Sequence[int], udp: Sequence[int]) -> tuple[str, ...]:
    """`80/tcp`, `53/udp` ..."""
    return (*(f"{port}/tcp" for port in tcp), *(f"{port}/udp" for port in udp))


def _holding(task: Task) -> Holding:
    bound = {
        f"{one.host_port}/{one.protocol or 'tcp'}"
        for container in task.containers
        for one in container.network_bindings
        if one.host_port
    }
    fixed = ports_of(task.reserved.ports, task.reserved.ports_udp)
    return Holding(
        task=task,
        ports=tuple(sorted({*fixed, *bound})),
        whose=task.service.rpartition("/")[2] or f"{task.family}:{task.revision}",
    )
