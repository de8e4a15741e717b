"""Clusters and requests, drawn: hosts of several sizes and conditions, what runs there, who asks.

`built` makes the product's records of a case; `place_oracle` reads the same case with its own eyes.
"""

from collections.abc import Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task
from moorage.ground.instant import Instant, hours
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.container_instance import Resource
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.properties import expressions
from tests.ecs.properties.drawing import Draw
from tests.ecs.rules.builders import NOW, a_task, an_instance

ALL = "ALL"
GROUPS = ("service:web", "service:db", "family:job")
PORTS = (80, 81, 443, 8080)
SHARED_ENGINE = "moorage.shared-engine"

# What a host may be in, beside being sound; each with the members of its record.
CONDITIONS = {
    "sound": {},
    "draining": {"status": "DRAINING"},
    "gone": {"status": "INACTIVE"},
    "suspect": {"suspect": True},
    "away": {"connected": False, "disconnected_at": NOW},
    "lost": {"connected": False, "disconnected_at": NOW, "lost_at": NOW},
    "impaired": {"runtime_status": "IMPAIRED"},
    "without engine": {"engine_gone_at": NOW},
    "flapping": {"flapping_until": Instant(NOW + hours(1))},
    "draining and lost": {"status": "DRAINING", "connected": False, "lost_at": NOW},
}
STRATEGIES = (
    ("spread", "attribute:ecs.availability-zone"),
    ("spread", "attribute:rack"),
    ("spread", "attribute:missing"),
    ("spread", "instanceId"),
    ("spread", "host"),
    ("binpack", "cpu"),
    ("binpack", "memory"),
    ("binpack", "MEMORY"),
    ("random", ""),
)


class HostDraw(Record):
    """One host; `gpus` are as many devices, `rack`, `size` and `bare` attributes where not None."""

    cpu: int
    memory: int
    zone: str
    condition: str = "sound"
    gpus: int = 0
    rack: str | None = None
    size: str | None = None
    bare: bool = False
    shared_engine: bool = False
    ports: tuple[int, ...] = ()
    ports_udp: tuple[int, ...] = ()
    version: str = "1.105.1"
    age_hours: int = 0


class TaskDraw(Record):
    """A task that is there already; what its host cannot give it goes without saying."""

    host: int
    group: str
    status: str
    cpu: int
    memory: int
    ports: tuple[int, ...] = ()
    ports_udp: tuple[int, ...] = ()
    gpus: int = 0
    told_to_stop: bool = False


class Wish(Record):
    """One container of a request: soft and hard memory, ports (container, host, protocol), GPUs."""

    cpu: int = 0
    memory: int | None = None
    reservation: int | None = None
    ports: tuple[tuple[int, int, str], ...] = ()
    gpus: str = ""


class Ask(Record):
    """`count` tasks of one definition; `avoided` are hosts by number, `numbers` seeds the chance.

    `of_task` are CPU and memory of the whole task, where they are said. `counted`: spreads balance
    the tasks of a newest deployment, here those on every other host.
    """

    containers: tuple[Wish, ...]
    group: str
    count: int
    network: str = "bridge"
    of_task: tuple[str, str] | None = None
    strategies: tuple[tuple[str, str], ...] = ()
    distinct: bool = False
    members: tuple[expressions.Tree, ...] = ()
    attributes: tuple[tuple[str, str | None], ...] = ()
    avoided: tuple[int, ...] = ()
    counted: bool = False
    numbers: int = 0
    spelling: int = 0
    ends: int = 0


class PlaceCase(Record):
    """A cluster, and what is asked of it one after another; `daemons` have room kept for them."""

    hosts: tuple[HostDraw, ...]
    tasks: tuple[TaskDraw, ...]
    asks: tuple[Ask, ...]
    daemons: tuple[Ask, ...] = ()


