"""Healing: who is run again in place while the server is away, when, and what is told of it."""

import pytest

from moorage.acs.task_messages import (
    Container,
    ContainerDependency,
    RestartPolicy,
    Task,
    TaskExtras,
)
from moorage.agent.engine import events as e
from moorage.agent.engine import healing
from moorage.agent.engine import instructions as i
from moorage.agent.records.container import Health
from moorage.ground.instant import Duration, later, seconds
from tests.agent.engine.builders import a_container, a_task, kinds
from tests.agent.engine.world import World, arn, payload

HEALED = TaskExtras(service_name="web", heal_after_seconds=10.0)
ONE = arn(1)


def silent(world: World, unheard: float) -> list[i.Instruction]:
    lost = seconds(unheard)
    return world.feed(e.ServerSilent(unheard=lost, unconfirmed=lost))


def begin(world: World, *containers: Container, **members) -> None:
    """One task that runs, and a server that is there."""
    world.restartable.add(ONE)
    world.feed(e.ServerHeard())
    world.feed(payload(a_task(*containers, **{"moorage": HEALED, **members})))
    world.run()
    assert world.booked[ONE] == "RUNNING"


def die(world: World, name: str = "web", code: int = 1, after: float = 5) -> list[i.Instruction]:
    world.tick(after)
    return world.feed(world.end(world.of(ONE, name), code))


def record(world: World, name: str = "web"):
    task = world.engine.state.tasks[ONE]
    return next(one for one in task.containers if one.name == name)


def runs(world: World, name: str = "web") -> int:
    return world.of(ONE, name).runs


def test_while_the_server_is_there_an_end_is_an_end(world):
    begin(world)
    die(world, code=3)
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert runs(world) == 1


def test_an_end_is_held_back_and_healed_once_the_server_was_away_for_long_enough(world):
    begin(world)
    silent(world, 4)
    die(world, code=3, after=0)
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert record(world).held
    world.tick(5)
    world.run()
    assert runs(world) == 1, "not before ten seconds without the server"
    world.tick(1.1)
    world.run()
    assert runs(world) == 2
    assert (record(world).healings, record(world).last_end.exit_code) == (1, 3)
    told = world.feed(e.ServerHeard())
    assert [one for one in told if isinstance(one, i.SubmitTaskStateChange)] == []
    world.run()
    assert world.booked[ONE] == "RUNNING"
    (post_mortem,) = world.post_mortems
    assert (post_mortem.ended, post_mortem.healings) == (False, 1)
    assert post_mortem.containers[0].last_end.exit_code == 3


def test_what_waits_when_the_server_returns_has_ended_as_it_ended(world):
    begin(world)
    silent(world, 2)
    die(world, code=7)
    died = record(world).last_end.finished_at
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert (record(world).exit_code, record(world).finished_at) == (7, died)
    assert runs(world) == 1
    assert not record(world).held


def test_the_waits_grow_and_are_forgotten_after_a_long_run(world):
    begin(world)
    silent(world, 20)
    waits = []
    for _ in range(9):
        die(world, after=1)
        waits.append((record(world).retry_at - world.now) / 1_000_000)
        world.tick(61)
        world.run()
    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    die(world, after=61)
    assert round((record(world).retry_at - world.now) / 1_000_000) == 1


@pytest.mark.parametrize(
    ("tries", "wait"), [(0, 1), (1, 1), (2, 2), (6, 32), (7, 60), (10_000, 60)]
)
def test_each_wait_is_bounded(tries, wait):
    assert healing.back_off(tries) == seconds(wait)


@pytest.mark.parametrize(
    ("extras", "healed"),
    [
        (HEALED, True),
        (TaskExtras(service_name="web"), False),  # moorage:heal = off, or a server that is older
        (TaskExtras(heal_after_seconds=10.0), False),  # a stand-alone task
        (None, False),
        (TaskExtras(service_name="web", heal_after_seconds=10.0, fence_after_seconds=60.0), False),
    ],
)
def test_who_is_healed(world, extras, healed):
    begin(world, moorage=extras)
    silent(world, 20)
    die(world)
    world.tick(2)
    world.run()
    assert (runs(world) == 2) is healed
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == ("RUNNING" if healed else "STOPPED")


