"""What is put down to the engine, what makes a host impaired, and what is said of it."""

import pytest

from moorage.acs.task_messages import RestartPolicy, Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.impairment import LOSS_NOTICED_WITHIN, attributed
from moorage.agent.engine.lifecycle import (
    CREATE_TRIES_MAX,
    ENGINE_LOST,
    GHOST,
    START_TRIES_MAX,
    UNCLEAR_START,
)
from moorage.agent.records.container import ContainerStatus, Exit
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import earlier, later, seconds
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task, doings, kinds
from tests.agent.engine.world import START, World, arn, payload

ONE = arn(1)
POLICY = RestartPolicy(enabled=True, restart_attempt_period=300, ignored_exit_codes=(137,))


@pytest.fixture
def busy(world: World) -> World:
    """A host with one task that runs."""
    world.feed(payload(a_task()))
    world.run()
    return world


def record(world: World, number: int = 0):
    return world.engine.tasks()[number].containers[0]


def said(answer: list[i.Instruction]) -> list[tuple[bool, str | None]]:
    found = [one for one in answer if isinstance(one, i.PublishInstanceStatus)]
    return [(one.impaired, one.reason) for one in found]


def away_and_back(world: World, exit_code: int, *, out_of_memory: bool = False) -> None:
    world.feed(e.EngineLost(reason="connection refused"))
    world.end(world.of(ONE, "web"), exit_code, out_of_memory=out_of_memory)
    world.feed(e.EngineReturned())
    world.run()


JUST_BEFORE = earlier(START, LOSS_NOTICED_WITHIN)


@pytest.mark.parametrize(
    ("finished_at", "absent_since", "desired", "cause"),
    [
        (START, None, "RUNNING", "own"),
        (START, START, "RUNNING", "engine"),
        (later(START, seconds(60)), START, "RUNNING", "engine"),
        (JUST_BEFORE, START, "RUNNING", "engine"),  # it ended its containers first
        (earlier(JUST_BEFORE, seconds(1)), START, "RUNNING", "own"),
        (START, START, "STOPPED", "own"),
    ],
)
def test_an_end_is_the_engines_where_it_was_away_and_nobody_asked(
    finished_at, absent_since, desired, cause
) -> None:
    task = TaskRecord(task=a_task(), desired=desired, containers=(), received_at=START)
    exit_ = Exit(exit_code=137, finished_at=finished_at)
    assert attributed(task, exit_, absent_since).cause == cause


@pytest.mark.parametrize(("began", "cause"), [(-60, "engine"), (60, "own"), (None, "own")])
def test_what_began_before_the_machine_did_went_down_with_it(began, cause) -> None:
    task = TaskRecord(task=a_task(), desired="RUNNING", containers=(), received_at=START)
    started_at = None if began is None else later(START, seconds(began))
    exit_ = Exit(exit_code=255, finished_at=later(START, seconds(90)), started_at=started_at)
    assert attributed(task, exit_, None, booted_at=START).cause == cause
    assert attributed(task, exit_, None, booted_at=None).cause == "own"


def test_the_cgroup_of_a_task_is_made_again_after_a_boot(world: World) -> None:
    """It may run on in place, by its restart policy, and its limits went with the machine."""
    world.restartable.add(ONE)
    world.feed(payload(a_task(a_container(restart_policy=POLICY), cpu=0.5)))
    world.run()
    (cgroup,) = world.resources
    world.resources.clear()
    world.end(world.of(ONE, "web"), 255)
    world.tick(60)
    world.host = evolve(world.host, booted_at=world.now)
    world.begin()
    world.run()
    assert world.resources == {cgroup}
    assert world.of(ONE, "web").runs == 2
    assert world.booked[ONE] == "RUNNING"


def test_an_engine_that_an_earlier_process_lost_takes_the_blame_too(busy: World) -> None:
    """Engine and agent were restarted together, as an upgrade of both does."""
    busy.feed(e.EngineLost())
    busy.end(busy.of(ONE, "web"), 143)
    busy.begin()
    busy.run()
    assert record(busy).reason == ENGINE_LOST
    assert busy.engine.memory().engine_lost_at is None


def test_task_and_container_name_the_engine(busy: World) -> None:
    away_and_back(busy, 137)
    (task,) = busy.engine.tasks()
    assert (task.reason, record(busy).reason, record(busy).exit_code) == (
        ENGINE_LOST,
        ENGINE_LOST,
        137,
    )
    assert ENGINE_LOST.startswith("EngineLost: ")


