"""Deployments under the eyes of people who fetch pages all the time."""

import threading
from collections import Counter
from http.client import HTTPException
from typing import Self

import pytest

from tests.clients.place import Place, bindings, now, page, served
from tests.clients.processes import tell, until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

PORTS = [{"containerPort": 8080}]


class Visitors:
    """Fetch the page of every running replica again and again, in a thread."""

    def __init__(self, place: Place, service: str) -> None:
        self.place = place
        self.service = service
        self.rounds: list[Counter[str]] = []
        self.misses: list[str] = []
        self.trouble: list[BaseException] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def least(self) -> int:
        """The fewest pages that any round got."""
        assert not self.trouble
        return min(found.total() for found in self.rounds)

    def _visit(self) -> None:
        try:
            while not self._over.is_set():
                pages = [self._page(task) for task in self.place.running(self.service)]
                self.rounds.append(Counter(text.split("version ")[1][0] for text in pages if text))
        except BaseException as error:  # noqa: BLE001 - the test reads it: a thread's failure is the test's
            self.trouble.append(error)

    def _page(self, task: dict) -> str:
        if not bindings(task):
            return ""
        where = bindings(task)[0]
        began = now()
        try:
            return served(where["bindIP"], where["hostPort"])
        except (OSError, HTTPException) as error:
            told = f"round {len(self.rounds)}: {task['taskArn'][-32:]} {where['bindIP']}"
            self.misses.append(f"{told}:{where['hostPort']} {error!r} after {now() - began:.3f} s")
            return ""


def deployments(place: Place, name: str) -> list[str]:
    return [one["taskDefinition"].rpartition("/")[2] for one in place.service(name)["deployments"]]


