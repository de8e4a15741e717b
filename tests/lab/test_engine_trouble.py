"""Engines that die, hang or lie, while their hosts and agents are there: faults F16 and F17."""

import time

import pytest

from tests.clients.processes import tell, until
from tests.lab.host import Host
from tests.lab.scene import Scene, since

pytestmark = pytest.mark.lab

GRACE_SECONDS = 5.0  # engine_grace_seconds of the lab's server
NOTICED_SECONDS_MAX = 15.0


def impaired(scene: Scene, host: Host) -> bool:
    """Whether the server was told that a host's engine is no good."""
    told = scene.lab.ecs.describe_container_instances(
        containerInstances=[scene.lab.instance(host)["containerInstanceArn"]],
        include=["CONTAINER_INSTANCE_HEALTH"],
    )["containerInstances"][0]
    return bool(told["healthStatus"]["overallStatus"] == "IMPAIRED")


def await_impaired(scene: Scene, host: Host, *, there: bool = True) -> None:
    until(lambda: impaired(scene, host) is there, NOTICED_SECONDS_MAX,
          f"{host.name} is {'' if there else 'not '}impaired", host.tails)  # fmt: skip


def test_an_engine_that_comes_back_soon_has_what_ended_replaced_at_once(scene: Scene):
    """Dockerd dies and takes its containers along when it starts: each says that it was the engine."""
    lab = scene.lab
    lab.server.restart(engine_grace_seconds=60)
    lab.await_connected(3)
    scene.service("web", 6)
    host = lab.hosts[0]
    ended = {task["taskArn"] for task in lab.on(host, "web")}
    assert ended
    host.kill("engine")
    await_impaired(scene, host)
    assert lab.instance(host)["agentConnected"]
    answer = lab.ecs.start_task(
        taskDefinition="web", containerInstances=[lab.instance(host)["containerInstanceArn"]]
    )
    assert not answer["tasks"]
    assert len(lab.running("web")) == 6
    host.engine.start()
    began = time.monotonic()
    scene.await_count("web", 6, 20)
    until(lambda: {x["taskArn"] for x in lab.running("web")}.isdisjoint(ended)
          and len(lab.running("web")) == 6, 20, "all were replaced")  # fmt: skip
    tell(f"engine back: all replaced after {since(began):.1f} s")
    for task in lab.describe(*ended):
        assert task["lastStatus"] == "STOPPED"
        assert "engine" in task["stoppedReason"].lower(), task["stoppedReason"]
    assert not [said for said in lab.messages("web") if "unable to consistently" in said]
    await_impaired(scene, host, there=False)


def test_an_engine_that_stays_away_is_as_a_lost_host(scene: Scene):
    """After the grace all of its tasks run elsewhere; the agent says so all the while."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[1]
    mine = len(lab.on(host, "web"))
    assert mine
    before = scene.containers(*scene.others(host))
    host.kill("engine")
    began = time.monotonic()
    await_impaired(scene, host)
    noticed = since(began)
    scene.await_elsewhere("web", 6, host, seconds=GRACE_SECONDS + 10)
    tell(f"engine gone: noticed {noticed:.1f} s, elsewhere {since(began):.1f} s")
    assert since(began) >= GRACE_SECONDS
    assert lab.instance(host)["agentConnected"]
    assert scene.containers(*scene.others(host)).items() >= before.items()
    host.engine.start()
    await_impaired(scene, host, there=False)
    scene.await_count("web", 6)


def test_an_engine_that_lets_containers_live_stops_none(scene: Scene):
    """live-restore: dockerd is killed and started; the very same containers, the very same tasks."""
    lab = scene.lab
    host = lab.hosts[2]
    host.engine.stop()
    host.engine.start("--live-restore")
    await_impaired(scene, host, there=False)
    scene.service("web", 6)
    before, real = scene.containers(), host.engine.processes().keys()
    tasks = {task["taskArn"] for task in lab.running("web")}
    for what in ("engine", "containerd"):
        host.kill(what)
        if what == "engine":
            host.engine.start("--live-restore")
        scene.holds(lambda: host.engine.processes().keys() == real, 2, "all processes live on")
    host.engine.await_answer()
    await_impaired(scene, host, there=False)
    scene.holds(lambda: {x["taskArn"] for x in lab.running("web")} == tasks, 3, "the same tasks")
    assert scene.containers() == before
    host.engine.stop()
    host.engine.start()


def test_an_engine_that_hangs_blocks_nobody_else(scene: Scene):
    """Dockerd is stopped by SIGSTOP: impaired, replaced elsewhere, and the others go on meanwhile."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[0]
    real = host.engine.processes().keys()
    host.pause("engine")
    began = time.monotonic()
    scene.service("other", 2, placementConstraints=[
        {"type": "memberOf", "expression": "attribute:ecs.availability-zone == zone-b"}])  # fmt: skip
    tell(f"another service beside a hung engine: steady after {since(began):.1f} s")
    await_impaired(scene, host)
    assert lab.instance(host)["agentConnected"]
    assert host.engine.processes().keys() == real
    live = [h for h in lab.hosts if h is not host]
    arns = lambda: {arn for h in live for arn in h.engine.tasks().values()}
    until(lambda: sum(x["taskArn"] in arns() for x in lab.running("web")) >= 6, GRACE_SECONDS + 15,
          "six run elsewhere")  # fmt: skip
    host.resume("engine")
    await_impaired(scene, host, there=False)
    scene.await_count("web", 6)


def test_a_ghost_is_found_by_what_really_runs(scene: Scene):
    """Containerd and the shim die with their container: whatever the engine says, it is replaced."""
    lab = scene.lab
    scene.service("web", 3)
    host = lab.hosts[0]
    container, arn = next(iter(scene.containers(host).items()))
    host.pause("engine")
    host.engine.kill_program("containerd")
    host.engine.kill_program("containerd-shim-runc-v2")
    host.engine.kill_container(container)
    until(lambda: container not in host.engine.processes(), 5, "it is dead")
    host.resume("engine")
    lab.stopped(arn, seconds=45)
    until(lambda: len(lab.running("web")) == 3, 30, "three run", lambda: lab.messages("web")[:5])
    told = lab.describe(arn)[0]
    tell(f"ghost: {told['stopCode']} {told['stoppedReason']} {told['containers'][0].get('reason')}")
