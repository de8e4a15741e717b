"""What came of instructions: stops, restarts, clashes, failures; and completions that are late."""

import pytest

from moorage.acs.messages import AckRequest
from moorage.acs.task_messages import (
    Container,
    DockerConfig,
    PortMapping,
    RestartPolicy,
    Task,
    Volume,
)
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.records.container import ContainerStatus, Exit, Health
from moorage.ground.instant import later, seconds
from moorage.ground.record import evolve
from tests.agent.engine.builders import DIGEST, a_container, a_task, doings, kinds
from tests.agent.engine.world import HOST, START, World, arn, payload

ONE = arn(1)
ACK = i.SendMessage(
    message=AckRequest(
        message_id="m1",
        cluster="arn:cluster",
        container_instance=HOST.container_instance_arn,
    )
)


def running(world: World, task: Task | None = None) -> None:
    """A task that runs, of which the server knows."""
    world.feed(payload(task or a_task()))
    world.run()


def test_sigkill_after_an_unheeded_sigterm_is_told(world):
    running(world, a_task(a_container(stop_timeout=5)))
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    stop = world.take()
    assert stop.timeout_seconds == 5
    world.now = later(world.now, seconds(5))
    world.feed(world.end(world.real(stop.runtime_id), 137))
    reason = "The container did not heed SIGTERM and was killed after 5 seconds"
    assert world.engine.tasks()[0].containers[0].reason == reason


def test_a_stop_that_fails_is_tried_again_and_nothing_is_claimed(world):
    running(world)
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    (failed,) = world.perform(world.take(), fails=True)
    assert doings(world.feed(failed)) == []
    assert kinds(world.tick(1.5)) == ["StopContainer"]
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_a_restart_policy_restarts_in_place(world):
    policy = RestartPolicy(enabled=True, ignored_exit_codes=(7,), restart_attempt_period=60)
    world.restartable.add(ONE)
    ports = (PortMapping(container_port=80),)
    running(world, a_task(a_container(restart_policy=policy, port_mappings=ports)))
    real = world.of(ONE, "web")
    world.tick(61)
    world.run()
    first_end = world.end(real, 1)
    assert doings(world.feed(first_end)) == [
        i.StartContainer(task_arn=ONE, container="web", attempt=1, runtime_id=real.runtime_id)
    ]
    assert doings(world.feed(first_end)) == [], "the end of a run ends no other run"
    world.run()
    record = world.engine.tasks()[0].containers[0]
    assert (record.status, record.restarts) == (ContainerStatus.RUNNING, 1)
    assert doings(world.feed(first_end)) == []
    assert world.booked[ONE] == "RUNNING"
    world.feed(world.end(real, 1))  # it ran for less than the period
    world.run()
    assert world.booked[ONE] == "STOPPED"


@pytest.mark.parametrize(("code", "ran"), [(7, 61), (1, 59)])
def test_ignored_codes_and_short_runs_are_not_restarted(world, code, ran):
    policy = RestartPolicy(enabled=True, ignored_exit_codes=(7,), restart_attempt_period=60)
    running(world, a_task(a_container(restart_policy=policy)))
    world.tick(ran)
    world.run()
    world.feed(world.end(world.of(ONE, "web"), code))
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_a_clash_of_a_port_that_docker_chose_makes_the_container_anew(world):
    task = a_task(a_container(port_mappings=(PortMapping(container_port=80),)))
    world.feed(payload(task))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    clash = world.perform(world.take(), fails=True)[0]
    (create,) = doings(world.feed(clash))
    assert (type(create), create.attempt) == (i.CreateContainer, 2)
    assert create.spec.labels["moorage.attempt"] == "2"
    world.run()
    assert world.booked[ONE] == "RUNNING"
    assert doings(world.feed(clash)) == [], "an old attempt says nothing"


def test_a_clash_of_a_port_that_was_asked_for_stops_the_task(world):
    mapped = (PortMapping(container_port=80, host_port=8080),)
    world.feed(payload(a_task(a_container(port_mappings=mapped))))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    (submit,) = doings(world.feed(world.perform(world.take(), fails=True)[0]))
    assert submit.report.status == "STOPPED"
    reason = "CannotStartContainerError: port is already allocated"
    assert submit.report.containers[0].reason == reason


def test_a_fixed_port_that_is_being_left_is_waited_for(world):
    mapped = (PortMapping(container_port=80, host_port=8080),)
    running(world, a_task(a_container(port_mappings=mapped)))
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    stop = world.take()
    assert kinds(world.feed(payload(a_task(a_container(port_mappings=mapped), number=2)))) == [
        "SendMessage"
    ]
    exited, _ = world.perform(stop)
    assert kinds(world.feed(exited)) == ["CreateContainer", "SubmitTaskStateChange"]


