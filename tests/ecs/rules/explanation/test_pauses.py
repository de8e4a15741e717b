"""What is told of a service whose deployment is paused, or has failed and is not given up."""

import pytest

from moorage.ecs.rules.explanation.filters import Funnel
from moorage.ecs.rules.explanation.waits import ServiceCase, waits
from moorage.ground.record import evolve
from tests.ecs.rules.deployment.test_lifecycle import calm, paused
from tests.ecs.rules.deployment.test_progress import overdue, stuck
from tests.ecs.rules.deployment.world import World


def told(world: World) -> list[str]:
    room = Funnel(hosts=3, takers=("h1", "h2", "h3"), filters=())
    return [one.text for one in waits(ServiceCase(state=world.state(), now=world.now, room=room))]


def test_a_pause_says_how_it_ends():
    world = paused("PRE_SCALE_UP")
    calm(world)
    primary = world.deployment()
    (first, *_) = told(world)
    assert first == (
        "Its newest deployment ecs-svc/2 is paused at PRE_SCALE_UP by a lifecycle hook. To go on: "
        f"aws ecs continue-service-deployment --service-deployment-arn {primary.arn} --hook-id "
        f"{primary.hooks[0].id} (or with --action ROLLBACK). By then follows ROLLBACK."
    )


@pytest.mark.parametrize(
    ("breaker", "then"),
    [
        ({}, "it is tried further."),
        ({"enable": True}, "nothing more of it is started until the service is updated."),
    ],
)
def test_what_has_failed_is_tried_further_or_not(breaker, then):
    world = overdue(stuck(breaker=breaker))
    (first, *_) = told(world)
    assert first.startswith("Its newest deployment ecs-svc/2 has failed (ECS deployment ecs-svc/2")
    assert first.endswith(f": {then}")


def test_what_was_aborted_before_its_first_task_keeps_the_old_ones():
    world = paused("PRE_SCALE_UP")
    world.change_deployment(evolve(world.deployment(), status="STOP_REQUESTED"))
    calm(world)
    assert told(world)[0].endswith(
        ": the tasks of ecs-svc/1 are kept until the service is updated."
    )