def test_a_task_that_was_told_to_stop_is_not_healed(world):
    begin(world)
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED"), seq_num=2))
    silent(world, 20)
    die(world)
    world.tick(100)
    world.run()
    assert runs(world) == 1
    assert world.booked[ONE] == "STOPPED"


def test_an_order_to_stop_ends_the_wait(world):
    begin(world)
    silent(world, 1)
    die(world, code=9)
    answer = world.feed(payload(Task(arn=ONE, desired_status="STOPPED"), seq_num=2))
    assert "StartContainer" not in kinds(answer)
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert record(world).exit_code == 9


POLICY = RestartPolicy(enabled=True, ignored_exit_codes=(0,), restart_attempt_period=60)


@pytest.mark.parametrize(
    ("ran", "code", "healings", "restarts"),
    [(70, 1, 0, 1), (5, 1, 1, 1), (70, 0, 1, 1)],
)
def test_what_its_restart_policy_takes_up_is_not_healed(world, ran, code, healings, restarts):
    begin(world, a_container(restart_policy=POLICY))
    silent(world, 20)
    die(world, code=code, after=ran)
    world.tick(2)
    world.run()
    assert (record(world).healings, record(world).restarts) == (healings, restarts)
    assert runs(world) == 2


def test_a_container_that_is_not_essential_stays_ended_unless_others_need_it(world):
    begin(
        world,
        a_container(links=("db",)),
        a_container("db", essential=False),
        a_container("side", essential=False),
    )
    silent(world, 20)
    die(world, "side")
    die(world, "db")
    world.tick(2)
    world.run()
    assert (runs(world, "db"), runs(world, "side"), runs(world)) == (2, 1, 1)
    assert world.booked[ONE] == "RUNNING"


def healthy(world: World, name: str, health: Health = Health.HEALTHY) -> None:
    real = world.of(ONE, name)
    world.feed(
        e.HealthChanged(
            task_arn=ONE,
            container=name,
            runtime_id=real.runtime_id,
            health=health,
            since=world.now,
        )
    )
    world.run()


def test_a_container_waits_for_those_it_depends_on_that_are_coming_back(world):
    world.restartable.add(ONE)
    world.feed(e.ServerHeard())
    need = ContainerDependency(container_name="db", condition="HEALTHY")
    world.feed(
        payload(
            a_task(
                a_container(depends_on=(need,)),
                a_container("db", essential=False, health_check_type="docker"),
                moorage=HEALED,
            )
        )
    )
    world.run()
    healthy(world, "db")
    silent(world, 20)
    die(world, "web")
    die(world, "db", after=0.5)
    world.tick(0.8)
    world.run()
    assert (runs(world), runs(world, "db")) == (1, 1), "web is due, and db comes first"
    world.tick(1)
    world.run()
    assert (runs(world), runs(world, "db")) == (1, 2), "db runs, and is not healthy yet"
    healthy(world, "db")
    assert (runs(world), runs(world, "db")) == (2, 2)


def test_a_one_shot_container_that_has_done_its_work_is_not_waited_for(world):
    world.restartable.add(ONE)
    world.feed(e.ServerHeard())
    need = ContainerDependency(container_name="init", condition="SUCCESS")
    world.feed(
        payload(
            a_task(
                a_container(depends_on=(need,)),
                a_container("init", essential=False),
                moorage=HEALED,
            )
        )
    )
    world.run()
    die(world, "init", code=0)
    world.run()
    silent(world, 20)
    die(world)
    world.tick(2)
    world.run()
    assert (runs(world), runs(world, "init")) == (2, 1)


