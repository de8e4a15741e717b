"""Post-mortems: asked for once a task has ended, after its report, and before its containers go."""

import pytest

from moorage.acs.task_messages import Container
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.post_mortems import GATHER_DEADLINE
from moorage.ground.instant import in_seconds
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import World, arn, payload

ONE = arn(1)
SECRET = "hunter2-of-the-environment"


def begin(world: World, *containers: Container) -> None:
    world.feed(payload(a_task(*containers)))
    world.run()


def die(world: World, code: int = 1, name: str = "web", **members) -> list[i.Instruction]:
    return world.feed(world.end(world.of(ONE, name), code, **members))


def asked(answer: list[i.Instruction]) -> list[i.GatherPostMortem]:
    return [one for one in answer if isinstance(one, i.GatherPostMortem)]


def test_it_is_asked_for_with_the_report_and_behind_it(world):
    begin(world)
    answer = die(world, 137, out_of_memory=True)
    names = [type(one).__name__ for one in answer]
    assert names.index("SubmitTaskStateChange") < names.index("GatherPostMortem")
    assert names.index("SaveCheckpoint") < names.index("GatherPostMortem")
    (told,) = asked(answer)
    (container,) = told.post_mortem.containers
    assert told.post_mortem.ended
    assert (container.exit_code, container.out_of_memory) == (137, True)
    assert container.image_digest == "sha256:" + "d" * 64
    assert container.started_at is not None
    assert container.finished_at is not None


def test_only_once_all_containers_have_ended_and_only_once(world):
    begin(world, a_container(), a_container("side", essential=False))
    assert not asked(die(world))
    world.run()
    assert len(world.post_mortems) == 1
    world.tick(100)
    world.begin()
    world.run()
    assert len(world.post_mortems) == 1


def test_a_task_of_which_nothing_was_made_has_none(world):
    world.feed(payload(a_task(moorage=None)))
    world.take()
    world.feed(e.PullFailed(image=a_container().image, reason="no such image"))
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert world.post_mortems == []


def test_a_process_that_died_over_it_asks_again(world):
    begin(world)
    assert asked(die(world))
    world.begin()
    world.run()
    assert [one.task for one in world.post_mortems] == [ONE]


def test_it_waits_for_an_engine_that_is_away(world):
    begin(world)
    world.end(world.of(ONE, "web"), 1)
    world.reachable = False
    world.feed(e.EngineLost())
    assert world.post_mortems == []
    world.reachable = True
    world.feed(e.EngineReturned())
    world.run()
    assert [one.task for one in world.post_mortems] == [ONE]


@pytest.mark.parametrize("gathered", [True, False])
def test_containers_stay_until_their_lines_are_kept_or_the_time_for_it_is_over(world, gathered):
    """Of a service whose stopped tasks are too many, the oldest go at once."""
    lost = None
    for number in range(1, 6):
        world.feed(
            payload(
                a_task(number=number, service_name="web"),
                message_id=f"m{number}",
                seq_num=number,
            )
        )
        world.run()
        world.tick(1)
        world.feed(world.end(world.of(arn(number), "web"), 1))
        if number == 1:
            lost = next(one for one in world.pending if isinstance(one, i.GatherPostMortem))
            world.pending.remove(lost)
        world.run()
    there = {c.labels["com.amazonaws.ecs.task-arn"] for c in world.containers.values()}
    assert arn(1) in there, "its lines are not kept yet"
    assert arn(2) not in there
    assert lost is not None
    if gathered:
        for event in world.perform(lost):
            world.feed(event)
    else:
        world.tick(in_seconds(GATHER_DEADLINE))
    world.run()
    assert world.of(arn(1), "web") is None


def test_no_environment_is_in_it(world):
    begin(world, a_container(environment={"PASSWORD": SECRET}, command=("serve", "--now")))
    die(world)
    world.run()
    assert SECRET not in repr(world.post_mortems)
    assert "--now" not in repr(world.post_mortems)
