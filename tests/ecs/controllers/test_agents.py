"""What agents say on their websockets, through the table that the gateway runs."""

import pytest

from moorage.acs.messages import TaskIdentifier, TaskStopVerificationMessage
from moorage.acs.telemetry import (
    ContainerHealthStatus,
    InstanceStatus,
    PublishHealthRequest,
    PublishInstanceStatusRequest,
    TaskHealthStatus,
)
from moorage.ecs.agents import AGENT
from moorage.ecs.operations.session import Hello
from moorage.ground.arn import make_arn
from moorage.shapes.ecs.container_definition import HealthCheck
from tests.ecs.controllers.rig import Rig
from tests.house import ACCOUNT, OTHER, REGION


@pytest.fixture
def served(rig: Rig) -> Rig:
    """Three hosts, each with one task."""
    rig.serve("web", 3, rig.define("web"))
    rig.settle()
    return rig


def first(rig: Rig):
    return next(iter(rig.hosts.values()))


def test_a_connection_notes_the_versions(rig):
    rig.connect(first(rig))
    known = rig.instance(first(rig))
    assert (known.connected, known.agent_version, known.docker_version) == (True, "1.0", "29.0")
    assert known.connected_at == rig.house.clock.now()


def test_unknown_and_deregistered_hosts_are_refused(rig):
    one = first(rig)
    rig.change_host(one, status="INACTIVE")
    assert rig.agent(one, AGENT.connected, Hello()) == "InactiveInstanceException"
    nobody = make_arn("container-instance", REGION, ACCOUNT, "default", "0" * 32)
    connect = AGENT.connected
    assert (
        rig.house.write(lambda call: connect(call, nobody, Hello())) == "InvalidInstanceException"
    )
    foreign = rig.house.write(lambda call: connect(call, one.arn, Hello()), account=OTHER)
    assert foreign == "InvalidInstanceException"


@pytest.mark.parametrize("how", ["goodbye", "closed"])
def test_how_a_connection_ended_is_kept(rig, how):
    one = first(rig)
    rig.agent(one, AGENT.disconnected, how)
    known = rig.instance(one)
    assert (known.connected, known.disconnection) == (False, how)
    assert known.disconnected_at == rig.house.clock.now()
    rig.agent(one, AGENT.disconnected, "silent")
    assert rig.instance(one) == known


def test_a_loss_is_noted_once(rig):
    one = first(rig)
    rig.agent(one, AGENT.lost)
    known = rig.instance(one)
    assert (known.connected, known.disconnection) == (False, "silent")
    assert known.lost_at == rig.house.clock.now()
    rig.house.clock.advance(5)
    rig.agent(one, AGENT.lost)
    assert rig.instance(one) == known


def candidates(rig: Rig, *arns: str):
    message = TaskStopVerificationMessage(
        message_id="manifest..1",
        stop_candidates=tuple(TaskIdentifier(task_arn=one) for one in arns),
    )
    replies = rig.agent(first(rig), AGENT.messages[type(message)], message)
    return [one.task_arn for reply in replies for one in reply.stop_tasks]


def test_only_what_should_not_run_there_is_stopped(served):
    own = first(served).running()[0]
    foreign = next(each.running()[0] for each in served.hosts.values() if each.running() != [own])
    unknown = make_arn("task", REGION, ACCOUNT, "default", "f" * 32)
    assert candidates(served, own) == []
    assert candidates(served, own, foreign, unknown) == [foreign, unknown]
    service = served.rows()["services"][0].arn
    first(served).stubborn = True
    served.update(service, desired_count=0)
    served.settle()
    assert candidates(served, own) == [own]


def test_a_task_that_is_merely_disconnected_is_not_stopped(served):
    own = first(served).running()[0]
    served.lose(first(served))
    served.settle()
    assert candidates(served, own) == []


def test_a_host_that_runs_what_it_should_not_stops_it(served):
    """What a host kept running while its order to stop was lost: the manifest tells."""
    one = first(served)
    (arn,) = one.running()
    served.connected.discard(one.arn)
    served.house.write(lambda call: served.condemn(call.tx, arn))
    served.house.write(lambda call: served.acknowledge_stop(call.tx, arn))
    served.settle()
    assert one.running() == [arn]
    served.connect(one)
    served.settle()
    assert arn not in one.running()


def health(rig: Rig, task, status: str):
    message = PublishHealthRequest(
        tasks=(
            TaskHealthStatus(
                task_arn=task.arn,
                containers=(ContainerHealthStatus(container_name="main", health_status=status),),
            ),
        )
    )
    rig.agent(rig.hosts[task.instance], AGENT.messages[type(message)], message)
    rig.settle()


def test_health_counts_and_the_unhealthy_are_replaced(rig):
    check = HealthCheck(command=["CMD", "true"])
    service = rig.serve("web", 1, rig.define("web", health_check=check))
    rig.settle()
    (task,) = rig.running(service)
    assert rig.primary(service).rollout_state == "IN_PROGRESS"
    health(rig, task, "HEALTHY")
    assert rig.primary(service).rollout_state == "COMPLETED"
    before = rig.rows()
    health(rig, rig.tasks(service)[0], "HEALTHY")
    assert rig.rows() == before
    health(rig, task, "UNHEALTHY")
    newer = next(one for one in rig.running(service) if one.arn != task.arn)
    health(rig, newer, "HEALTHY")
    assert [one.arn for one in rig.running(service)] == [newer.arn]
    gone = next(one for one in rig.tasks(service) if one.arn == task.arn)
    assert gone.stopped_reason == "Task failed container health checks"


def test_health_of_another_hosts_task_is_not_heard(rig):
    check = HealthCheck(command=["CMD", "true"])
    service = rig.serve("web", 1, rig.define("web", health_check=check))
    rig.settle()
    (task,) = rig.running(service)
    liar = next(one for one in rig.hosts.values() if one.arn != task.instance)
    message = PublishHealthRequest(
        tasks=(
            TaskHealthStatus(
                task_arn=task.arn,
                containers=(ContainerHealthStatus(container_name="main", health_status="HEALTHY"),),
            ),
        )
    )
    rig.agent(liar, AGENT.messages[type(message)], message)
    assert rig.running(service)[0].health == "UNKNOWN"


def test_an_impaired_runtime_takes_no_task_until_it_is_well(bare):
    one = bare.host("a")

    def publish(status: str) -> None:
        said = InstanceStatus(type="ContainerRuntime", status=status, status_reason="disk")
        message = PublishInstanceStatusRequest(statuses=(said,))
        bare.agent(one, AGENT.messages[type(message)], message)

    publish("IMPAIRED")
    assert bare.instance(one).runtime_reason == "disk"
    service = bare.serve("web", 1, bare.define("web"))
    bare.settle()
    assert bare.live(service) == []
    publish("what")
    assert bare.instance(one).runtime_status == "IMPAIRED"
    publish("OK")
    assert bare.instance(one).runtime_reason == ""
    bare.settle()
    assert len(bare.running(service)) == 1
