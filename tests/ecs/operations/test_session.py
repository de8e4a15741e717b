"""What an agent's websockets mean: come and gone, orders acknowledged, stops verified, health."""

import pytest

from moorage.acs.messages import (
    AckRequest,
    TaskIdentifier,
    TaskStopVerificationMessage,
)
from moorage.acs.telemetry import (
    ContainerHealthStatus,
    InstanceStatus,
    PublishHealthRequest,
    PublishInstanceStatusRequest,
    TaskHealthStatus,
)
from moorage.ecs.agents import AGENT
from moorage.ecs.operations.session import Hello
from moorage.ecs.store import container_instances, tasks
from moorage.ground.instant import seconds
from tests.builders import EcsHouse, a_definition, a_host, a_service, a_task, connect_host
from tests.house import OTHER


def say(house: EcsHouse, key, message):
    handler = AGENT.messages[type(message)]
    return house.write(lambda call: handler(call, key.instance, message), principal=key)


def outgoing(house: EcsHouse, key, on_connect=False):
    return house.write(lambda call: AGENT.outgoing(call, key.instance, on_connect), principal=key)


def instance(house, key):
    return house.read(lambda call: container_instances.get(call.tx, key.instance))


def task_of(house, arn):
    return house.read(lambda call: tasks.get(call.tx, arn))


def run(house, key, handler, *more):
    return house.write(lambda call: handler(call, key.instance, *more), principal=key)


def test_a_host_comes_and_goes(house):
    key = a_host(house, connect=False)
    hello = Hello(agent_version="1.2.3", agent_hash="abc", docker_version="DockerVersion: 20.10")
    assert run(house, key, AGENT.connected, hello) is None
    found = instance(house, key)
    assert (found.connected, found.connected_at) == (True, house.clock.now())
    assert (found.agent_version, found.docker_version) == ("1.2.3", "20.10")
    house.clock.advance(seconds(3))
    run(house, key, AGENT.disconnected, "goodbye")
    found = instance(house, key)
    assert (found.connected, found.disconnection) == (False, "goodbye")
    assert found.disconnected_at == house.clock.now()
    run(house, key, AGENT.disconnected, "closed")
    assert instance(house, key) == found
    house.clock.advance(seconds(9))
    run(house, key, AGENT.lost)
    assert instance(house, key).lost_at == house.clock.now()
    run(house, key, AGENT.connected, hello)
    found = instance(house, key)
    assert (found.connected, found.lost_at) == (True, None)


def test_no_task_is_placed_on_a_host_of_an_earlier_server(house):
    """One that was written as connected once got a task at each start, and never came back."""
    key = a_host(house)
    before = instance(house, key)
    house.clock.advance(seconds(3))
    assert house.write(lambda call: AGENT.awaited(call.tx, [before])) == {key.instance}
    found = instance(house, key)
    assert (found.connected, found.disconnection) == (False, "closed")
    assert found.disconnected_at == house.clock.now()
    answer = house.ask("RunTask", taskDefinition=a_definition(house))
    assert [one["reason"] for one in answer["failures"]] == ["AGENT"]
    run(house, key, AGENT.connected, Hello())
    assert house.ask("RunTask", taskDefinition=a_definition(house))["failures"] == []


def test_what_is_known_of_a_host_that_went_before_stays_so(house):
    key = a_host(house)
    seen = instance(house, key)
    run(house, key, AGENT.disconnected, "goodbye")
    gone = instance(house, key)
    house.clock.advance(seconds(3))
    assert house.write(lambda call: AGENT.awaited(call.tx, [gone])) == {key.instance}
    assert instance(house, key) == gone
    run(house, key, AGENT.connected, Hello())
    back = instance(house, key)
    for earlier in (seen, gone):
        assert house.write(lambda call: AGENT.awaited(call.tx, [earlier])) == set()  # noqa: B023
    assert instance(house, key) == back


def test_who_may_not_connect_is_told_why(house):
    key = a_host(house)
    hello = Hello()
    told = house.write(
        lambda call: AGENT.connected(call, key.instance, hello), principal=key, account=OTHER
    )
    assert told == "InvalidInstanceException"
    assert run(house, key, lambda call, _, __: AGENT.connected(call, "arn:x", hello), None) == (
        "InvalidInstanceException"
    )
    house.ask("DeregisterContainerInstance", containerInstance=key.instance)
    assert run(house, key, AGENT.connected, hello) == "InactiveInstanceException"
    before = instance(house, key)
    for handler, more in (
        (AGENT.disconnected, ("closed",)),
        (AGENT.lost, ()),
    ):
        run(house, key, handler, *more)
    assert instance(house, key) == before
    assert outgoing(house, key, on_connect=True).messages == ()


