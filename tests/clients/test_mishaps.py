"""Server and agents killed at bad moments: containers run on, and the records catch up."""

import json

import pytest

from tests.clients.place import Place, now, only, page
from tests.clients.processes import let_pass, tell, until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

TASK = "com.amazonaws.ecs.task-arn"


def owners(place: Place) -> dict[str, str]:
    """The task of each running container."""
    ids = list(place.containers())
    told = json.loads(place.docker("inspect", *ids)) if ids else []
    return {one["Id"]: one["Config"]["Labels"][TASK] for one in told}


def check_no_twins_and_no_orphans(place: Place) -> None:
    """Each running container is the only one of a task that ECS wants and knows as running."""
    found = owners(place)
    assert len(set(found.values())) == len(found), found
    known = {task["taskArn"]: task for task in place.describe(*found.values())}
    assert set(known) == set(found.values())
    assert {task["lastStatus"] for task in known.values()} <= {"RUNNING"}


@pytest.mark.both_databases
@pytest.mark.parametrize("after_seconds", [0.0, 0.4, 1.0, 1.6])
def test_a_server_killed_in_the_middle_of_a_deployment_goes_on_with_it(
    place: Place, images, after_seconds
):
    """The server dies by SIGKILL while three replicas are replaced, and is started again.

    The deployment ends as if nothing had happened: no container that should run was restarted,
    none is there twice, none is left over. While the server was away all pages were served.
    """
    port = [{"containerPort": 8080}]
    old = place.register("killed", {"image": images["web:1"], "portMappings": port})
    new = place.register("killed", {"image": images["web:2"], "portMappings": port})
    place.ecs.create_service(serviceName="killed", taskDefinition=old, desiredCount=3)
    place.steady("killed")
    place.ecs.update_service(service="killed", taskDefinition=new)
    let_pass(after_seconds)
    place.server.kill()
    let_pass(1)  # agents finish what they were told
    before = place.containers()
    assert len(before) >= 3
    place.server.start()
    done = place.steady("killed")
    place.await_connected(3)
    assert done["runningCount"] == 3
    assert done["taskDefinition"].endswith(new)
    until(lambda: len(place.containers()) == 3, 20, "three containers run")
    after = place.containers()
    assert {one: after[one] for one in after if one in before}.items() <= before.items()
    check_no_twins_and_no_orphans(place)
    assert all("version 2" in (page(task) or "") for task in place.running("killed"))


def test_a_server_that_was_away_restarts_nothing(place: Place, images):
    """The server is killed while all is steady; what happened meanwhile is known afterwards.

    One container ended with 7 while nobody listened: its exit code is told, it is replaced once,
    and the other two containers are the very same.
    """
    script = "trap 'exit 7' USR1; while true; do sleep 1; done"
    command = {"image": images["shell"], "command": ["/bin/sh", "-c", script]}
    definition = place.register(
        "away", {**command, "linuxParameters": {"initProcessEnabled": False}}
    )
    place.ecs.create_service(
        serviceName="away",
        taskDefinition=definition,
        desiredCount=3,
        tags=[{"key": "moorage:heal", "value": "off"}],  # else it may be run again meanwhile
    )
    place.steady("away")
    before, tasks = place.containers(), place.running("away")
    place.server.kill()
    gone = place.container(tasks[0])["Id"]
    place.docker("kill", "--signal", "USR1", gone)
    until(lambda: gone not in place.containers(), 10, "the container ended")
    place.server.start()
    ended = place.stopped(tasks[0]["taskArn"])
    assert (only(ended)["exitCode"], ended["stopCode"]) == (7, "EssentialContainerExited")
    place.steady("away")
    after = place.containers()
    assert len(after) == 3
    kept = {one: began for one, began in before.items() if one != gone}
    assert kept.items() <= after.items()
    check_no_twins_and_no_orphans(place)


