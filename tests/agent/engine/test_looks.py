"""Restarts of the agent, absences of Docker, and what a look finds that events missed."""

import pytest

from moorage.acs.task_messages import RestartPolicy, Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.lifecycle import ENGINE_LOST, GONE
from moorage.agent.records.container import ContainerStatus, Health
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task, doings, kinds
from tests.agent.engine.world import World, arn, payload

ONE = arn(1)


@pytest.fixture
def busy(world: World) -> World:
    """A host with one task that runs."""
    world.feed(payload(a_task()))
    world.run()
    return world


def status(world: World) -> ContainerStatus:
    return world.engine.tasks()[0].containers[0].status


def test_a_restart_of_the_agent_restarts_nothing(busy):
    assert kinds(busy.begin()) == ["ObserveContainers"]
    (look,) = busy.perform(busy.take())
    assert doings(busy.feed(look)) == []
    assert status(busy) == ContainerStatus.RUNNING
    assert busy.of(ONE, "web").runs == 1


def test_what_ended_while_the_agent_was_away_is_told_with_its_code_and_time(busy):
    event = busy.end(busy.of(ONE, "web"), 4)
    busy.begin()
    (look,) = busy.perform(busy.take())
    (submit,) = doings(busy.feed(look))
    assert submit.report.containers[0].exit_code == 4
    assert submit.report.execution_stopped_at == event.exit.finished_at


def test_what_vanished_while_the_agent_was_away_is_told_as_stopped(busy):
    busy.containers.clear()
    busy.begin()
    (look,) = busy.perform(busy.take())
    (submit,) = doings(busy.feed(look))
    assert submit.report.status == "STOPPED"
    assert submit.report.containers[0].reason == GONE


def test_a_report_without_answer_is_made_again_after_a_restart(world):
    world.feed(payload(a_task()))
    while not isinstance(world.pending[0], i.SubmitTaskStateChange):
        for event in world.perform(world.take()):
            world.feed(event)
    world.begin()
    (look,) = world.perform(world.take())
    (submit,) = doings(world.feed(look))
    assert submit.sequence == 2
    assert doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=1))) == []


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_agent_killed_at_any_step_of_a_start_makes_nothing_twice(world, steps):
    """The instruction was done and its completion died with the process."""
    world.feed(payload(a_task()))
    for _ in range(steps - 1):
        for event in world.perform(world.take()):
            world.feed(event)
    world.perform(world.take())
    world.begin()
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert set(world.made.values()) == {1}
    assert world.of(ONE, "web").runs == 1


def test_an_agent_killed_while_it_stops_goes_on_stopping(busy):
    busy.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    busy.begin()
    busy.run()
    assert busy.booked[ONE] == "STOPPED"


def test_a_lost_checkpoint_is_made_good_from_labels(world):
    chain = a_task(a_container(stop_timeout=9), a_container("side", essential=False))
    world.feed(payload(chain))
    world.run()
    world.disk.clear()
    world.memory = None
    world.begin()
    (look,) = world.perform(world.take())
    (submit,) = doings(world.feed(look))
    assert submit.report.status == "RUNNING"
    world.run()
    (task,) = world.engine.tasks()
    assert task.adopted
    assert [c.status for c in task.containers] == [ContainerStatus.RUNNING] * 2
    assert {c.runs for c in world.containers.values()} == {1}
    # The payload may come again: then the definition is whole.
    world.feed(payload(chain))
    assert not world.engine.tasks()[0].adopted
    answer = world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    stops = [one for one in answer if isinstance(one, i.StopContainer)]
    assert [(s.container, s.timeout_seconds) for s in stops] == [("web", 9), ("side", 30)]


def come_back_without_records(world):
    """The agent dies before it has done what it was about to do, and its folder is emptied."""
    world.take()
    world.disk.clear()
    world.begin()
    world.run()


def test_a_container_that_was_not_yet_made_when_the_checkpoint_was_lost_never_will_be(world):
    world.feed(payload(a_task(a_container(), a_container("side"))))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    come_back_without_records(world)
    assert world.booked[ONE] == "STOPPED"
    assert not [c for c in world.containers.values() if c.running]


def test_a_container_that_was_not_yet_started_when_the_checkpoint_was_lost_never_will_be(world):
    """Its task may have been told to stop in between, and have been told of as STOPPED."""
    world.feed(payload(a_task(a_container())))
    while not world.containers:
        for event in world.perform(world.take()):
            world.feed(event)
    come_back_without_records(world)
    assert [c.runs for c in world.containers.values()] == [0]
    assert world.booked[ONE] == "STOPPED"


