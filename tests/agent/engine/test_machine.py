"""Given this event, exactly these instructions: the stories of a task."""

import pytest

from moorage.acs.messages import AckRequest
from moorage.acs.task_messages import (
    ContainerDependency,
    PortMapping,
    Task,
)
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.machine import HANDLERS, Engine
from moorage.agent.engine.specification import Making, specify
from moorage.agent.records.container import Health, PortBinding
from moorage.agent.records.report import ContainerReport, TaskReport
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


def test_the_table_knows_every_event():
    assert set(HANDLERS) == {
        value
        for value in vars(e).values()
        if isinstance(value, type) and value.__module__ == e.__name__
    }


def test_an_agent_that_starts_looks_first():
    engine = Engine(HOST)
    assert doings(engine.handle(e.AgentStarted(), START)) == [i.ObserveContainers(look=1)]
    # Nothing is begun before the look, though the payload is stored and acknowledged.
    assert doings(engine.handle(payload(a_task()), START)) == [ACK]
    seen = engine.handle(e.ContainersObserved(look=1, containers=()), START)
    assert kinds(seen) == ["PullImage"]


def test_a_task_from_payload_to_report(world):
    """At most one round trip of the engine stands before the creation, and one report after."""
    task = a_task(a_container(port_mappings=(PortMapping(container_port=80),)))
    answer = world.feed(payload(task))
    assert doings(answer) == [i.PullImage(image=DIGEST), ACK]
    save = next(one for one in answer if isinstance(one, i.SaveCheckpoint))
    assert save.durable
    assert answer.index(save) < answer.index(ACK), "what is acknowledged has been stored"

    pulled = e.PullFinished(
        image=DIGEST, reference=DIGEST, started_at=START, finished_at=START, pulled=False
    )
    world.images.add(DIGEST)
    making = Making(task=task, container=task.containers[0], image=DIGEST, attempt=1)
    assert doings(world.feed(pulled)) == [
        i.CreateContainer(task_arn=ONE, container="web", attempt=1, spec=specify(making, HOST))
    ]
    created = e.ContainerCreated(task_arn=ONE, container="web", attempt=1, runtime_id="c1")
    assert doings(world.feed(created)) == [
        i.StartContainer(task_arn=ONE, container="web", attempt=1, runtime_id="c1")
    ]
    bindings = (
        PortBinding(bind_ip="127.0.0.2", container_port=80, host_port=32768),
        PortBinding(bind_ip="::1", container_port=80, host_port=32768),
    )
    started = e.ContainerStarted(
        task_arn=ONE,
        container="web",
        attempt=1,
        runtime_id="c1",
        started_at=START,
        bindings=bindings,
    )
    assert doings(world.feed(started)) == [
        i.SubmitTaskStateChange(
            sequence=1,
            report=TaskReport(
                task=ONE,
                status="RUNNING",
                containers=(
                    ContainerReport(
                        container_name="web",
                        status="RUNNING",
                        runtime_id="c1",
                        image_digest="sha256:" + "d" * 64,
                        network_bindings=bindings[:1],
                    ),
                ),
            ),
        )
    ]


def test_an_image_by_digest_that_was_here_before_costs_no_round_trip(world):
    running(world)
    assert kinds(world.feed(payload(a_task(number=2)))) == ["CreateContainer", "SendMessage"]


def test_an_image_that_was_removed_behind_our_back_is_pulled_after_all(world):
    running(world)
    world.images.clear()
    world.feed(payload(a_task(number=2)))
    create = world.take()
    (failed,) = world.perform(create)
    assert failed.image_missing
    assert doings(world.feed(failed)) == [i.PullImage(image=DIGEST)]
    world.run()
    assert world.booked[arn(2)] == "RUNNING"


def test_a_tag_is_asked_of_its_registry_each_time_and_once_for_all(world):
    tagged = a_container(image="r/x:1")
    assert kinds(world.feed(payload(a_task(tagged)))) == ["PullImage", "SendMessage"]
    assert kinds(world.feed(payload(a_task(tagged, number=2)))) == ["SendMessage"]
    (done,) = world.perform(world.take())
    assert kinds(world.feed(done)) == ["CreateContainer", "CreateContainer"]
    world.run()
    assert kinds(world.feed(payload(a_task(tagged, number=3)))) == ["PullImage", "SendMessage"]


def test_a_pull_that_may_succeed_is_tried_again_and_then_given_up(world):
    world.feed(payload(a_task()))
    for _ in range(4):
        (failed,) = world.perform(world.take(), fails=True)
        assert doings(world.feed(failed)) == []
        assert kinds(world.tick(9)) == ["PullImage"]
    (failed,) = world.perform(world.take(), fails=True)
    (submit,) = doings(world.feed(failed))
    assert submit.report.status == "STOPPED"
    (container,) = submit.report.containers
    assert container.reason == "CannotPullContainerError: no such host"
    assert container.exit_code is None