@pytest.mark.both_databases
def test_an_agent_killed_and_started_again_takes_up_its_containers(place: Place, images):
    """An agent dies by SIGKILL; its containers run on, the very same after its return.

    One ended with 7 while it was away: that is reported with its code, and replaced.
    """
    script = "trap 'exit 7' USR1; while true; do sleep 1; done"
    command = {"image": images["shell"], "command": ["/bin/sh", "-c", script]}
    definition = place.register("adopted", command)
    place.ecs.create_service(serviceName="adopted", taskDefinition=definition, desiredCount=6)
    place.steady("adopted")
    host = place.hosts[0]
    mine = next(one for one in place.instances() if _name(one) == host.name)
    arn = mine["containerInstanceArn"]
    before = place.containers()
    on_it = [task for task in place.running("adopted") if task["containerInstanceArn"] == arn]
    assert len(on_it) == 2
    host.kill()
    until(lambda: not _instance(place, arn)["agentConnected"], 20, "the server sees it leave")
    gone = place.container(on_it[0])["Id"]
    place.docker("kill", "--signal", "USR1", gone)
    until(lambda: gone not in place.containers(), 10, "the container ended")
    began = now()
    host.start()
    place.await_connected(3)
    tell(f"connected again after {now() - began:.2f} s")
    ended = place.stopped(on_it[0]["taskArn"])
    assert (only(ended)["exitCode"], ended["stopCode"]) == (7, "EssentialContainerExited")
    place.steady("adopted")
    after = place.containers()
    assert len(after) == 6
    assert {one: at for one, at in before.items() if one != gone}.items() <= after.items()
    assert place.describe(on_it[1]["taskArn"])[0]["lastStatus"] == "RUNNING"
    assert len(place.instances()) == 3
    check_no_twins_and_no_orphans(place)


@pytest.mark.parametrize("after_seconds", [0.05, 0.3, 0.8])
def test_an_agent_killed_while_it_starts_tasks_starts_none_twice(
    place: Place, images, after_seconds
):
    """The agent dies between the payload and the report, at several moments; all tasks run once."""
    definition = place.register("born", {"image": images["web:1"]})
    place.ecs.create_service(serviceName="born", taskDefinition=definition, desiredCount=9)
    let_pass(after_seconds)
    place.hosts[1].kill()
    place.hosts[1].start()
    place.steady("born")
    place.await_connected(3)
    until(lambda: len(place.containers()) == 9, 20, "nine containers run", place.containers)
    check_no_twins_and_no_orphans(place)


def test_what_was_asked_while_an_agent_was_away_happens_on_its_return(place: Place, images):
    """A task is stopped while its host is not connected; it ends when the host comes back."""
    definition = place.register("late", {"image": images["web:1"]})
    arn = place.run_task(definition)
    task = place.started(arn)
    instance = _instance(place, task["containerInstanceArn"])
    host = next(one for one in place.hosts if one.name == _name(instance))
    host.kill()
    until(
        lambda: not _instance(place, task["containerInstanceArn"])["agentConnected"],
        20,
        "the server sees it leave",
    )
    told = place.ecs.stop_task(task=arn, reason="while you were out")["task"]
    assert told["desiredStatus"] == "STOPPED"
    host.start()
    ended = place.stopped(arn)
    assert ended["stoppedReason"] == "while you were out"
    assert only(ended)["exitCode"] == 0


def test_no_task_goes_to_a_host_that_is_not_connected(place: Place, images):
    """While a host is away nothing is placed there, and RunTask on that host says AGENT."""
    host = place.hosts[2]
    arn = next(x["containerInstanceArn"] for x in place.instances() if _name(x) == host.name)
    host.kill()
    until(lambda: not _instance(place, arn)["agentConnected"], 20, "the server sees it leave")
    definition = place.register("elsewhere", {"image": images["web:1"]})
    answer = place.ecs.start_task(taskDefinition=definition, containerInstances=[arn])
    assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [(arn, "AGENT")]
    answer = place.ecs.run_task(taskDefinition=definition, count=6)
    assert len(answer["tasks"]) == 6
    assert arn not in {task["containerInstanceArn"] for task in answer["tasks"]}
    host.start()
    place.await_connected(3)


def _name(instance: dict) -> str:
    return str(instance["ec2InstanceId"])  # a host's name stands where EC2 has its machine's id


def _instance(place: Place, arn: str) -> dict:
    return next(one for one in place.instances() if one["containerInstanceArn"] == arn)