@pytest.mark.parametrize("label", ["", "{", '{"arn":"other","desiredStatus":"RUNNING"}'])
def test_a_container_without_a_readable_label_is_still_watched(busy, label):
    busy.of(ONE, "web").labels["moorage.task"] = label
    busy.disk.clear()
    busy.begin()
    busy.run()
    busy.feed(busy.end(busy.of(ONE, "web"), 2))
    busy.run()
    assert busy.booked[ONE] == "STOPPED"


def test_an_orphan_is_stopped_when_the_server_confirms_it(busy):
    busy.disk.clear()
    busy.begin()
    busy.run()
    assert busy.of(ONE, "web").running
    busy.feed(_manifest(7))
    assert [c.task_arn for c in busy.asked_to_stop[0].stop_candidates] == [ONE]
    busy.run()
    assert busy.of(ONE, "web").running
    busy.feed(e.StopConfirmed(message_id="x", task_arns=(ONE,)))
    assert busy.engine.tasks()[0].desired == "RUNNING"
    busy.feed(e.StopConfirmed(message_id="m7", task_arns=(ONE,)))
    busy.run()
    assert not busy.of(ONE, "web").running


def _manifest(timeline: int, *tasks: str) -> e.ManifestReceived:
    return e.ManifestReceived(
        message_id=f"m{timeline}",
        cluster_arn="arn:cluster",
        container_instance_arn="arn:ci",
        timeline=timeline,
        tasks=World().identifiers(dict.fromkeys(tasks, "RUNNING")),
    )


def test_a_manifest_waits_for_the_first_look(busy):
    """Until then nobody knows what runs here, and each task in it would seem to be missing."""
    busy.disk.clear()
    busy.begin()
    assert doings(busy.feed(_manifest(7, ONE))) == []
    (look,) = busy.perform(busy.take())
    assert kinds(busy.feed(look)) == ["SendMessage", "SubmitTaskStateChange"]
    assert not busy.asked_to_stop
    assert busy.engine.tasks()[0].desired == "RUNNING"


def test_the_containers_of_a_task_that_is_over_are_removed(busy):
    real = busy.of(ONE, "web")
    busy.feed(busy.end(real, 0))
    busy.run()
    busy.tick(3 * 3600)
    busy.run()
    assert not busy.containers
    busy.containers[real.name] = real  # it came back, from a backup of the disk
    real.running = True
    busy.removed.clear()
    busy.tick(61)
    busy.run()
    assert not busy.containers
    assert busy.stops_booked[ONE] == 1
    assert not busy.engine.tasks()


def test_a_stopped_container_that_was_started_by_hand_is_stopped(busy):
    real = busy.of(ONE, "web")
    busy.feed(busy.end(real, 0))
    busy.run()
    real.running = True
    busy.tick(61)
    busy.run()
    assert not real.running


def test_a_look_finds_the_end_that_events_missed(busy):
    busy.end(busy.of(ONE, "web"), 9)
    busy.tick(61)
    busy.run()
    assert busy.booked[ONE] == "STOPPED"


def test_a_look_says_nothing_of_what_moved_since_it_was_asked(busy):
    """The look was taken before the container was made, and delivered after it ran."""
    busy.tick(61)
    ask = busy.take()
    old = busy.perform(ask)
    busy.feed(payload(a_task(number=2)))
    busy.run()
    assert busy.booked[arn(2)] == "RUNNING"
    for event in old:
        assert doings(busy.feed(event)) == []
    assert busy.of(arn(2), "web").running


def test_missed_events_are_made_good_by_a_look_and_put_down_to_nobody(busy):
    busy.end(busy.of(ONE, "web"), 9)
    assert kinds(busy.feed(e.EventsMissed())) == ["ObserveContainers"]
    # Missed again before the look came: one that was asked for later is needed.
    assert kinds(busy.feed(e.EventsMissed())) == []
    (look,) = busy.perform(busy.take())
    assert kinds(busy.feed(look)) == ["ObserveContainers", "SubmitTaskStateChange"]
    busy.run()
    (record,) = busy.engine.tasks()[0].containers
    assert (record.exit_code, record.reason) == (9, None)