def test_volumes_and_cgroup_come_before_the_container_and_go_after_it(world):
    task = a_task(a_container(), cpu=0.5, memory=64, volumes=(Volume(name="data"),))
    answer = world.feed(payload(task))
    assert kinds(answer) == ["CreateCgroup", "CreateVolume", "PullImage", "SendMessage"]
    world.run()
    assert world.booked[ONE] == "RUNNING"
    world.feed(world.end(world.of(ONE, "web"), 0))
    world.run()
    assert len(world.resources) == 2
    world.tick(3 * 3600)
    world.run()
    assert not world.resources
    assert not world.containers
    assert not world.engine.tasks()


def test_a_volume_that_cannot_be_made_stops_the_task(world):
    world.feed(payload(a_task(a_container(), volumes=(Volume(name="data"),))))
    (failed,) = world.perform(world.take(), fails=True)
    world.feed(failed)
    world.run()
    (task,) = world.engine.tasks()
    assert task.reason == "ResourceInitializationError: no space"
    assert world.booked[ONE] == "STOPPED"


def test_a_task_that_was_stopped_before_it_began_never_runs(world):
    world.feed(payload(a_task()))
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    world.run()
    assert not world.made
    assert world.booked[ONE] == "STOPPED"


def test_a_task_that_is_over_never_runs_again(world):
    """Amazon's agent runs a task again once it has forgotten it; this one remembers."""
    running(world)
    world.feed(world.end(world.of(ONE, "web"), 0))
    world.run()
    assert doings(world.feed(payload(a_task()))) == [ACK]
    world.tick(3 * 3600)
    world.run()
    assert not world.engine.tasks()
    assert doings(world.feed(payload(a_task()))) == [ACK]
    world.begin()
    world.run()
    assert doings(world.feed(payload(a_task()))) == [ACK]


def test_a_short_run_is_told_as_running_first(world):
    """The end may be noticed before the start has been answered."""
    world.feed(payload(a_task()))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    (started,) = world.perform(world.take())
    (submit,) = doings(world.feed(world.end(world.of(ONE, "web"), 0)))
    assert submit.report.status == "RUNNING"
    assert doings(world.feed(started)) == []
    (submit,) = doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=1)))
    assert submit.report.status == "STOPPED"
    assert submit.report.containers[0].exit_code == 0


def test_out_of_memory_is_told(world):
    running(world)
    world.feed(world.end(world.of(ONE, "web"), 137, out_of_memory=True))
    reason = "OutOfMemoryError: Container killed due to memory usage"
    assert world.engine.tasks()[0].containers[0].reason == reason


def test_an_undecodable_host_config_stops_the_container(world):
    bad = Container(
        name="web", image=DIGEST, essential=True, docker_config=DockerConfig(host_config="{")
    )
    running(world, a_task(bad))
    (record,) = world.engine.tasks()[0].containers
    assert record.reason.startswith("HostConfigError: Unable to decode given host config: ")
    assert world.booked[ONE] == "STOPPED"


def test_a_late_exit_of_a_container_that_was_removed_changes_nothing(world):
    running(world)
    gone = e.ContainerExited(
        task_arn=ONE, container="web", runtime_id="other", exit=Exit(exit_code=1, finished_at=START)
    )
    assert world.feed(gone) == []
    unknown = evolve(gone, task_arn=arn(9))
    assert world.feed(unknown) == []


def test_an_instruction_without_completion_is_given_again(world):
    world.feed(payload(a_task()))
    for event in world.perform(world.take()):
        world.feed(event)
    world.take()  # CreateContainer: lost
    assert "CreateContainer" in kinds(world.tick(241))


def test_a_start_without_completion_is_looked_into_and_not_repeated_blindly(world):
    """It may have run and ended: to start it again would run it twice."""
    world.feed(payload(a_task()))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    world.perform(world.take())  # it started, and nobody heard of it
    world.end(world.of(ONE, "web"), 0)
    assert kinds(world.tick(181)) == ["ObserveContainers"]
    world.run()
    assert world.of(ONE, "web").runs == 1
    assert world.booked[ONE] == "STOPPED"


def stopped_long_ago(world: World) -> None:
    """A task whose remains are about to be removed."""
    running(world, a_task(a_container(), volumes=(Volume(name="data"),)))
    world.feed(world.end(world.of(ONE, "web"), 0))
    world.run()
    world.tick(3 * 3600)


def only(world: World, kind: type[i.Instruction]) -> i.Instruction:
    """Take the one instruction of this kind that is out."""
    (found,) = [one for one in world.pending if isinstance(one, kind)]
    world.pending.remove(found)
    return found