def test_memory_is_its_own_fault(busy: World) -> None:
    away_and_back(busy, 137, out_of_memory=True)
    assert (record(busy).reason or "").startswith("OutOfMemoryError")
    assert busy.engine.tasks()[0].reason is None


def test_an_end_that_an_event_tells_of_while_the_engine_is_away_is_its_own(busy: World) -> None:
    busy.feed(e.EngineLost())
    busy.feed(busy.end(busy.of(ONE, "web"), 1))
    assert record(busy).reason == ENGINE_LOST


def test_a_container_that_went_with_its_engine(busy: World) -> None:
    busy.feed(e.EngineLost())
    busy.containers.clear()
    busy.feed(e.EngineReturned())
    busy.run()
    assert record(busy).reason == ENGINE_LOST


def test_a_restart_policy_starts_again_what_its_engine_ended(world: World) -> None:
    """After a short run and with an ignored code: it was no failed attempt of the container."""
    world.restartable.add(ONE)
    world.feed(payload(a_task(a_container(restart_policy=POLICY))))
    world.run()
    away_and_back(world, 137)
    assert record(world).status == ContainerStatus.RUNNING
    assert world.of(ONE, "web").runs == 2
    assert world.booked[ONE] == "RUNNING"


def test_a_loss_before_the_look_is_one_absence(busy: World) -> None:
    busy.feed(e.EngineLost())
    busy.end(busy.of(ONE, "web"), 137)
    busy.tick(60)
    busy.feed(e.EngineReturned())
    busy.pending.clear()
    busy.feed(e.EngineLost())
    busy.tick(60)
    busy.feed(e.EngineReturned())
    busy.run()
    assert record(busy).reason == ENGINE_LOST


def test_a_heartbeat_is_answered_with_how_it_is(busy: World) -> None:
    assert said(busy.feed(e.HeartbeatReceived())) == [(False, None)]
    reason = "EngineLost: connection refused"
    assert said(busy.feed(e.EngineLost(reason="connection refused"))) == [(True, reason)]
    assert said(busy.feed(e.HeartbeatReceived())) == [(True, reason)]
    assert said(busy.feed(e.EngineReturned())) == [(False, None)]


def stop(world: World, number: int = 1) -> i.StopContainer:
    world.feed(payload(Task(arn=arn(number), desired_status="STOPPED")))
    return next(one for one in world.pending if isinstance(one, i.StopContainer))


def fail_stop(world: World) -> list[i.Instruction]:
    index = next(n for n, one in enumerate(world.pending) if isinstance(one, i.StopContainer))
    (failed,) = world.perform(world.pending.pop(index), fails=True)
    return world.feed(failed)


def test_a_container_that_does_not_end_impairs_its_host_until_it_does(busy: World) -> None:
    stop(busy)
    assert said(fail_stop(busy)) == []
    busy.tick(2)
    ((impaired, reason),) = said(fail_stop(busy))
    assert impaired
    assert (reason or "").startswith(f"ContainerStuck: container web of task {ONE[-32:]} ")
    assert (reason or "").endswith("it will not")
    busy.tick(4)
    assert said(fail_stop(busy)) == []
    assert said(busy.feed(e.HeartbeatReceived())) == [(True, reason)]
    assert busy.booked[ONE] == "RUNNING"
    assert said(busy.feed(busy.end(busy.of(ONE, "web"), 137))) == [(False, None)]
    busy.run()
    assert busy.booked[ONE] == "STOPPED"


def test_of_several_the_oldest_is_named(busy: World) -> None:
    busy.feed(payload(a_task(number=2)))
    busy.run()
    for number in (1, 2):
        stop(busy, number)
    for _ in range(2):
        fail_stop(busy)
        fail_stop(busy)
        busy.tick(5)
    ((_, reason),) = said(busy.feed(e.HeartbeatReceived()))
    assert "(and 1 more)" in (reason or "")
    assert ONE[-32:] in (reason or "")


def test_an_engine_that_is_lost_is_the_greater_trouble(busy: World) -> None:
    stop(busy)
    fail_stop(busy)
    busy.tick(2)
    fail_stop(busy)
    ((_, lost),) = said(busy.feed(e.EngineLost()))
    assert lost == "EngineLost: the container engine does not answer"
    ((impaired, back),) = said(busy.feed(e.EngineReturned()))
    assert impaired
    assert (back or "").startswith("ContainerStuck")


