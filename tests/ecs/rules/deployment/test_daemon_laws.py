"""Laws of daemon services, driven by chance and interrupted after every step.

Safety (`DaemonWorld.act`): never two on one host, none where there is no room, and by our own doing
no fewer healthy ones than the minimum where they belong. Liveness: in the end one on each host where
it belongs. Calm: what is done and asked again answers nothing.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecs.rules.deployment.rolling import lower_limit
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.daemon_world import DaemonWorld

NAMES = ("h1", "h2", "h3", "h4", "h5")
MEMBERS = st.sampled_from(
    [(), ("attribute:ecs.availability-zone == a",), ("runningTasksCount < 3",)]
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "run", "run", "serve", "serve", "crash", "fail", "health", "stop", "update",
                "join", "drain", "undrain", "lose", "find", "suspect", "sound", "rezone",
                "crowd", "leave", "wait",
            ]
        ),
        st.integers(0, 400),
        st.integers(1, 9),
    ),
    max_size=25,
)  # fmt: skip


def happen(world: DaemonWorld, event: str, number: int) -> None:
    """One thing that happens to the service, a host, or one of the tasks."""
    hosts = sorted(world.instances.values(), key=lambda one: one.arn)
    host = hosts[number % len(hosts)].name
    tasks = [task for task in world.live() if task.connectivity == "CONNECTED"]
    task = tasks[number % len(tasks)] if tasks else None
    to_hosts = {
        "join": lambda: world.join(NAMES[number % len(NAMES)]) if _is_new(world, number) else None,
        "drain": lambda: world.drain(host),
        "undrain": world.undrain,
        "lose": lambda: world.lose_host(host),
        "find": lambda: world.find_host(host),
        "suspect": lambda: world.change_host(host, suspect=True),
        "sound": lambda: world.change_host(host, suspect=False),
        "rezone": lambda: world.change_host(host, attributes=()),
        "crowd": lambda: world.other(host, cpu=1900),
        "leave": world.others.clear,
        "wait": lambda: world.wait(number),
        "serve": world.serve,
        "update": lambda: world.update() if len(world.deployments) < 4 else None,
    }
    if event in to_hosts:
        to_hosts[event]()
    elif task is not None:
        touch(world, task, event, number)


def _is_new(world: DaemonWorld, number: int) -> bool:
    return NAMES[number % len(NAMES)] not in {one.name for one in world.instances.values()}


def touch(world: DaemonWorld, task, event: str, number: int) -> None:
    status = task.last_status
    if event == "health":
        world.health(task, "HEALTHY" if number % 2 else "UNHEALTHY")
    elif event == "run":
        world.report(task, "RUNNING")
    elif event == "fail" and status == "PENDING":
        world.report(task, "STOPPED", reason="CannotPullContainerError: gone")
    elif (event == "crash" and status == "RUNNING") or (
        event == "stop" and task.desired_status == "STOPPED"
    ):
        world.report(task, "STOPPED", exit_code=1)


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.sampled_from([0, 34, 50, 75]), st.booleans(), MEMBERS)
def test_the_laws_hold_after_every_step_and_all_converges(story, minimum, checked, members):
    world = DaemonWorld(minimum, checked=checked, members=members)
    for event, number, cut in story:
        happen(world, event, number)
        world.act(keep=lambda step, cut=cut: step < cut)
    world.undrain()
    world.others.clear()
    for one in list(world.instances.values()):
        world.change_host(one.name, suspect=False)
        world.find_host(one.name)
    belongs = len(world.survey().targets)
    if belongs and lower_limit(belongs, minimum) == belongs:
        return  # the minimum forbids every move
    world.settle()
    targets = {arn.rpartition("/")[2] for arn in world.survey().targets}
    assert set(world.on()) == targets


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.sampled_from([0, 50]), st.booleans(), MEMBERS)
def test_what_is_done_and_asked_again_answers_nothing(story, minimum, checked, members):
    world = DaemonWorld(minimum, checked=checked, sent=True, members=members)
    for event, number, _ in story:
        happen(world, event, number)
        world.act()
        again = world.reconcile()
        assert (again.start, again.stop, again.service) == ((), (), None)
        assert (again.deployments, again.judged) == ((), ())


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_a_daemon_is_the_last_on_a_draining_host(story):
    world = DaemonWorld()
    world.settle()
    world.other("h1", "batch")
    world.drain("h1")
    belongs = world.on()
    for event, number, _ in story:
        if event not in {"undrain", "leave", "crash", "lose"}:
            happen(world, event, number)
        plan = world.act()
        stopping = {world.tasks[one.task].instance.rpartition("/")[2] for one in plan.stop}
        assert "h1" not in stopping
    assert "h1" in belongs
    for name in list(world.others):
        world.others[name] = evolve(world.others[name], last_status="STOPPED")
    world.act()
    world.serve()
    world.act()
    assert "h1" not in world.on()
