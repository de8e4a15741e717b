"""Laws of services on hosts that come and go, are drained and braked, while they are frozen or not.

Maximum: on hosts that were connected throughout there are never more tasks than the maximum (I3).
Never two: a service that must not run a task too many does not, lost hosts included, unless a
person said that the tasks there are gone. Last: no surplus takes the last healthy task. Frozen:
nothing moves. Calm: once all is well again, the service is steady within a bound.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.ecs.rules.deployment import census
from moorage.ecs.rules.deployment.hosts import loss_rule
from moorage.ecs.rules.deployment.rolling import percentages, upper_limit
from moorage.ground.instant import later, minutes
from moorage.shapes.ecs.tag import Tag
from tests.ecs.rules.builders import instance_arn
from tests.ecs.rules.deployment.test_freezing import frozen
from tests.ecs.rules.deployment.test_reconcile_laws import CONFIGURATIONS, TO_A_TASK, can_move
from tests.ecs.rules.deployment.world import HOSTS, World

TAGS = st.sampled_from([None, None, "replace", "wait"])


def release(world: World, name: str) -> None:
    if world.hosts[instance_arn(name)].lost_at is not None:
        world.change_host(name, replace_at=world.now)


def confirm(world: World, name: str) -> None:
    if world.hosts[instance_arn(name)].lost_at is not None:
        world.change_host(name, confirmed_at=world.now)


def flap(world: World, name: str) -> None:
    world.find_host(name, flapping_until=later(world.now, minutes(5)))


def brake(world: World, name: str) -> None:
    world.lose_host(name, replace_at=None)


def thaw(world: World, _: str) -> None:
    world.freeze = None


def update(world: World, _: str) -> None:
    if len(world.deployments) < 4:
        world.update()


HAPPENINGS = {
    "lose": World.lose_host,
    "lose braked": brake,
    "release": release,
    "confirm": confirm,
    "return": World.find_host,
    "return flapping": flap,
    "drain": World.drain,
    "undrain": lambda world, _: world.undrain(),
    "freeze": lambda world, _: frozen(world),
    "thaw": thaw,
    "update": update,
    "serve": lambda world, _: world.serve(),
    "settle": lambda world, _: (world.serve(), world.wait(11)),
    "wait": lambda world, _: world.wait(1),
    "wait long": lambda world, _: world.wait(400),
}


def happen(world: World, data) -> bool:
    """One thing; answers whether a person has written tasks off."""
    what = data.draw(st.sampled_from([*HAPPENINGS, "a task"]))
    if what != "a task":
        HAPPENINGS[what](world, data.draw(st.sampled_from(HOSTS)))
        return what == "confirm"
    event = data.draw(st.sampled_from(["run", "stop", "fail", "crash", "health"]))
    reached = [one for one in world.live() if one.connectivity == "CONNECTED"]
    if reached:
        TO_A_TASK[event][1](world, data.draw(st.sampled_from(reached)))
    return False


def there(world: World, arns) -> int:
    """How many tasks may be running on these hosts, whatever was ordered."""
    return sum(one.instance in arns for one in world.live())


def act(world: World, data) -> None:
    """One look, carried out; what moves by itself must not when it is frozen or the last."""
    taken = census.take(world.state(), world.now)
    before = taken.healthy(taken.staying)
    placeable = data.draw(st.sampled_from([None, None, 0, 1]))
    plan = world.act(placeable=placeable)
    if world.freeze is not None:
        assert (plan.start, plan.stop) == ((), ())
    if before and not taken.leaving and world.service.desired_count:
        after = census.take(world.state(), world.now)
        assert after.healthy(after.staying) > 0, "the last healthy task was stopped"


@settings(max_examples=250, deadline=None)
@given(st.data(), CONFIGURATIONS, TAGS, st.booleans(), st.integers(1, 5))
def test_hosts_may_come_and_go(data, configuration, tag, checked, desired):
    tags = [Tag(key="moorage:on-host-loss", value=tag)] if tag else []
    world = World(desired, *configuration, checked=checked, tags=tags)
    if data.draw(st.booleans()):
        world.settle()
    most = upper_limit(desired, percentages(world.configuration)[1])
    wary, written_off = not loss_rule(world.service).replaces, False
    for _ in range(data.draw(st.integers(0, 30))):
        written_off |= happen(world, data)
        act(world, data)
        assert there(world, world.throughout) <= most, "too many on hosts that never went"
        if wary and not written_off:
            assert there(world, set(world.hosts)) <= most, "one too many"
    thaw(world, "")
    world.undrain()
    for name in HOSTS:
        world.find_host(name)
        world.change_host(name, flapping_until=None)
    if can_move(world):
        world.settle()


@settings(max_examples=100, deadline=None)
@given(st.data(), CONFIGURATIONS)
def test_what_is_done_and_asked_again_answers_nothing(data, configuration):
    world = World(3, *configuration, sent=True)
    for _ in range(data.draw(st.integers(0, 20))):
        happen(world, data)
        world.act()
        again = world.reconcile()
        assert (again.start, again.stop, again.judged) == ((), (), ()), again
        assert again.service is None, again
        assert again.deployments == (), again


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(100, 200), (50, 200), (0, 200), (100, 150)]), st.integers(1, 5))
def test_surplus_of_a_return_is_gone_within_a_moment(configuration, desired):
    """Three seconds of looking, and what is left is the hosts' to stop."""
    world = World(desired, *configuration)
    world.settle()
    world.lose_host("h2")
    world.settle()
    world.find_host("h2")
    for _ in range(3):
        world.act()
        world.wait(1)
    world.act()
    wanted = [one for one in world.live() if one.desired_status == "RUNNING"]
    assert len(wanted) == desired