def test_a_ghost_is_removed_with_force_once_its_end_was_told(busy: World) -> None:
    real = busy.of(ONE, "web")
    gone = e.ContainerExited(
        task_arn=ONE,
        container="web",
        runtime_id=real.runtime_id,
        exit=Exit(exit_code=None, finished_at=busy.now, started_at=real.started_at, cause="ghost"),
    )
    answer = busy.feed(gone)
    assert (record(busy).reason, record(busy).exit_code) == (GHOST, None)
    assert "StopContainer" not in kinds(answer)
    busy.run()
    assert busy.booked[ONE] == "STOPPED"
    assert not busy.containers


def test_a_ghost_is_neither_restarted_nor_healed(world: World) -> None:
    world.feed(payload(a_task(a_container(restart_policy=POLICY))))
    world.run()
    world.tick(600)
    real = world.of(ONE, "web")
    exit_ = Exit(exit_code=None, finished_at=world.now, started_at=real.started_at, cause="ghost")
    names = {"task_arn": ONE, "container": "web", "runtime_id": real.runtime_id}
    world.feed(e.ContainerExited(**names, exit=exit_))
    assert record(world).status == ContainerStatus.STOPPED
    world.run()


def test_a_look_that_failed_is_taken_again_soon(busy: World) -> None:
    busy.tick(61)
    (ask,) = (one for one in busy.pending if isinstance(one, i.ObserveContainers))
    busy.pending.clear()
    assert doings(busy.feed(e.LookFailed(look=ask.look, reason="500"))) == []
    assert "ObserveContainers" not in kinds(busy.tick(3))
    assert "ObserveContainers" in kinds(busy.tick(3))
    assert doings(busy.feed(e.LookFailed(look=ask.look))) == [], "an old look"


def test_a_look_says_nothing_of_what_it_could_not_read(busy: World) -> None:
    busy.tick(61)
    (ask,) = (one for one in busy.pending if isinstance(one, i.ObserveContainers))
    (seen,) = busy.observed()
    unread = evolve(seen, running=False, started_at=None, unread=True)
    busy.feed(e.ContainersObserved(look=ask.look, containers=(unread,)))
    assert record(busy).status == ContainerStatus.RUNNING


def starting(world: World) -> i.StartContainer:
    world.feed(payload(a_task()))
    while not isinstance(world.pending[0], i.StartContainer):
        for event in world.perform(world.take()):
            world.feed(event)
    found = world.take()
    assert isinstance(found, i.StartContainer)
    return found


def unclear(wanted: i.StartContainer) -> e.StartFailed:
    names = {"task_arn": wanted.task_arn, "container": wanted.container}
    return e.StartFailed(**names, attempt=wanted.attempt, reason="no answer", unclear=True)


@pytest.mark.parametrize("happened", [True, False])
def test_a_start_that_may_have_happened_is_looked_for(world: World, *, happened: bool) -> None:
    wanted = starting(world)
    if happened:
        world.perform(wanted)
    world.feed(unclear(wanted))
    world.tick(2)
    world.run()
    world.tick(2)
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert world.of(ONE, "web").runs == 1


def test_a_start_that_is_never_clear_ends_in_amazons_words(world: World) -> None:
    world.feed(unclear(starting(world)))
    for _ in range(START_TRIES_MAX * 3):
        world.tick(10)
        while world.pending:
            one = world.take()
            done = [unclear(one)] if isinstance(one, i.StartContainer) else world.perform(one)
            for event in done:
                world.feed(event)
    assert world.booked[ONE] == "STOPPED"
    assert (record(world).reason or "").startswith(f"{UNCLEAR_START}: no answer")


def test_a_create_that_is_never_answered_ends_in_amazons_words(world: World) -> None:
    world.feed(payload(a_task()))
    for _ in range(CREATE_TRIES_MAX * 2):
        while world.pending:
            one = world.take()
            done = world.perform(one)
            if isinstance(one, i.CreateContainer):
                names = {"task_arn": one.task_arn, "container": one.container}
                reason = "Too many open files"
                failed = e.CreateFailed(**names, attempt=one.attempt, reason=reason, transient=True)
                done = [failed]
                world.containers.clear()
                world.made.clear()
            for event in done:
                world.feed(event)
        world.tick(20)
    assert record(world).reason == "CannotCreateContainerError: Too many open files"
