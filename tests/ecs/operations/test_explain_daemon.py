"""ExplainService of a daemon, and of a service that avoids a host."""

from tests.builders import a_definition, a_host, a_service, a_task
from tests.ecs.operations.test_daemon_service import a_daemon, running
from tests.ecs.operations.test_explanation import own, report, send, tasks_of, waits


def test_a_daemon_waits_for_room_where_it_lacks_a_task_and_nowhere_else(house):
    one, two = a_host(house, "big"), a_host(house, "small", cpu=1000)
    a_task(house, taskDefinition=a_definition(house, "filler", container={"cpu": 900}))
    a_task(house, taskDefinition=a_definition(house, "other", container={"cpu": 900}))
    a_daemon(house, taskDefinition=a_definition(house, "logs", container={"cpu": 512}))
    house.settle()
    running(house, one, two)
    answer = own(house, "ExplainService", service="logs")
    assert "wants 2 tasks of logs:1" in answer["headline"]
    assert "It waits for room. None of 1 host can take another task. small came closest" in waits(
        answer
    )


def test_a_daemon_on_a_draining_host_waits_for_the_others(house):
    key = a_host(house)
    a_task(house)
    a_daemon(house)
    house.settle()
    running(house, key)
    house.ask("UpdateContainerInstancesState", containerInstances=[key.instance], status="DRAINING")
    house.settle()
    answer = own(house, "ExplainService", service="logs")
    assert (
        "To stop on hosts that are being drained, once no other task is left there: 1 task ("
        in (waits(answer))
    )
    assert "It waits for room" not in waits(answer)


def test_an_avoided_host_is_refused_by_a_filter_of_its_own(house):
    key = a_host(house, "bad")
    a_service(house, count=1)
    house.settle()
    for _ in range(5):
        send(house, key)
        (task,) = tasks_of(house)
        report(house, key, task, "STOPPED", reason="DockerTimeoutError: it hangs")
    a_host(house, "good")
    answer = own(house, "ExplainService", service="web")
    (refused,) = [one for one in answer["placement"]["filters"] if one["refused"]]
    assert refused["hosts"] == ["bad"]
    assert refused["name"] == "not avoided by the service, whose tasks failed there"
    assert answer["placement"]["takers"] == ["good"]


def test_a_host_says_what_it_keeps_for_the_daemons_that_it_lacks(house):
    key = a_host(house, "h", cpu=1000)
    a_daemon(house, taskDefinition=a_definition(house, "logs", container={"cpu": 400}))
    house.settle()
    for _ in range(2):  # the first replacement is started at once
        send(house, key)
        (task,) = tasks_of(house, "logs")
        report(house, key, task, "STOPPED", reason="CannotPullContainerError: none")
    a_service(house, taskDefinition=a_definition(house, "web", container={"cpu": 800}))
    house.settle()
    answer = own(house, "ExplainHost", host="h")
    said = " | ".join(answer["reasons"])
    assert (
        "It keeps 400 CPU units and 512 MiB for the tasks of daemons that it lacks: logs." in said
    )
    assert "(800 wanted, 600 left beside what is kept for the daemon logs)" in said
    (cpu,) = [one for one in answer["resources"] if one["name"] == "CPU"]
    assert cpu["promised"] == 0
