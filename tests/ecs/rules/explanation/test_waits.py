"""What a service waits for."""

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.explanation.filters import funnel
from moorage.ecs.rules.explanation.waits import ServiceCase, waits
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.instant import earlier, later, minutes, seconds
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.world import World


def a_case(world: World) -> ServiceCase:
    wants = Wants(needs=Resources(), group="service:web")
    room = funnel(wants, cluster_view([], []))
    names = {arn: host.name for arn, host in world.hosts.items()}
    return ServiceCase(state=world.state(), now=world.now, room=room, names=names)


def test_tasks_that_have_not_settled_are_waited_for_until_the_last_has():
    world = World(2)
    world.settle()
    for ago, task in enumerate(world.live()):
        world.tasks[task.arn] = evolve(task, started_at=earlier(world.now, seconds(4 * ago)))
    (found,) = [one for one in waits(a_case(world)) if "not counted as healthy yet" in one.text]
    assert found.until == later(world.now, seconds(10))


def test_protected_tasks_are_waited_for_until_their_protection_ends():
    world = World(2, sent=True)
    world.settle()
    kept, other = world.live()
    until = later(world.now, minutes(7))
    world.tasks[kept.arn] = evolve(kept, protected_until=until)
    world.update()
    told = {wait.text: wait.until for wait in waits(a_case(world))}
    name = world.hosts[kept.instance].name
    assert told[f"To stop once their protection has ended: 1 task ({kept.id} on {name})."] == until
    (leaving,) = [text for text in told if text.startswith("To leave")]
    assert other.id in leaving
    assert kept.id not in leaving
