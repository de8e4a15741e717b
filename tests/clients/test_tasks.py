"""Tasks run by hand: overrides, exit codes, stops, and what cannot be placed."""

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import HOST_MEMORY_MIB, Place, now, only
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]
DEAF = ["/bin/sh", "-c", "trap '' TERM; while true; do sleep 1; done"]


@pytest.fixture
def shell(place: Place, images) -> str:
    """A definition that prints its arguments' work, whatever the command is."""
    return place.register("shell", {"image": images["shell"], "command": FOREVER})


def test_a_command_is_overridden_and_its_exit_code_told(place: Place, shell: str):
    """`run-task --overrides`: command and environment are the caller's, and so is the exit code."""
    script = 'test "$WHO" = me && test "$(hostname)" && exit 42'
    override = {
        "name": "main",
        "command": ["/bin/sh", "-c", script],
        "environment": [{"name": "WHO", "value": "me"}],
    }
    task = place.finished(shell, overrides={"containerOverrides": [override]}, startedBy="a-test")
    assert only(task)["exitCode"] == 42
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["startedBy"] == "a-test"
    assert task["group"] == "family:shell"
    assert task["overrides"]["containerOverrides"][0]["command"] == override["command"]
    stamps = [
        *("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt"),
        *("executionStoppedAt", "stoppedAt"),
    ]
    assert not [name for name in stamps if name not in task]
    assert task["createdAt"] <= task["startedAt"] <= task["stoppedAt"]
    stopped = place.ecs.list_tasks(desiredStatus="STOPPED", startedBy="a-test")["taskArns"]
    assert stopped == [task["taskArn"]]


def test_a_task_is_stopped_with_its_reason(place: Place, shell: str):
    """`stop-task --reason`: SIGTERM, exit 0, and the caller's words."""
    arn = place.run_task(shell)
    place.started(arn)
    began = now()
    place.ecs.stop_task(task=arn, reason="enough")
    task = place.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert only(task)["exitCode"] == 0
    assert now() - began < 10
    again = place.ecs.stop_task(task=arn, reason="twice")["task"]
    assert (again["lastStatus"], again["stoppedReason"]) == ("STOPPED", "enough")


def test_a_task_that_ignores_sigterm_is_killed_and_that_is_said(place: Place, images):
    """Such a container gets SIGKILL after its stopTimeout: exit code 137, and the reason says it."""
    definition = place.register(
        "deaf", {"image": images["shell"], "command": DEAF, "stopTimeout": 2}
    )
    arn = place.run_task(definition)
    place.started(arn)
    began = now()
    place.ecs.stop_task(task=arn, reason="please")
    task = place.stopped(arn)
    assert 2 <= now() - began < 12
    assert only(task)["exitCode"] == 137
    assert "SIGTERM" in only(task).get("reason", ""), task


def test_a_task_that_never_starts_says_why(place: Place, images):
    """An image that is not there, a command that is not there, a task over its memory."""
    missing = images["shell"].rpartition(":")[0] + ":never"
    task = place.finished(place.register("nothing", {"image": missing}))
    assert task["stopCode"] == "TaskFailedToStart"
    assert "CannotPullContainerError" in task["stoppedReason"]
    assert "startedAt" not in task
    definition = place.register("noexec", {"image": images["shell"], "command": ["/no/such"]})
    task = place.finished(definition)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "CannotStartContainerError" in task["stoppedReason"] + only(task).get("reason", "")
    hungry = ["/bin/sh", "-c", "sleep 1; x=$(yes | head -c 60000000 | tr -d '\\n'); echo ${#x}"]
    definition = place.register(
        "hungry", {"image": images["shell"], "command": hungry, "memory": 8}
    )
    task = place.finished(definition)
    assert "OutOfMemoryError" in task["stoppedReason"] + only(task).get("reason", "")
    assert only(task)["exitCode"] == 137


