"""Hosts that are emptied: start-first, stop-first only into room that was found, and deadlines."""

import time

import pytest

from tests.clients.processes import tell, until
from tests.lab.host import Host
from tests.lab.scene import Scene

pytestmark = pytest.mark.lab

DEADLINE_SECONDS = 5


def drain(scene: Scene, host: Host) -> None:
    """Drain as AWS's clients do."""
    arn = scene.lab.instance(host)["containerInstanceArn"]
    scene.lab.ecs.update_container_instances_state(containerInstances=[arn], status="DRAINING")


def test_a_host_is_emptied_and_no_service_falls_below_what_it_desires(scene: Scene):
    """200/100: what leaves is started elsewhere first. A task of no service stays where it is."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[0]
    lone = lab.ecs.start_task(
        taskDefinition="web", containerInstances=[lab.instance(host)["containerInstanceArn"]]
    )["tasks"][0]["taskArn"]
    lab.started(lone)
    began = time.monotonic()
    drain(scene, host)
    until(lambda: set(host.engine.tasks().values()) == {lone}, 30, "only the lone task is left",
          lambda: lab.messages("web")[:5])  # fmt: skip
    assert min(scene.watch.counts("web", began)) >= 6
    assert len(lab.running("web")) == 6
    lab.ecs.update_container_instances_state(
        containerInstances=[lab.instance(host)["containerInstanceArn"]], status="ACTIVE"
    )


def test_what_cannot_be_placed_elsewhere_stays_and_says_why(scene: Scene):
    """Nothing is stopped for a room that is not there: the port is taken on all other hosts."""
    lab = scene.lab
    port = {"portMappings": [{"containerPort": 80, "hostPort": 18090}]}
    scene.service("port", 3, {"minimumHealthyPercent": 0, "maximumPercent": 100}, container=port)
    before = scene.containers()
    host = lab.hosts[1]
    drain(scene, host)
    tell(scene.says("port", "drain", 20))
    scene.holds(lambda: scene.containers() == before, 5, "all stay")
    lab.ecs.update_container_instances_state(
        containerInstances=[lab.instance(host)["containerInstanceArn"]], status="ACTIVE"
    )


@pytest.mark.parametrize("on_timeout", ["force", "abandon"])
def test_a_deadline_ends_a_drain_one_way_or_the_other(scene: Scene, on_timeout: str):
    """`force` empties the host whatever becomes of the service; `abandon` gives the drain up."""
    lab = scene.lab
    port = {"portMappings": [{"containerPort": 80, "hostPort": 18091}]}
    scene.service("port", 3, container=port)
    host = lab.hosts[2]
    mine = host.engine.tasks()
    assert mine
    deadline = ("--deadline", f"{DEADLINE_SECONDS}s", "--on-timeout", on_timeout)
    tell(scene.ours("host", "drain", host.name, *deadline))
    scene.holds(lambda: host.engine.tasks() == mine, DEADLINE_SECONDS - 3, "not before its time")
    if on_timeout == "force":
        until(lambda: not host.engine.processes(), 15, "the host is empty", host.tails)
        assert lab.instance(host)["status"] == "DRAINING"
        lab.ecs.update_container_instances_state(
            containerInstances=[lab.instance(host)["containerInstanceArn"]], status="ACTIVE"
        )
    else:
        until(lambda: lab.instance(host)["status"] == "ACTIVE", 15, "the drain is given up")
        assert host.engine.tasks() == mine