def test_health_that_a_look_finds_is_published(world):
    world.feed(payload(a_task(a_container(health_check_type="docker"))))
    world.run()
    seen = evolve(world.observed()[0], health=Health.UNHEALTHY, health_since=world.now)
    world.tick(61)
    ask = next(one for one in world.pending if isinstance(one, i.ObserveContainers))
    world.pending.remove(ask)
    answer = world.feed(e.ContainersObserved(look=ask.look, containers=(seen,)))
    assert kinds(answer) == ["PublishHealth"]


def test_what_came_back_of_a_removed_container_is_removed_while_its_task_is_known(world):
    world.feed(payload(a_task(a_container(), a_container("side"))))
    world.run()
    real = world.of(ONE, "web")
    world.feed(world.end(real, 0))
    world.run()
    world.tick(3 * 3600)
    removals = [one for one in world.pending if isinstance(one, i.RemoveContainer)]
    world.pending.clear()
    for event in world.perform(next(one for one in removals if one.container == "web")):
        world.feed(event)
    world.containers[real.name] = real
    world.removed.clear()
    world.tick(61)
    (ask,) = (one for one in world.pending if isinstance(one, i.ObserveContainers))
    (look,) = world.perform(ask)
    assert kinds(world.feed(look)) == ["RemoveContainer"]


def test_a_look_that_was_not_asked_for_is_ignored(busy):
    assert doings(busy.feed(e.ContainersObserved(look=99, containers=()))) == []
    assert status(busy) == ContainerStatus.RUNNING


def test_a_look_without_answer_is_asked_for_again(world):
    world.tick(61)
    world.take()
    assert kinds(world.tick(60)) == ["ObserveContainers"]


def test_while_docker_is_away_nothing_is_asked_of_it(busy):
    answer = busy.feed(e.EngineLost(reason="connection refused"))
    assert kinds(answer) == ["PublishInstanceStatus"]
    assert doings(answer)[0].impaired
    assert doings(busy.feed(e.EngineLost())) == []
    busy.reachable = False
    assert kinds(busy.feed(payload(a_task(number=2)))) == ["SendMessage"]
    assert kinds(busy.feed(payload(Task(arn=ONE, desired_status="STOPPED")))) == ["SendMessage"]
    assert doings(busy.tick(600)) == []
    busy.reachable = True
    back = busy.feed(e.EngineReturned())
    assert kinds(back) == ["ObserveContainers", "PublishInstanceStatus"]
    assert doings(busy.feed(e.EngineReturned())) == []
    busy.run()
    assert busy.booked == {ONE: "STOPPED", arn(2): "RUNNING"}


def test_what_ended_with_docker_is_put_down_to_docker(busy):
    busy.feed(e.EngineLost())
    busy.end(busy.of(ONE, "web"), 137)
    busy.feed(e.EngineReturned())
    busy.run()
    (record,) = busy.engine.tasks()[0].containers
    assert (record.reason, record.exit_code) == (ENGINE_LOST, 137)


def test_a_restart_in_place_that_was_not_performed_is_begun_after_a_look(world):
    policy = RestartPolicy(enabled=True, restart_attempt_period=60)
    world.restartable.add(ONE)
    world.feed(payload(a_task(a_container(restart_policy=policy))))
    world.run()
    world.tick(61)
    world.run()
    world.feed(world.end(world.of(ONE, "web"), 1))
    assert world.pending, "StartContainer is out"
    world.begin()
    world.run()
    assert world.of(ONE, "web").runs == 2
    assert world.booked[ONE] == "RUNNING"


def test_a_pull_that_was_out_when_docker_went_is_begun_again(world):
    world.feed(payload(a_task()))
    world.pending.clear()
    world.feed(e.EngineLost())
    world.feed(e.EngineReturned())
    (look,) = world.perform(world.take())
    assert kinds(world.feed(look)) == ["PullImage"]


def test_a_container_that_vanished_before_it_ran_is_made_again(world):
    world.feed(payload(a_task()))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    world.containers.clear()
    world.made.clear()
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert world.of(ONE, "web").labels["moorage.attempt"] == "2"


def test_a_stop_for_a_task_that_only_the_host_remembers(busy):
    """The checkpoint is lost and the server's STOPPED comes before the first look."""
    busy.disk.clear()
    busy.begin()
    stop = Task(arn=ONE, desired_status="STOPPED")
    assert kinds(busy.feed(payload(stop))) == ["SendMessage"]
    busy.run()
    assert busy.booked[ONE] == "STOPPED"
    assert not busy.of(ONE, "web").running
