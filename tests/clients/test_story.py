"""The main job, end to end, with the tools that a newcomer uses."""

import pytest

from tests.clients.place import Place, bindings, now, page
from tests.clients.processes import tell, until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

REPLACED_SECONDS_MAX = 10.0


@pytest.fixture
def pushed(place: Place, folder) -> str:
    """The sample built by docker from its Dockerfile, and pushed after `aws ecr get-login...`."""
    uri = place.aws("ecr", "create-repository", "--repository-name", "story/web")
    name = f"{uri['repository']['repositoryUri']}:1"
    place.sample("story:1", folder / "story", "1")
    place.login()
    place.push("story:1", name)
    return name


def test_push_an_image_run_it_on_three_hosts_and_see_it_heal(place: Place, pushed: str):
    """A newcomer pushes an image with docker and starts three replicas with the AWS CLI.

    One lands on each host; each serves a page at its own address. One container is killed: its
    replacement runs soon, the counts are right again, and the events tell the story.
    """
    definition = (
        '{"family":"story","containerDefinitions":[{"name":"main","image":"%s","cpu":64,'
        '"memory":32,"portMappings":[{"containerPort":8080}]}]}'
    )
    place.aws("ecs", "register-task-definition", "--cli-input-json", definition % pushed)
    began = now()
    made = place.aws(
        *("ecs", "create-service", "--cluster", "default", "--service-name", "story"),
        *("--task-definition", "story", "--desired-count", "3"),
    )
    assert made["service"]["status"] == "ACTIVE"
    place.steady("story")
    tell(f"three replicas steady after {now() - began:.2f} s")
    place.aws("ecs", "wait", "services-stable", "--services", "story")

    tasks = place.running("story")
    assert len({task["containerInstanceArn"] for task in tasks}) == 3
    addresses = {(bindings(task)[0]["bindIP"], bindings(task)[0]["hostPort"]) for task in tasks}
    assert {address for address, _ in addresses} <= {host.publish_address for host in place.hosts}
    assert len({address for address, _ in addresses}) == 3
    assert all("version 1" in (page(task) or "") for task in tasks)

    victim = tasks[0]
    began = now()
    place.docker("kill", place.container(victim)["Id"])
    killed = now()

    def healed() -> bool:
        arns = {task["taskArn"] for task in place.running("story")}
        return len(arns) == 3 and victim["taskArn"] not in arns

    until(healed, REPLACED_SECONDS_MAX, "a replacement runs", lambda: place.messages("story"))
    tell(f"replaced {now() - killed:.2f} s after docker kill (which took {killed - began:.2f} s)")

    told = place.aws("ecs", "describe-services", "--services", "story")["services"][0]
    assert (told["runningCount"], told["pendingCount"], told["desiredCount"]) == (3, 0, 3)
    gone = place.stopped(victim["taskArn"])
    assert gone["stopCode"] == "EssentialContainerExited"
    assert gone["stoppedReason"] == "Essential container in task exited"
    assert gone["containers"][0]["exitCode"] == 137
    until(
        lambda: all("version 1" in (page(task) or "") for task in place.running("story")),
        5,
        "every replica serves its page",
    )
    assert any("(service story) has started 3 tasks:" in text for text in place.messages("story"))
    assert any("has reached a steady state." in text for text in place.messages("story"))


def test_the_waiters_of_the_aws_cli_come_back(place: Place, images):
    """Those for tasks that run and stop, and for services that are stable and inactive, all end."""
    definition = place.register("waited", {"image": images["web:1"]})
    arn = place.run_task(definition)
    place.aws("ecs", "wait", "tasks-running", "--tasks", arn)
    assert place.describe(arn)[0]["lastStatus"] == "RUNNING"
    place.aws("ecs", "stop-task", "--task", arn, "--reason", "waited long enough")
    place.aws("ecs", "wait", "tasks-stopped", "--tasks", arn)
    assert place.describe(arn)[0]["lastStatus"] == "STOPPED"
    place.ecs.create_service(serviceName="waited", taskDefinition=definition, desiredCount=1)
    place.aws("ecs", "wait", "services-stable", "--services", "waited")
    place.aws("ecs", "update-service", "--service", "waited", "--desired-count", "0")
    place.aws("ecs", "delete-service", "--service", "waited")
    place.aws("ecs", "wait", "services-inactive", "--services", "waited")
    assert place.service("waited")["status"] == "INACTIVE"


def test_a_service_shrinks_and_grows_in_place(place: Place, images):
    """Changing the desired count makes no deployment; only as many tasks stop or start."""
    definition = place.register("sized", {"image": images["web:1"]})
    place.ecs.create_service(serviceName="sized", taskDefinition=definition, desiredCount=2)
    place.steady("sized")
    before = {task["taskArn"] for task in place.running("sized")}
    place.ecs.update_service(service="sized", desiredCount=4)
    until(lambda: len(place.running("sized")) == 4, 20, "four replicas run")
    place.ecs.update_service(service="sized", desiredCount=1)
    until(lambda: len(place.running("sized")) == 1, 20, "one replica runs")
    told = place.steady("sized")
    assert len(told["deployments"]) == 1
    assert before <= {
        task["taskArn"]
        for status in ("RUNNING", "STOPPED")
        for task in place.tasks(serviceName="sized", desiredStatus=status)
    }
