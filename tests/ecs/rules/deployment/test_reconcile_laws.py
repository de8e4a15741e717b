"""Laws of deployments, driven step by step by chance and interrupted after every step.

Safety: by our own doing, healthy tasks never fall below the minimum and there are never more tasks
than the maximum (`World.check`, after every single step). Liveness: once nothing fails any more,
the service is steady within a bound. Calm: what is done and asked again answers nothing.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecs.rules.deployment.rolling import lower_limit, percentages, upper_limit
from moorage.ground.instant import later, minutes
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World

CONFIGURATIONS = st.sampled_from(
    [
        (100, 200),
        (0, 100),
        (50, 100),
        (50, 200),
        (0, 200),
        (0, 150),
        (100, 150),
        (75, 125),
        (34, 134),
    ]
)


def can_move(world: World) -> bool:
    """Whether the percentages allow any move at all; the tables hold what is said where not."""
    desired = world.service.desired_count
    minimum, maximum = percentages(world.configuration)
    return upper_limit(desired, maximum) > desired or lower_limit(desired, minimum) < desired


def hurt(world: World, data) -> None:
    """One thing that happens to a service, its tasks or its hosts."""
    tasks = world.live()
    event = data.draw(
        st.sampled_from(
            [
                "run",
                "run",
                "run",
                "stop",
                "fail",
                "crash",
                "health",
                "protect",
                "lose",
                "find",
                "update",
                "scale",
                "drain",
                "undrain",
                "wait",
                "wait",
                "serve",
                "settled",
            ]
        )
    )
    if event in TO_THE_WORLD:
        TO_THE_WORLD[event](world, data)
    elif tasks:
        touch(world, data.draw(st.sampled_from(tasks)), event)


def update(world: World, _data) -> None:
    if len(world.deployments) < 4:
        world.update()


def scale(world: World, data) -> None:
    world.service = evolve(world.service, desired_count=data.draw(st.integers(0, 6)))


def wait(world: World, data) -> None:
    world.wait(data.draw(st.sampled_from([0, 1, 5, 11, 400])))


TO_THE_WORLD = {
    "update": update,
    "scale": scale,
    "drain": lambda world, _: world.drain("h1"),
    "undrain": lambda world, _: world.undrain(),
    "wait": wait,
    "settled": wait,
    "serve": lambda world, _: world.serve(),
}


def touch(world: World, task, event: str) -> None:
    """One thing that happens to one task, where it can."""
    reachable, happens = TO_A_TASK[event]
    if not reachable or task.connectivity != "DISCONNECTED":
        happens(world, task)


def stop(world: World, task) -> None:
    if task.desired_status == "STOPPED":
        world.report(task, "STOPPED", exit_code=143)


def fail(world: World, task) -> None:
    if task.last_status == "PENDING":
        world.report(task, "STOPPED", reason="CannotPullContainerError: gone")


def crash(world: World, task) -> None:
    if task.last_status == "RUNNING":
        world.report(task, "STOPPED", exit_code=1)


def check_health(world: World, task) -> None:
    world.health(task, "UNHEALTHY" if int(task.id[1:]) % 3 else "HEALTHY")


def protect(world: World, task) -> None:
    until = None if task.protected_until else later(world.now, minutes(int(task.id[1:]) % 4 + 1))
    world.tasks[task.arn] = evolve(task, protected_until=until)


# event: whether its host must be reachable, and what happens
TO_A_TASK = {
    "lose": (False, lambda world, task: world.lose(task)),
    "find": (False, lambda world, task: world.find_again(task)),
    "run": (True, lambda world, task: world.report(task, "RUNNING")),
    "stop": (True, stop),
    "fail": (True, fail),
    "crash": (True, crash),
    "health": (True, check_health),
    "protect": (False, protect),
}


@settings(max_examples=150, deadline=None)
@given(st.data(), CONFIGURATIONS, st.booleans(), st.integers(0, 5))
def test_the_minimum_and_the_maximum_hold_after_every_step_and_all_converges(
    data, configuration, checked, desired
):
    minimum, maximum = configuration
    world = World(desired, minimum, maximum, checked=checked)
    for _ in range(data.draw(st.integers(0, 25))):
        hurt(world, data)
        cut = data.draw(st.integers(1, 12))
        placeable = data.draw(st.sampled_from([None, None, 0, 1]))
        world.act(keep=lambda step, cut=cut: step < cut, placeable=placeable)
    if data.draw(st.booleans()):
        world.undrain()
    for task in world.live():
        world.find_again(task)
    if can_move(world):
        world.settle()


@settings(max_examples=100, deadline=None)
@given(st.data(), CONFIGURATIONS, st.booleans(), st.booleans())
def test_a_deployment_with_a_breaker_ends_steady_or_failed(data, configuration, rollback, ready):
    world = World(3, *configuration, breaker={"enable": True, "rollback": rollback})
    if ready:
        world.settle()
        world.update()
    for _ in range(data.draw(st.integers(0, 25))):
        hurt(world, data)
        world.act()
    world.undrain()
    for task in world.live():
        world.find_again(task)
    primary = world.deployment()
    if primary.rollout_state != "FAILED":
        if can_move(world):
            world.settle()
        return
    before = len(world.tasks)
    for _ in range(20):
        world.act()
        world.serve()
        world.wait(30)
    assert len(world.tasks) == before, "a failed deployment starts nothing more"


@settings(max_examples=100, deadline=None)
@given(st.data(), CONFIGURATIONS, st.booleans())
def test_what_is_done_and_asked_again_answers_nothing(data, configuration, checked):
    world = World(3, *configuration, checked=checked, sent=True)
    for _ in range(data.draw(st.integers(0, 15))):
        hurt(world, data)
        world.act()
        again = world.reconcile()
        # A rollback is carried out in two looks, the first of which only turns the service round.
        assert not again.start, again
        assert not again.stop, again
        assert again.service is None, again
        assert not again.deployments, again
        assert not again.judged, again
