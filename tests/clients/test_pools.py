"""A local pool grows from nothing for a task that waits, heals, and shrinks to nothing again."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.place import Place
from tests.clients.processes import Server, until
from tests.engine import Engine

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]
GROWN_SECONDS_MAX = 60.0
SHRUNK_SECONDS_MAX = 60.0
FAULT_OF_OURS = '"level":"error","logger":"moorage.'
STRATEGY = [{"capacityProvider": "cp", "weight": 1}]


@pytest.fixture
def pooled(clients_engine: Engine, folder: Path) -> Iterator[Place]:
    """A server with a pool of agents on this machine, and no host."""
    server = Server(folder / "pooled")
    server.data.mkdir()
    (server.data / "moorage.toml").write_text(
        f"""
        [pools.spare]
        source = "local"
        max = 2
        cpu = 1024
        memory = 512
        zone = "rack-1"
        docker = "{clients_engine.socket}"
        scale_in_seconds = 2
        survey_seconds = 1
        """
    )
    place = Place(server, clients_engine)
    try:
        server.start()
        yield place
    finally:
        place.close()


def agents(place: Place) -> dict[str, int]:
    """The processes of the pool's machines, by host."""
    found = {}
    for file in (place.server.data / "agents").glob("spare-*/agent.pid"):
        with contextlib.suppress(FileNotFoundError, IndexError):
            pid = int(file.read_text().split()[0])
            if b"moorage" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found[file.parent.name] = pid
    return found


def connected(place: Place) -> list[str]:
    """The hosts of the pool that are connected."""
    return sorted(one["ec2InstanceId"] for one in place.instances() if one["agentConnected"])


def test_a_pool_grows_heals_and_shrinks(pooled: Place):
    uri = pooled.repository("tools")
    pooled.login()
    image = pooled.push("moorage-test/busybox:1", f"{uri}:1")
    group = {
        "autoScalingGroupArn": "spare",
        "managedScaling": {"status": "ENABLED", "instanceWarmupPeriod": 0},
        "managedTerminationProtection": "ENABLED",
    }
    pooled.ecs.create_capacity_provider(name="cp", autoScalingGroupProvider=group)
    pooled.ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=["cp"], defaultCapacityProviderStrategy=STRATEGY
    )
    definition = pooled.register("job", {"image": image, "command": FOREVER})
    (task,) = pooled.ecs.run_task(taskDefinition=definition)["tasks"]
    assert task["lastStatus"] == "PROVISIONING"

    def now() -> str:
        return str(pooled.describe(task["taskArn"])[0]["lastStatus"])

    until(lambda: now() == "RUNNING", GROWN_SECONDS_MAX, "the task runs", pooled.tails)
    (shown,) = pooled.describe(task["taskArn"])
    assert shown["capacityProviderName"] == "cp"
    assert shown["availabilityZone"] == "rack-1"

    # The one that is not needed goes again; the one with the task stays.
    until(lambda: len(agents(pooled)) == 1, SHRUNK_SECONDS_MAX, "one is left", pooled.tails)
    (name,) = connected(pooled)
    before = agents(pooled)[name]
    os.kill(before, signal.SIGKILL)
    until(
        lambda: agents(pooled).get(name, before) != before and connected(pooled) == [name],
        GROWN_SECONDS_MAX,
        "the agent was started anew",
        pooled.tails,
    )
    assert now() == "RUNNING"

    pooled.ecs.stop_task(task=task["taskArn"])
    until(lambda: not agents(pooled), SHRUNK_SECONDS_MAX, "the pool is empty", pooled.tails)
    until(lambda: not pooled.instances(), SHRUNK_SECONDS_MAX, "no host is left", pooled.tails)
    assert FAULT_OF_OURS not in pooled.server.log.read_text()