def test_what_no_host_can_hold_is_refused_with_a_reason_for_each(place: Place, images):
    """RunTask answers `failures`, one for each host; nothing runs."""
    image = images["shell"]
    cases = {
        "RESOURCE:MEMORY": {"memory": HOST_MEMORY_MIB + 1},
        "RESOURCE:CPU": {"cpu": 100_000},
        "ATTRIBUTE": {
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"},
            }
        },
        "RESOURCE:GPU": {"resourceRequirements": [{"type": "GPU", "value": "1"}]},
    }
    arns = {one["containerInstanceArn"] for one in place.instances()}
    for reason, members in cases.items():
        definition = place.register("toobig", {"image": image, **members})
        answer = place.ecs.run_task(taskDefinition=definition)
        assert answer["tasks"] == []
        assert {one["reason"] for one in answer["failures"]} == {reason}
        assert {one["arn"] for one in answer["failures"]} == arns
    assert place.tasks() == []


@pytest.mark.both_databases
def test_a_port_is_taken_once_on_each_host(place: Place, images):
    """A fixed port: three tasks on three hosts, the fourth finds RESOURCE:PORTS everywhere.

    Once one has stopped there is room again.
    """
    ports = [{"containerPort": 80, "hostPort": 18181}]
    definition = place.register(
        "ports", {"image": images["shell"], "command": FOREVER, "portMappings": ports}
    )
    answer = place.ecs.run_task(taskDefinition=definition, count=4)
    assert len(answer["tasks"]) == 3
    assert {one["reason"] for one in answer["failures"]} == {"RESOURCE:PORTS"}
    arns = [task["taskArn"] for task in answer["tasks"]]
    for arn in arns:
        place.started(arn)
    assert place.ecs.run_task(taskDefinition=definition)["failures"]
    place.ecs.stop_task(task=arns[0])
    place.stopped(arns[0])
    place.started(place.run_task(definition))


def test_a_service_that_cannot_be_placed_says_why_in_its_events(place: Place, images):
    """The event names the closest host and what it lacks; room that appears is used at once."""
    definition = place.register("vast", {"image": images["shell"], "memory": HOST_MEMORY_MIB + 1})
    place.ecs.create_service(serviceName="vast", taskDefinition=definition, desiredCount=1)
    until(lambda: place.messages("vast"), 10, "an event")
    first = place.messages("vast")[-1]
    assert first.startswith(
        "(service vast) was unable to place a task because no container instance met all of its "
        "requirements. The closest matching (container-instance "
    )
    assert "has insufficient memory available" in first
    assert place.service("vast")["pendingCount"] == 0


@pytest.mark.both_databases
def test_the_same_client_token_runs_a_task_once(place: Place, shell: str):
    """RunTask with a token is idempotent; the token with other members is a ConflictException."""
    first = place.ecs.run_task(taskDefinition=shell, clientToken="once", count=1)
    again = place.ecs.run_task(taskDefinition=shell, clientToken="once", count=1)
    assert first["tasks"][0]["taskArn"] == again["tasks"][0]["taskArn"]
    with pytest.raises(ClientError, match="ConflictException"):
        place.ecs.run_task(taskDefinition=shell, clientToken="once", count=2)
    assert len(place.tasks()) == 1


def test_tags_are_propagated_to_tasks(place: Place, images):
    """propagateTags: a service's tags, or its definition's, stand on its tasks."""
    tags = [{"key": "team", "value": "harbour"}]
    definition = place.register("tagged", {"image": images["shell"], "command": FOREVER}, tags=tags)
    arn = place.run_task(definition, propagateTags="TASK_DEFINITION")
    told = place.ecs.describe_tasks(tasks=[arn], include=["TAGS"])["tasks"][0]
    assert told["tags"] == tags
    place.ecs.tag_resource(resourceArn=arn, tags=[{"key": "more", "value": "1"}])
    listed = place.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {one["key"] for one in listed} == {"team", "more"}
    place.ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert [x["key"] for x in place.ecs.list_tags_for_resource(resourceArn=arn)["tags"]] == ["more"]