def drawn(draw: Draw) -> PlaceCase:
    """A cluster of 1 to 30 hosts, mostly few, and one to three requests."""
    scale = draw.one_of((3, 6, 6, 10, 10, 30))
    hosts = tuple(_host(draw) for _ in range(draw.between(1, scale)))
    tasks = tuple(_task(draw, len(hosts)) for _ in range(draw.below(2 * len(hosts) + 1)))
    asks = tuple(_ask(draw, len(hosts)) for _ in range(draw.one_of((1, 1, 2, 3))))
    daemons = tuple(
        Ask(
            containers=(_wish(draw, 3),),
            group=f"service:daemon{number}",
            count=0,
            members=_members(draw),
        )
        for number in range(draw.one_of((0, 0, 0, 1, 2)))
    )
    return PlaceCase(hosts=hosts, tasks=tasks, asks=asks, daemons=daemons)


def _host(draw: Draw) -> HostDraw:
    plain = draw.likely(60)
    size = draw.one_of((512, 1024, 2048, 4096, 8192))
    if plain:
        return HostDraw(cpu=size, memory=size, zone=draw.one_of("abc"))
    ports = tuple(sorted({draw.one_of(PORTS) for _ in range(draw.below(3))}))
    return HostDraw(
        cpu=draw.one_of((size, draw.below(2048))),
        memory=draw.one_of((size, draw.below(2048))),
        zone=draw.one_of(("a", "b", "c", "")),
        condition=draw.one_of(("sound", "sound", *CONDITIONS)),
        gpus=draw.one_of((0, 0, 1, 2, 4)),
        rack=draw.one_of((None, "x", "y", "z")),
        size=draw.one_of((None, "2", "10", "10.5", "1.9.0", "1.10.0", "large")),
        bare=draw.likely(20),
        shared_engine=draw.likely(15),
        ports=ports,
        ports_udp=ports[:1] if draw.likely(30) else (),
        version=draw.one_of(("", "1.9.0", "1.105.1", "2.0")),
        age_hours=draw.one_of((0, 24, 24 * 500)),
    )


def _task(draw: Draw, hosts: int) -> TaskDraw:
    status = draw.one_of(("PENDING", "ACTIVATING", "RUNNING", "RUNNING", "STOPPING", "STOPPED"))
    plain = draw.likely(60)
    return TaskDraw(
        host=draw.below(hosts),
        group=draw.one_of(GROUPS),
        status=status,
        cpu=draw.one_of((0, 64, 128, 256)),
        memory=draw.one_of((0, 64, 128, 256)),
        ports=() if plain else (draw.one_of(PORTS),),
        ports_udp=() if plain or draw.likely(70) else (draw.one_of(PORTS),),
        gpus=0 if plain else draw.below(3),
        told_to_stop=draw.likely(15),
    )


def _wish(draw: Draw, most: int) -> Wish:
    hard = draw.one_of((None, 64, 128, 200, 256, 512))
    soft = draw.one_of((None, None, 32, 64, 128))
    return Wish(
        cpu=draw.one_of((0, 10, 64, 128, 256, 512)),
        memory=hard,
        reservation=soft,
        ports=draw.some(
            most,
            lambda one: (one.one_of(PORTS), one.one_of((0, *PORTS)), one.one_of(("tcp", "udp"))),
        )
        if draw.likely(25)
        else (),
        gpus=draw.one_of(("1", "1", "2", ALL)) if draw.likely(8) else "",
    )


def _ask(draw: Draw, hosts: int) -> Ask:
    whole = draw.likely(20)
    return Ask(
        containers=tuple(_wish(draw, 2) for _ in range(draw.one_of((1, 1, 1, 2, 3)))),
        group=draw.one_of(GROUPS),
        count=draw.one_of((1, 2, 3, 4, 5, 6, 8, 20)),
        network=draw.one_of(("bridge", "bridge", "bridge", "host", "none")),
        of_task=(draw.one_of(("128", "256")), draw.one_of(("64", "300"))) if whole else None,
        strategies=tuple(draw.one_of(STRATEGIES) for _ in range(draw.one_of((0, 1, 1, 2, 3, 5)))),
        distinct=draw.likely(12),
        members=_members(draw),
        attributes=_attributes(draw) if draw.likely(15) else (),
        avoided=draw.some(4, lambda one: one.below(hosts)) if draw.likely(25) else (),
        counted=draw.likely(20),
        numbers=draw.below(2**32),
        spelling=draw.below(8),
        ends=draw.one_of((0, 0, 1, 3)),
    )