def test_the_end_of_an_essential_container_stops_the_others_and_tells_once(world):
    running(world, a_task(a_container(), a_container("side", essential=False)))
    web, side = world.of(ONE, "web"), world.of(ONE, "side")
    stop = i.StopContainer(
        task_arn=ONE, container="side", attempt=1, runtime_id=side.runtime_id, timeout_seconds=30
    )
    assert doings(world.feed(world.end(web, 3))) == [stop]
    assert web.exit is not None
    finished_at = web.exit.finished_at
    exited, stopped = world.perform(stop)
    (submit,) = doings(world.feed(exited))
    assert submit.sequence == 2
    assert submit.report.status == "STOPPED"
    assert submit.report.execution_stopped_at == finished_at
    assert [(c.status, c.exit_code) for c in submit.report.containers] == [
        ("STOPPED", 3),
        ("STOPPED", 143),
    ]
    assert doings(world.feed(stopped)) == []
    world.pending.clear()
    assert doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=2))) == []
    assert doings(world.feed(e.ReportAcknowledged(task_arn=ONE, sequence=2))) == []


def test_the_end_of_a_container_that_is_not_essential_is_told_and_nothing_stops(world):
    running(world, a_task(a_container(), a_container("side", essential=False)))
    (submit,) = doings(world.feed(world.end(world.of(ONE, "side"), 1)))
    assert submit.report.status == "RUNNING"
    assert [c.status for c in submit.report.containers] == ["RUNNING", "STOPPED"]


def test_a_task_without_essential_containers_lasts_until_all_have_ended(world):
    quiet = (a_container("a", essential=None), a_container("b", essential=False))
    running(world, a_task(*quiet))
    world.feed(world.end(world.of(ONE, "a"), 0))
    world.run()
    assert world.booked[ONE] == "RUNNING"
    world.feed(world.end(world.of(ONE, "b"), 0))
    world.run()
    assert world.booked[ONE] == "STOPPED"


def test_dependencies_start_in_order_and_stop_in_reverse(world):
    db = a_container("db")
    web = a_container(depends_on=(ContainerDependency(container_name="db", condition="START"),))
    world.feed(payload(a_task(web, db)))
    order = []
    while world.pending:
        one = world.take()
        order += [one.container] if isinstance(one, i.StartContainer) else []
        for event in world.perform(one):
            world.feed(event)
    assert order == ["db", "web"]
    answer = world.feed(payload(Task(arn=ONE, desired_status="STOPPED")))
    assert [one.container for one in answer if isinstance(one, i.StopContainer)] == ["web"]
    done = world.perform(world.take())
    (stop,) = doings(world.feed(done[0]))
    assert (type(stop), stop.container) == (i.StopContainer, "db")


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [(0, "RUNNING", None), (2, "STOPPED", "DependencyError: init ended with exit code 2")],
)
def test_success_is_waited_for_or_despaired_of(world, code, status, reason):
    init = a_container("init", essential=False)
    web = a_container(depends_on=(ContainerDependency(container_name="init", condition="SUCCESS"),))
    running(world, a_task(web, init))
    assert ONE not in world.booked, "web has not begun: PENDING, which is not told"
    world.feed(world.end(world.of(ONE, "init"), code))
    world.run()
    assert world.booked[ONE] == status
    assert world.engine.tasks()[0].containers[0].reason == reason


def test_start_timeout_ends_the_wait_for_health(world):
    db = a_container("db", health_check_type="docker", start_timeout=20)
    web = a_container(depends_on=(ContainerDependency(container_name="db", condition="HEALTHY"),))
    running(world, a_task(web, db))
    world.tick(19)
    assert ONE not in world.booked
    world.tick(2)
    world.run()
    assert world.booked[ONE] == "STOPPED"
    reason = "DependencyError: db did not reach HEALTHY within 20 seconds"
    assert world.engine.tasks()[0].containers[0].reason == reason


def test_health_is_published_at_once_and_lets_dependents_begin(world):
    db = a_container("db", health_check_type="docker")
    web = a_container(depends_on=(ContainerDependency(container_name="db", condition="HEALTHY"),))
    running(world, a_task(web, db))
    changed = e.HealthChanged(
        task_arn=ONE,
        container="db",
        runtime_id=world.of(ONE, "db").runtime_id,
        health=Health.HEALTHY,
        since=world.now,
    )
    answer = world.feed(changed)
    assert kinds(answer) == ["CreateContainer", "PublishHealth"]
    published = doings(answer)[1]
    assert [(c.container_name, c.health) for c in published.tasks[0].containers] == [
        ("db", Health.HEALTHY)
    ]
    assert kinds(world.feed(changed)) == [], "the same word is no change"
    assert kinds(world.tick(25)) == ["PublishHealth"], "all is said again every 20 s"