def test_an_order_is_sent_again_under_the_same_id_until_it_is_acknowledged(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    (order,) = outgoing(house, key).payloads
    assert order.tasks[0].arn == task
    assert (order.tasks[0].desired_status, order.seq_num) == ("RUNNING", 1)
    assert outgoing(house, key).payloads == (order,)
    for wrong in ("nonsense", "run.x.1", f"run.{'f' * 32}.1", order.message_id[:-1] + "9"):
        say(house, key, AckRequest(message_id=wrong))
    assert outgoing(house, key).payloads == (order,)
    other = a_host(house, "other")
    say(house, other, AckRequest(message_id=order.message_id))
    assert outgoing(house, key).payloads == (order,)
    say(house, key, AckRequest(message_id=order.message_id))
    assert outgoing(house, key).payloads == ()
    assert task_of(house, task).acknowledged_at == house.clock.now()
    house.ask("StopTask", task=task)
    (stop,) = outgoing(house, key).payloads
    assert (stop.tasks[0].desired_status, stop.seq_num) == ("STOPPED", 2)
    say(house, key, AckRequest(message_id=stop.message_id))
    assert outgoing(house, key).payloads == ()
    kept = task_of(house, task)
    say(house, key, AckRequest(message_id=stop.message_id))
    assert task_of(house, task) == kept


def test_a_manifest_says_all_that_should_run_under_the_highest_number(house):
    key = a_host(house)
    arns = [a_task(house)["taskArn"] for _ in range(3)]
    told = outgoing(house, key)
    assert [one.seq_num for one in told.payloads] == [1, 2, 3]
    house.ask("StopTask", task=arns[0])
    told = outgoing(house, key, on_connect=True)
    assert told.manifest.timeline > max(one.seq_num for one in told.payloads)
    assert {one.task_arn for one in told.manifest.tasks} == set(arns[1:])
    again = outgoing(house, key, on_connect=True)
    assert again.manifest.timeline > told.manifest.timeline
    registry, in_use = told.notices
    assert registry.names == ("registry.test:4750",)
    assert told.messages[:2] == (registry, in_use)
    assert told.messages[-1] == told.manifest


def test_images_of_services_are_told_as_in_use(house):
    key = a_host(house)
    image = f"demo@sha256:{'e' * 64}"
    a_service(house, count=0, taskDefinition=a_definition(house, container={"image": image}))
    _, in_use = outgoing(house, key, on_connect=True).notices
    assert (in_use.images, in_use.digests) == ((image,), (f"sha256:{'e' * 64}",))


def test_a_foreign_agent_is_told_nothing_of_ours(house):
    key = house.host_key()
    answer = house.ask(
        "RegisterContainerInstance",
        by=key,
        totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 1024},
        ],
    )
    arn = answer["containerInstance"]["containerInstanceArn"]
    told = house.write(lambda call: AGENT.outgoing(call, arn, True), principal=key)
    assert told.notices == ()
    assert told.manifest.tasks == ()


def test_only_what_should_not_run_is_confirmed_to_stop(house):
    key, other = a_host(house, "one"), a_host(house, "two")
    running = a_task(house)
    mine, their = (key, other) if running["containerInstanceArn"] == key.instance else (other, key)
    stopped = a_task(house)["taskArn"]
    house.ask("StopTask", task=stopped)
    unknown = running["taskArn"][:-4] + "ffff"
    candidates = tuple(
        TaskIdentifier(task_arn=arn, desired_status="STOPPED")
        for arn in (running["taskArn"], stopped, unknown)
    )
    message = TaskStopVerificationMessage(message_id="m", stop_candidates=candidates)
    (answer,) = say(house, mine, message)
    assert answer.message_id == "m"
    assert [one.task_arn for one in answer.stop_tasks] == [stopped, unknown]
    (answer,) = say(house, their, message)
    assert len(answer.stop_tasks) == 3
    assert say(house, mine, TaskStopVerificationMessage(message_id="m")) == ()


@pytest.mark.parametrize("status", ["HEALTHY", "UNHEALTHY", "UNKNOWN"])
def test_health_is_taken_in(house, status):
    key = a_host(house)
    check = {"command": ["CMD", "true"]}
    task = a_task(house, taskDefinition=a_definition(house, container={"healthCheck": check}))
    arn = task["taskArn"]
    assert task["healthStatus"] == "UNKNOWN"
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=arn, status="RUNNING")
    told = TaskHealthStatus(
        task_arn=arn,
        containers=(
            ContainerHealthStatus(container_name="web", health_status=status),
            ContainerHealthStatus(container_name="nobody", health_status="HEALTHY"),
        ),
    )
    nobody = TaskHealthStatus(task_arn=arn[:-4] + "ffff", containers=told.containers)
    message = PublishHealthRequest(tasks=(told, nobody))
    assert say(house, key, message) == ()
    (shown,) = house.ask("DescribeTasks", tasks=[arn])["tasks"]
    assert shown["healthStatus"] == shown["containers"][0]["healthStatus"] == status
    before = task_of(house, arn)
    say(house, key, message)
    say(house, a_host(house, "other"), message)
    assert task_of(house, arn) == before