def test_a_start_that_fails_is_tried_again(world):
    begin(world)
    silent(world, 20)
    die(world, code=5)
    world.tick(1.1)
    for _ in range(3):
        start = next(one for one in world.pending if isinstance(one, i.StartContainer))
        world.pending.remove(start)
        for event in world.perform(start, fails=True):
            world.feed(event)
        assert record(world).held
        world.tick(61)
    world.run()
    assert runs(world) == 2
    assert record(world).last_end.exit_code == 5


def test_a_container_that_somebody_removed_is_not_made_anew(world):
    begin(world)
    silent(world, 20)
    die(world)
    gone = world.of(ONE, "web")
    del world.containers[gone.name]
    world.tick(1.1)
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_the_agent_may_die_at_any_moment_of_it(world):
    begin(world)
    silent(world, 20)
    die(world)
    world.begin()
    world.run()
    assert record(world).held, "the wait is kept"
    silent(world, 20)
    world.tick(3)
    world.take()  # the start is begun, and the process dies before it is told
    world.begin()
    silent(world, 0.5)
    world.run()
    assert runs(world) == 2
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert record(world).healings == 1


def test_an_end_found_by_the_first_look_waits_for_the_server_too(world):
    begin(world)
    world.end(world.of(ONE, "web"), 4)
    world.begin()
    world.run()
    assert record(world).held
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == "STOPPED"
    assert record(world).exit_code == 4


def test_a_server_that_is_heard_before_the_first_look_changes_nothing_of_what_runs(world):
    begin(world)
    silent(world, 20)
    die(world)
    world.tick(1.1)
    world.take()
    world.of(ONE, "web").running = True  # it was started; the record of that was lost
    world.of(ONE, "web").runs += 1
    world.of(ONE, "web").started_at = world.now
    world.disk = {
        key: value.replace(b'"status":"STARTING"', b'"status":"CREATED","held":true')
        for key, value in world.disk.items()
    }
    world.begin()
    world.feed(e.ServerHeard())
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert runs(world) == 2


def test_a_server_that_is_there_and_refuses_this_host_heals_nothing_however_long_it_lasts(world):
    begin(world)
    silent(world, 0)
    die(world)
    for _ in range(60):
        world.tick(1)
        silent(world, 0)
        world.run()
    assert (runs(world), record(world).held) == (1, True)
    for second in range(1, 13):
        world.tick(1)
        silent(world, second)
        world.run()
    assert runs(world) == 2


def test_a_clock_that_was_set_back_does_not_delay_it_for_long(world):
    begin(world)
    silent(world, 20)
    die(world)
    world.now = later(world.now, seconds(-7200))
    world.tick(1)
    silent(world, 21)
    world.tick(61)
    world.run()
    assert runs(world) == 2


def test_all_containers_of_a_dead_engine_are_healed_when_it_is_back(world):
    begin(world, a_container(), a_container("db"))
    silent(world, 20)
    world.reachable = False
    world.feed(e.EngineLost())
    for name in ("web", "db"):
        world.end(world.of(ONE, name), 137)
    world.reachable = True
    world.feed(e.EngineReturned())
    world.run()
    world.tick(1.1)
    world.run()
    assert (runs(world), runs(world, "db")) == (2, 2)


def test_healings_are_told_once_and_again_only_after_more(world):
    begin(world)
    for times in (1, 2):
        silent(world, 20)
        die(world)
        world.tick(5)
        world.run()
        for _ in range(2):
            world.feed(e.ServerHeard())
            world.run()
            silent(world, 1)
        assert [one.healings for one in world.post_mortems] == list(range(1, times + 1))


def test_the_time_before_a_healing_is_counted_from_the_silence_not_from_the_end(world):
    begin(world)
    silent(world, 9.5)
    die(world, after=0.2)
    assert seconds(0.4) < Duration(record(world).retry_at - world.now) <= seconds(1.1)