def _members(draw: Draw) -> tuple[expressions.Tree, ...]:
    if not draw.likely(30):
        return ()
    return tuple(expressions.drawn(draw) for _ in range(draw.one_of((1, 1, 2))))


def _attributes(draw: Draw) -> tuple[tuple[str, str | None], ...]:
    return draw.one_of(
        (
            (("rack", "x"),),
            (("rack", None),),
            (("bare", None),),
            (("rack", "y"), ("bare", None)),
            (("capability.none", None),),
        )
    )


# --- the records of a case ---------------------------------------------------------------------


def instances(case: PlaceCase) -> list[ContainerInstance]:
    """The hosts of a case."""
    return [_instance(number, one) for number, one in enumerate(case.hosts)]


def _instance(number: int, one: HostDraw) -> ContainerInstance:
    given = {"rack": one.rack, "size": one.size, "ecs.availability-zone": one.zone or None}
    attributes: dict[str, str | None] = {
        name: value for name, value in given.items() if value is not None
    }
    attributes |= {"bare": None} if one.bare else {}
    attributes |= {SHARED_ENGINE: "one"} if one.shared_engine else {}
    ids = tuple(f"GPU-{number}-{device}" for device in range(one.gpus))
    host = an_instance(
        f"h{number}",
        cpu=one.cpu,
        memory=one.memory,
        attributes=attributes,
        agent_version=one.version,
        custom_resources=(
            Resource(name="licences", type="INTEGER", integer_value=number),
            Resource(name="colours", type="STRINGSET", string_set_value=["red", "blue"]),
        ),
        **CONDITIONS[one.condition],
    )
    return evolve(
        host,
        registered_at=Instant(NOW - hours(one.age_hours)),
        attributes=tuple(x for x in host.attributes if one.zone or x.name in attributes),
        resources=Resources(
            cpu=one.cpu,
            memory=one.memory,
            ports=one.ports,
            ports_udp=one.ports_udp,
            gpus=one.gpus,
            gpu_ids=ids,
        ),
    )


def tasks(case: PlaceCase, hosts: Sequence[ContainerInstance]) -> list[Task]:
    """The tasks of a case, each with as much as its host still has to give."""
    left = {one.arn: one.resources for one in hosts}
    found: list[Task] = []
    for number, one in enumerate(case.tasks):
        if not hosts:
            break
        host = hosts[one.host % len(hosts)]
        has = left[host.arn]
        takes = Resources(
            cpu=min(one.cpu, has.cpu),
            memory=min(one.memory, has.memory),
            ports=tuple(port for port in one.ports if port not in has.ports),
            ports_udp=tuple(port for port in one.ports_udp if port not in has.ports_udp),
            gpus=len(has.gpu_ids[: one.gpus]),
            gpu_ids=has.gpu_ids[: one.gpus],
        )
        if one.status != "STOPPED":
            left[host.arn] = Resources(
                cpu=has.cpu - takes.cpu,
                memory=has.memory - takes.memory,
                ports=has.ports + takes.ports,
                ports_udp=has.ports_udp + takes.ports_udp,
                gpu_ids=has.gpu_ids[one.gpus :],
            )
        found.append(
            a_task(
                f"t{number}",
                host=host.name,
                group=one.group,
                last_status=one.status,
                desired_status="STOPPED" if one.told_to_stop else "RUNNING",
                reserved=takes,
            )
        )
    return found


def strategies(ask: Ask) -> tuple[PlacementStrategy, ...]:
    """The strategies as they are asked for."""
    return tuple(
        PlacementStrategy(type=kind, field=field or None) for kind, field in ask.strategies
    )