def test_the_runtimes_status_is_taken_in_when_it_changes(house):
    key = a_host(house)
    message = PublishInstanceStatusRequest(
        statuses=(
            InstanceStatus(type="ContainerRuntime", status="IMPAIRED"),
            InstanceStatus(type="Other", status="OK"),
            InstanceStatus(type="ContainerRuntime", status="nonsense"),
        )
    )
    say(house, key, message)
    (shown,) = house.ask(
        "DescribeContainerInstances",
        containerInstances=[key.instance],
        include=["CONTAINER_INSTANCE_HEALTH"],
    )["containerInstances"]
    assert shown["healthStatus"]["details"][0]["status"] == "IMPAIRED"
    before = instance(house, key)
    house.clock.advance(seconds(5))
    say(house, key, message)
    assert instance(house, key) == before


def test_a_lost_hosts_tasks_are_disconnected_until_it_returns(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    run(house, key, AGENT.lost)
    house.settle()
    (shown,) = house.ask("DescribeTasks", tasks=[task])["tasks"]
    assert (shown["connectivity"], shown["lastStatus"]) == ("DISCONNECTED", "PENDING")
    connect_host(house, key)
    house.settle()
    assert house.ask("DescribeTasks", tasks=[task])["tasks"][0]["connectivity"] == "CONNECTED"


def test_a_doubtful_host_gets_no_task_until_it_is_heard(house):
    key = a_host(house)
    run(house, key, AGENT.doubted, True)
    answer = house.ask("RunTask", taskDefinition=a_definition(house))
    assert [one["reason"] for one in answer["failures"]] == ["AGENT"]
    before = instance(house, key)
    run(house, key, AGENT.doubted, True)
    assert instance(house, key) == before, "written once"
    run(house, key, AGENT.doubted, False)
    assert house.ask("RunTask", taskDefinition=a_definition(house))["failures"] == []


@pytest.mark.parametrize("way", ["disconnected", "lost", "connected"])
def test_doubt_ends_with_certainty(house, way):
    key = a_host(house)
    run(house, key, AGENT.doubted, True)
    more = {"disconnected": ("closed",), "lost": ("silent",), "connected": (Hello(),)}
    run(house, key, getattr(AGENT, way), *more[way])
    assert not instance(house, key).suspect


def test_a_host_without_its_engine_is_lost_although_it_is_connected_and_comes_back(house):
    key = a_host(house)
    task = a_task(house)["taskArn"]
    told = {
        status: PublishInstanceStatusRequest(
            statuses=(InstanceStatus(type="ContainerRuntime", status=status),)
        )
        for status in ("IMPAIRED", "OK")
    }
    say(house, key, told["IMPAIRED"])
    gone_at = house.clock.now()
    house.clock.advance(seconds(60))
    say(house, key, told["IMPAIRED"])
    assert instance(house, key).engine_gone_at == gone_at
    run(house, key, AGENT.lost, "engine")
    found = instance(house, key)
    assert (found.connected, found.loss, found.lost_at) == (True, "engine", house.clock.now())
    assert task_of(house, task).connectivity == "DISCONNECTED"
    run(house, key, AGENT.returned)
    assert instance(house, key).loss == "engine", "its engine is still gone"
    say(house, key, told["OK"])
    assert instance(house, key).lost_at is not None, "that is the session's to say"
    run(house, key, AGENT.returned)
    found = instance(house, key)
    assert (found.lost_at, found.engine_gone_at) == (None, None)
    assert task_of(house, task).connectivity == "CONNECTED"


def test_a_new_connection_does_not_bring_a_missing_engine_back(house):
    key = a_host(house)
    message = PublishInstanceStatusRequest(
        statuses=(InstanceStatus(type="ContainerRuntime", status="IMPAIRED"),)
    )
    say(house, key, message)
    run(house, key, AGENT.lost, "silent")
    connect_host(house, key)
    found = instance(house, key)
    assert (found.connected, found.loss, len(found.losses)) == (True, "engine", 1)


def test_a_host_remembers_two_losses_and_flaps_by_them(house):
    key = a_host(house)
    for _ in range(3):
        house.clock.advance(seconds(100))
        run(house, key, AGENT.lost)
        house.clock.advance(seconds(50))
        connect_host(house, key)
    found = instance(house, key)
    assert len(found.losses) == 2
    assert found.flapping_until == house.clock.now() + house.site.flapping_rest
    answer = house.ask("RunTask", taskDefinition=a_definition(house))
    assert [one["reason"] for one in answer["failures"]] == ["AGENT"]
    house.settle()
    house.pass_time(house.site.flapping_rest)
    assert instance(house, key).flapping_until is None
    assert house.ask("RunTask", taskDefinition=a_definition(house))["failures"] == []