@pytest.mark.both_databases
def test_a_rolling_update_never_drops_below_its_minimum(place: Place, images):
    """Three replicas at 100/200 % are replaced by a new version while pages are fetched.

    At least three of them answer in each round, the versions mix in between, at the end all are
    new, the old ones are gone and one deployment is left.
    """
    old = place.register("roll", {"image": images["web:1"], "portMappings": PORTS})
    new = place.register("roll", {"image": images["web:2"], "portMappings": PORTS})
    place.ecs.create_service(serviceName="roll", taskDefinition=old, desiredCount=3)
    place.steady("roll")
    until(lambda: all(page(task) for task in place.running("roll")), 5, "all pages are served")
    before = {task["taskArn"] for task in place.running("roll")}
    with Visitors(place, "roll") as visitors:
        began = now()
        told = place.ecs.update_service(service="roll", taskDefinition=new)["service"]
        assert {one["status"] for one in told["deployments"]} == {"PRIMARY", "ACTIVE"}
        done = place.steady("roll")
        tell(f"rolled over in {now() - began:.2f} s, {len(visitors.rounds)} rounds of pages")
    assert visitors.least() >= 3, visitors.misses
    assert visitors.rounds[0] == Counter("111")
    assert deployments(place, "roll") == [new]
    assert done["taskDefinition"].endswith(new)
    after = place.running("roll")
    assert {task["taskDefinitionArn"].rpartition("/")[2] for task in after} == {new}
    assert all("version 2" in (page(task) or "") for task in after)
    gone = place.describe(*before)
    assert {task["lastStatus"] for task in gone} == {"STOPPED"}
    assert {task["stopCode"] for task in gone} == {"ServiceSchedulerInitiated"}
    assert all(
        task["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
        for task in gone
    )
    assert {task["containers"][0]["exitCode"] for task in gone} == {0}  # the sample heeds SIGTERM


def test_a_service_without_room_to_spare_stops_before_it_starts(place: Place, images):
    """At 50/100 % a fixed port lets no second copy beside the first: one stops, one starts."""
    port = {"containerPort": 8080, "hostPort": 18080}
    old = place.register("tight", {"image": images["web:1"], "portMappings": [port]})
    new = place.register("tight", {"image": images["web:2"], "portMappings": [port]})
    bounds = {"minimumHealthyPercent": 50, "maximumPercent": 100}
    place.ecs.create_service(
        serviceName="tight", taskDefinition=old, desiredCount=3, deploymentConfiguration=bounds
    )
    place.steady("tight")
    with Visitors(place, "tight") as visitors:
        place.ecs.update_service(service="tight", taskDefinition=new)
        place.steady("tight")
    assert visitors.least() >= 1, visitors.misses
    assert max(found.total() for found in visitors.rounds) <= 3
    assert all("version 2" in (page(task) or "") for task in place.running("tight"))


@pytest.mark.both_databases
@pytest.mark.parametrize("broken", ["exits", "missing"])
def test_a_broken_image_rolls_back_and_the_old_tasks_never_stop(place: Place, images, broken):
    """The circuit breaker sees the new version fail again and again, and brings the old back.

    The image either ends at once or does not exist. Nobody who fetches pages notices.
    """
    command = {"image": images["shell"], "command": ["/bin/sh", "-c", "exit 1"]}
    missing = {"image": images["shell"].rpartition(":")[0] + ":never-pushed"}
    name = f"break-{broken}"
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = place.register(name, {"image": images["web:1"], "portMappings": PORTS})
    bad = place.register(name, command if broken == "exits" else missing)
    place.ecs.create_service(
        serviceName=name, taskDefinition=good, desiredCount=3, deploymentConfiguration=breaker
    )
    place.steady(name)
    before = place.containers()
    with Visitors(place, name) as visitors:
        place.ecs.update_service(service=name, taskDefinition=bad)
        until(
            lambda: any("rolling back" in text for text in place.messages(name)),
            90,
            "the deployment is rolled back",
            lambda: (place.service(name)["deployments"], place.messages(name)),
        )
        done = place.steady(name)
    assert visitors.least() >= 3, visitors.misses
    assert done["taskDefinition"].endswith(good)
    assert before.items() <= place.containers().items()
    assert any("was unable to" in text or "failed" in text for text in place.messages(name))
    listed = place.ecs.list_service_deployments(service=name)["serviceDeployments"]
    assert "ROLLBACK_SUCCESSFUL" in {one["status"] for one in listed}


def test_the_same_definition_again_with_force_replaces_all(place: Place, images):
    """`--force-new-deployment` replaces each task; without it, and unchanged, nothing happens."""
    definition = place.register("again", {"image": images["web:1"], "portMappings": PORTS})
    place.ecs.create_service(serviceName="again", taskDefinition=definition, desiredCount=2)
    first = place.steady("again")["deployments"][0]["id"]
    before = {task["taskArn"] for task in place.running("again")}
    place.ecs.update_service(service="again", taskDefinition=definition)
    assert place.steady("again")["deployments"][0]["id"] == first
    place.ecs.update_service(service="again", forceNewDeployment=True)
    assert place.steady("again")["deployments"][0]["id"] != first
    assert not before & {task["taskArn"] for task in place.running("again")}


@pytest.mark.both_databases
def test_one_deployment_runs_one_image_though_its_tag_moves(place: Place, images, folder):
    """A tag is resolved to a digest when the deployment is made: later tasks run the same bytes.

    The tag is moved to another image while the service runs; a replacement still is version 1, and
    a new deployment gets version 2.
    """
    uri = images["web:1"].rpartition(":")[0]
    moving = place.push("sample:1", f"{uri}:moving")
    definition = place.register("pinned", {"image": moving, "portMappings": PORTS})
    place.ecs.create_service(serviceName="pinned", taskDefinition=definition, desiredCount=1)
    place.steady("pinned")
    [task] = place.running("pinned")
    digest = task["containers"][0]["imageDigest"]
    place.push("sample:2", f"{uri}:moving")
    place.docker("kill", place.container(task)["Id"])

    def other() -> bool:
        found = place.running("pinned")
        return bool(found) and found[0]["taskArn"] != task["taskArn"] and bool(page(found[0]))

    until(other, 20, "a replacement serves")
    [second] = place.running("pinned")
    assert second["containers"][0]["imageDigest"] == digest
    assert second["containers"][0]["image"] == moving
    assert "version 1" in (page(second) or "")
    place.ecs.update_service(service="pinned", forceNewDeployment=True)
    place.steady("pinned")
    [third] = place.running("pinned")
    assert third["containers"][0]["imageDigest"] != digest
    until(lambda: "version 2" in (page(third) or ""), 5, "version 2 is served")


def test_bounds_that_allow_no_move_are_named_in_an_event(place: Place, images):
    """One task at 100/150 %: neither may it stop nor may a second start; the event says so."""
    old = place.register("stuck", {"image": images["web:1"]})
    new = place.register("stuck", {"image": images["web:2"]})
    bounds = {"minimumHealthyPercent": 100, "maximumPercent": 150}
    place.ecs.create_service(
        serviceName="stuck", taskDefinition=old, desiredCount=1, deploymentConfiguration=bounds
    )
    place.steady("stuck")
    place.ecs.update_service(service="stuck", taskDefinition=new)
    sentence = (
        "(service stuck) was unable to stop or start tasks during a deployment because of the "
        "service deployment configuration. Update the minimumHealthyPercent or maximumPercent "
        "value and try again."
    )
    until(
        lambda: sentence in place.messages("stuck"),
        15,
        "the event",
        lambda: place.messages("stuck"),
    )
    assert len(place.running("stuck")) == 1
    place.ecs.update_service(service="stuck", deploymentConfiguration={"maximumPercent": 200})
    place.steady("stuck")
    assert deployments(place, "stuck") == [new]
