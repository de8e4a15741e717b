"""What befalls a service: reports of its tasks, accidents of its hosts, wishes of its users."""

from collections.abc import Callable, Iterator

from moorage.ecs.rules.deployment.status import UNDER_WAY
from moorage.ground.instant import later, minutes
from moorage.ground.record import Record, evolve
from tests.ecs.properties.service_cases import Happening, ServiceCase
from tests.ecs.properties.service_world import ServiceWorld

DEPLOYMENTS_MAX = 5


def befall(world: ServiceWorld, one: Happening) -> None:
    """One thing that happens to a service, to one of its hosts or to one of its tasks."""
    tasks = world.live()
    if one.what in TO_THE_WORLD:
        TO_THE_WORLD[one.what](world, one)
    elif one.what in TO_A_HOST and world.instances:
        names = sorted(host.name for host in world.instances.values())
        TO_A_HOST[one.what](world, names[one.number % len(names)])
    elif one.what in TO_A_TASK and tasks:
        task = tasks[one.number % len(tasks)]
        if task.connectivity == "CONNECTED" or one.what == "protect":
            TO_A_TASK[one.what](world, task)


def _update(world: ServiceWorld, _: Happening) -> None:
    if len(world.deployments) < DEPLOYMENTS_MAX and world.service.status == "ACTIVE":
        world.update()


def _scale(world: ServiceWorld, one: Happening) -> None:
    if not world.is_daemon and world.service.status == "ACTIVE":
        world.service = evolve(world.service, desired_count=one.number % 9)


def _request(status: str) -> Callable[[ServiceWorld, Happening], None]:
    def ask(world: ServiceWorld, _: Happening) -> None:
        primary = world.deployment()
        if primary.status in UNDER_WAY:
            world.change_deployment(evolve(primary, status=status))

    return ask


def _thaw(world: ServiceWorld, _: Happening) -> None:
    world.freeze = None


TO_THE_WORLD: dict[str, Callable[[ServiceWorld, Happening], object]] = {
    "serve": lambda world, _: world.serve(),
    "undrain": lambda world, _: world.undrain(),
    "update": _update,
    "scale": _scale,
    "wait": lambda world, one: world.wait((1, 3, 11, 31, 61, 400)[one.number % 6]),
    "freeze": lambda world, _: world.hold(),
    "thaw": _thaw,
    "look": lambda world, one: world.look(most=one.cut),
    "rollback": _request("ROLLBACK_REQUESTED"),
    "abort": _request("STOP_REQUESTED"),
}
TO_A_HOST: dict[str, Callable[[ServiceWorld, str], object]] = {
    "lose": lambda world, name: world.lose_host(name, replace_at=world.now),
    "lose braked": lambda world, name: world.lose_host(name, replace_at=None),
    "find": lambda world, name: world.find_host(name),
    "find flapping": lambda world, name: world.find_host(
        name, flapping_until=later(world.now, minutes(5))
    ),
    "confirm": lambda world, name: world.change_lost(name, confirmed_at=world.now),
    "release": lambda world, name: world.change_lost(name, replace_at=world.now),
    "drain": lambda world, name: world.drain(name),
    "crowd": lambda world, name: world.crowd(name),
    "enlarge": lambda world, name: world.enlarge(name),
}


def _stop(world: ServiceWorld, task) -> None:
    if task.desired_status == "STOPPED":
        world.report(task, "STOPPED", exit_code=143)


def _fail(world: ServiceWorld, task) -> None:
    if task.last_status in {"PENDING", "ACTIVATING"}:
        world.report(task, "STOPPED", reason="CannotPullContainerError: gone")


def _crash(world: ServiceWorld, task) -> None:
    if task.last_status == "RUNNING":
        world.report(task, "STOPPED", exit_code=1)


def _protect(world: ServiceWorld, task) -> None:
    if not world.is_daemon:
        until = None if task.protected_until else later(world.now, minutes(len(task.id) % 4 + 1))
        world.tasks[task.arn] = evolve(task, protected_until=until)


def _health(world: ServiceWorld, task) -> None:
    world.health(task, "UNHEALTHY" if int(task.id[1:]) % 3 else "HEALTHY")


TO_A_TASK: dict[str, Callable[..., object]] = {
    "run": lambda world, task: world.report(task, "RUNNING"),
    "stop": _stop,
    "fail": _fail,
    "crash": _crash,
    "health": _health,
    "protect": _protect,
}


# --- a case as a story -------------------------------------------------------------------------


def told(case: ServiceCase) -> Iterator[str]:
    """The service, its hosts and tasks, and what befalls it, a line each."""
    plain = {
        name: getattr(case, name)
        for name in case.__struct_fields__
        if not isinstance(getattr(case, name), tuple) or name == "percentages"
    }
    yield "service: " + ", ".join(f"{name} {value}" for name, value in plain.items())
    for number, host in enumerate(case.hosts):
        yield f"host h{number}: {_members(host)}"
    for number, task in enumerate(case.tasks):
        yield f"task t{number}: {_members(task)}"
    world = ServiceWorld(case)
    for happening in case.happenings:
        befall(world, happening)
        yield f"then: {happening.what} (number {happening.number}, cut {happening.cut})"
    yield f"so that the service is {world.service.status}, wants {world.service.desired_count}"
    for task in world.live():
        yield (
            f"  {task.id} of {task.deployment} on {world.hosts[task.instance].name}: "
            f"{task.last_status} -> {task.desired_status}, {task.connectivity}, {task.health}"
        )


def _members(one: Record) -> str:
    names = one.__struct_fields__
    return ", ".join(f"{name} {getattr(one, name)}" for name in names)
