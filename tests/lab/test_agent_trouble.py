"""Agents that are killed, lose their notes, or have a double: faults F13, F15 and F27."""

import random
import shutil
import threading
import time

import pytest

from tests.clients.processes import tell, until
from tests.lab.scene import Scene, since

pytestmark = pytest.mark.lab

KILLS = 6
TASKS = 12
WEIGHT_MIB = 20
JOINED_SECONDS_MAX = 10.0


def heavy_image(scene: Scene) -> str:
    """An image of 20 MiB that cannot be compressed, another one each time: no host has it yet."""
    return scene.lab.push_image("heavy", WEIGHT_MIB, f"{time.time_ns()}")


def test_an_agent_killed_at_random_restarts_doubles_and_orphans_nothing(scene: Scene):
    """`benches/run.py lab` does this fifty times with twenty tasks; here are a few, of all hosts."""
    lab = scene.lab
    scene.service("web", TASKS)
    before = scene.containers()
    chance = random.Random(time.time_ns())
    slowest = 0.0
    for number in range(KILLS):
        host = lab.hosts[number % 3]
        threading.Event().wait(chance.uniform(0, 0.5))
        host.kill("agent")
        host.start_agent(lab.server.url)
        began = time.monotonic()
        lab.await_connection(host, there=True, seconds=15)
        slowest = max(slowest, since(began))
    tell(f"{KILLS} kills of agents: back after at most {slowest:.1f} s")
    lab.await_connected(3)
    assert scene.containers() == before


def test_an_agent_that_lost_its_notes_knows_its_tasks_by_their_labels(scene: Scene):
    """Fault F15: a checkpoint that is gone, torn, another host's. That one is refused, and said so."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    host, other = lab.hosts[0], lab.hosts[1]
    checkpoint, foreign = (one.agent_folder / "checkpoint" for one in (host, other))
    host.stop("agent")
    for path in [path for path in checkpoint.rglob("*") if path.is_file()]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    host.start_agent(lab.server.url)
    lab.await_connection(host, there=True, seconds=15)
    scene.holds(lambda: scene.containers() == before, 2, "the very same containers")
    host.stop("agent")
    shutil.rmtree(checkpoint)
    shutil.copytree(foreign, checkpoint)
    host.start_agent(lab.server.url)
    until(host.agent.ended, 15, "the notes of another host are refused", host.agent.tail)
    assert "Was a data folder copied?" in host.agent.tail()
    shutil.rmtree(checkpoint)
    host.start_agent(lab.server.url)
    lab.await_connection(host, there=True, seconds=15)
    scene.holds(lambda: scene.containers() == before, 2, "the very same containers")
    assert len(lab.running("web")) == 6


def test_a_fresh_host_runs_its_first_task_within_seconds(scene: Scene):
    """From the command to the first task, an image of 20 MB pulled on the way; then it is removed."""
    lab = scene.lab
    heavy = heavy_image(scene)
    wish = {"type": "memberOf", "expression": "attribute:fresh == yes"}
    definition = lab.register("first", {"image": heavy})
    lab.ecs.create_service(
        serviceName="first", taskDefinition=definition, desiredCount=1, placementConstraints=[wish]
    )
    host = lab.new_host()
    host.engine.await_answer()
    token = lab.server.token()
    began = time.monotonic()
    host.start_agent(lab.server.url, token, "--attribute", "fresh=yes")
    until(lambda: host.engine.tasks() and lab.running("first"), JOINED_SECONDS_MAX,
          "its first task runs", host.tails)  # fmt: skip
    tell(f"a fresh host: its first task runs after {since(began):.1f} s")
    lab.ecs.delete_service(service="first", force=True)
    until(lambda: not host.engine.tasks(), 20, "it is empty", host.tails)
    tell(scene.ours("host", "remove", host.name, "--force"))
    lab.remove(host)


def test_a_full_disk_of_the_agent_stops_nothing(scene: Scene):
    """It cannot write down what it does: what runs goes on, and all is well with room again."""
    lab = scene.lab
    scene.service("web", 3)
    host = lab.hosts[0]
    before = scene.containers()
    host.fill("agent")
    lab.ecs.update_service(service="web", desiredCount=6)
    scene.holds(lambda: before.items() <= scene.containers().items(), 5, "what ran runs on")
    host.free("agent")
    lab.steady("web")
    assert before.items() <= scene.containers().items()


def test_a_full_disk_of_the_engine_is_told_and_waited_out(scene: Scene):
    """The service starts what does not fit there elsewhere, or later; nothing else suffers."""
    lab = scene.lab
    uri = heavy_image(scene)
    scene.service("web", 3)
    before = scene.containers()
    host = lab.hosts[0]
    host.fill("engine")
    heavy = lab.register("heavy", {"image": uri})
    arn = lab.instance(host)["containerInstanceArn"]
    task = lab.ecs.start_task(taskDefinition=heavy, containerInstances=[arn])["tasks"][0]
    told = lab.stopped(task["taskArn"])
    tell(f"a full disk: {told['stopCode']} {told['stoppedReason']}")
    assert told["stopCode"] == "TaskFailedToStart"
    assert "space" in told["stoppedReason"] or "Cannot" in told["stoppedReason"]
    assert before.items() <= scene.containers().items()
    host.free("engine")
    again = lab.ecs.start_task(taskDefinition=heavy, containerInstances=[arn])["tasks"][0]
    lab.started(again["taskArn"], seconds=30)


def test_a_machine_that_was_cloned_takes_nobodys_place(scene: Scene):
    """Fault F27: the agent's folder is copied to another machine; no task runs twice, and it is said."""
    lab = scene.lab
    scene.service("web", 6)
    before = scene.containers()
    original, clone = lab.hosts[0], lab.hosts[1]
    double = lab.folder / "double"
    shutil.copytree(original.agent_folder, double)
    clone.double(lab.server.url, original, double)
    began = time.monotonic()
    until(lambda: "identity" in original.agent.tail() + clone.wire.tail(), 30, "one of them says so",
          lambda: original.agent.tail() + clone.wire.tail())  # fmt: skip
    tell(f"a double was noticed after {since(began):.1f} s")
    scene.holds(lambda: before.items() <= scene.containers().items(), 5, "what ran runs on")
    clone.wire.kill()
    original.agent.kill()
    original.start_agent(lab.server.url)
    lab.await_connected(3)
    lab.steady("web")
    assert before.items() <= scene.containers().items()


def test_a_host_whose_power_failed_boots_and_is_itself_again(scene: Scene):
    """Everything in it ends at once; its disks keep what was written. It is the same instance."""
    lab = scene.lab
    scene.service("web", 6)
    host = lab.hosts[2]
    arn = lab.instance(host)["containerInstanceArn"]
    host.power_off()
    scene.await_elsewhere("web", 6, host, seconds=25)
    host.power_on()
    host.engine.await_answer()
    host.start_agent(lab.server.url)
    lab.await_connection(host, there=True, seconds=15)
    assert lab.instance(host)["containerInstanceArn"] == arn
    scene.await_count("web", 6)