def test_a_removal_that_fails_is_tried_again(world):
    stopped_long_ago(world)
    (failed,) = world.perform(only(world, i.RemoveContainer), fails=True)
    assert doings(world.feed(failed)) == []
    assert doings(world.feed(failed)) == [], "said twice"
    assert "RemoveContainer" in kinds(world.tick(2))
    (removed,) = world.perform(only(world, i.RemoveContainer))
    assert kinds(world.feed(removed)) == ["RemoveVolume"]
    (failed,) = world.perform(only(world, i.RemoveVolume), fails=True)
    assert doings(world.feed(failed)) == []
    assert "RemoveVolume" in kinds(world.tick(2))
    (removed,) = world.perform(only(world, i.RemoveVolume))
    world.feed(removed)
    assert not world.engine.tasks()
    assert doings(world.feed(removed)) == []
    assert doings(world.feed(failed)) == []


def test_resources_that_nobody_waits_for_change_nothing(world):
    running(world, a_task(a_container(), volumes=(Volume(name="data"),)))
    (resource,) = world.engine.tasks()[0].resources
    for event in (
        e.ResourceCreated(task_arn=ONE, name=resource.name),
        e.ResourceFailed(task_arn=ONE, name=resource.name, reason="late"),
        e.ResourceRemoved(task_arn=ONE, name=resource.name),
        e.ResourceCreated(task_arn=arn(9), name=resource.name),
    ):
        assert world.feed(event) == []


def test_a_container_that_is_made_after_it_was_given_up_is_removed_with_the_rest(world):
    world.feed(payload(a_task()))
    for event in world.perform(world.take()):
        world.feed(event)
    (created,) = world.perform(world.take())
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    world.tick(241)  # the creation is taken for lost
    world.run()
    assert world.booked[ONE] == "STOPPED"
    world.feed(created)
    assert world.feed(created) == []
    world.tick(3 * 3600)
    world.run()
    assert not world.containers


def test_a_creation_that_may_succeed_is_tried_again(world):
    world.feed(payload(a_task()))
    for event in world.perform(world.take()):
        world.feed(event)
    world.take()
    failed = e.CreateFailed(task_arn=ONE, container="web", attempt=1, reason="busy", transient=True)
    assert doings(world.feed(failed)) == []
    assert world.feed(failed) == [], "said twice"
    assert kinds(world.tick(1.1)) == ["CreateContainer"]


def test_a_wait_before_the_next_try_ends_when_the_task_is_stopped(world):
    world.feed(payload(a_task()))
    for event in world.perform(world.take()):
        world.feed(event)
    world.take()
    world.feed(
        e.CreateFailed(task_arn=ONE, container="web", attempt=1, reason="busy", transient=True)
    )
    answer = world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    assert kinds(answer) == ["SendMessage", "SubmitTaskStateChange"]


def test_a_stop_of_what_is_gone_ends_the_container(world):
    running(world)
    world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    world.take()
    gone = e.StopFinished(task_arn=ONE, container="web", attempt=1)
    (submit,) = doings(world.feed(gone))
    assert submit.report.status == "STOPPED"
    assert submit.report.containers[0].exit_code is None


def test_a_stop_that_was_not_asked_for_says_nothing(world):
    running(world)
    assert world.feed(e.StopFinished(task_arn=ONE, container="web", attempt=1)) == []
    late = e.StopFailed(task_arn=ONE, container="web", attempt=1, reason="late")
    assert world.feed(late) == []
    assert world.feed(e.ContainerRemoved(task_arn=ONE, container="web", attempt=1)) == []


def test_a_start_of_another_container_says_nothing(world):
    world.feed(payload(a_task()))
    for _ in range(2):
        for event in world.perform(world.take()):
            world.feed(event)
    other = e.ContainerStarted(
        task_arn=ONE, container="web", attempt=1, runtime_id="other", started_at=START
    )
    assert world.feed(other) == []
    assert world.feed(evolve(other, attempt=2)) == []


def test_health_of_the_past_or_of_another_container_is_ignored(world):
    running(world, a_task(a_container(health_check_type="docker")))
    healthy = e.HealthChanged(
        task_arn=ONE,
        container="web",
        runtime_id=world.of(ONE, "web").runtime_id,
        health=Health.HEALTHY,
        since=later(world.now, seconds(5)),
    )
    assert kinds(world.feed(healthy)) == ["PublishHealth"]
    old = evolve(healthy, health=Health.UNHEALTHY, since=world.now)
    assert doings(world.feed(old)) == []
    assert doings(world.feed(evolve(healthy, runtime_id="other"))) == []
    assert doings(world.feed(evolve(healthy, task_arn=arn(9)))) == []
    (told,) = world.engine.health()
    assert told.containers[0].health == Health.HEALTHY
