"""A local pool beside the lab: it grows from nothing for tasks that wait, and shrinks to nothing.

The agents of such a pool live on the server's own machine, and its engine pulls through them over
loopback; so this machine gets an engine of its own for it. Server, TLS and images are the lab's.
"""

import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.processes import tell, until
from tests.engine import Engine
from tests.lab.engine import LABEL
from tests.lab.scene import Scene, since

pytestmark = pytest.mark.lab

GROWN_SECONDS_MAX = 90.0
SHRUNK_SECONDS_MAX = 90.0
HOSTS_MAX = 2
POOL = """
[pools.spare]
source = "local"
max = {most}
cpu = 1024
memory = 512
zone = "here"
docker = "{socket}"
scale_in_seconds = 2
survey_seconds = 1
"""
PROVIDER = {
    "autoScalingGroupArn": "spare",
    "managedScaling": {"status": "ENABLED", "instanceWarmupPeriod": 0},
    "managedTerminationProtection": "ENABLED",
}
STRATEGY = [{"capacityProvider": "spare", "weight": 1}]
POSITION, REASON = "moorage.provisioning-position", "moorage.provisioning-reason"
_OURS = urllib.parse.quote(json.dumps({"label": [LABEL]}))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def own_engine() -> Iterator[Engine]:
    """The engine of the server's own machine."""
    made = Engine()
    try:
        made.start()
        yield made
    finally:
        made.purge()


@pytest.fixture
def pooled(scene: Scene, own_engine: Engine) -> Iterator[Scene]:
    """The lab, its server with a pool whose provider is the cluster's."""
    lab = scene.lab
    settings = lab.server.data / "moorage.toml"
    settings.write_text(POOL.format(most=HOSTS_MAX, socket=own_engine.socket))
    lab.server.restart()
    try:
        lab.await_connected(len(lab.hosts))
        lab.ecs.create_capacity_provider(name="spare", autoScalingGroupProvider=PROVIDER)
        associate(scene, "spare")
        yield scene
    finally:
        for arn in lab.ecs.list_tasks()["taskArns"]:
            lab.ecs.stop_task(task=arn)
        associate(scene)
        for one in machines(scene):
            arn = one["containerInstanceArn"]
            lab.ecs.deregister_container_instance(containerInstance=arn, force=True)
        lab.ecs.delete_capacity_provider(capacityProvider="spare")
        settings.unlink()
        lab.server.restart()


def associate(scene: Scene, *providers: str) -> None:
    """Give the cluster these capacity providers and no others."""
    scene.lab.ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=[*providers], defaultCapacityProviderStrategy=[]
    )


def machines(scene: Scene) -> list[Json]:
    """The container instances of the pool."""
    lab = scene.lab
    ours = {host.name for host in lab.hosts}
    return [one for one in lab.instances() if one["ec2InstanceId"] not in ours]


def containers(engine: Engine) -> set[str]:
    """The tasks whose containers run there, as the engine tells them."""
    status, text = engine.call("GET", f"/containers/json?filters={_OURS}")
    assert status == 200, text
    return {row["Labels"][LABEL] for row in json.loads(text)}


def waiting(scene: Scene, *arns: str) -> dict[str, dict[str, str]]:
    """Of the tasks that are PROVISIONING: position and reason."""
    return {
        task["taskArn"]: {one["name"]: one["value"] for one in task["attributes"]}
        for task in scene.lab.describe(*arns)
        if task["lastStatus"] == "PROVISIONING"
    }


def test_a_pool_grows_from_nothing_for_tasks_that_wait_and_shrinks_again(
    pooled: Scene, own_engine: Engine
):
    """Three tasks, room for two at the most: each waits with its place and its reason."""
    lab = pooled.lab
    definition = lab.register("job", {"image": lab.images["shell"], "memory": 400})
    assert not machines(pooled)
    began = time.monotonic()
    asked = lab.ecs.run_task(taskDefinition=definition, count=3, capacityProviderStrategy=STRATEGY)
    assert not asked["failures"]
    assert {task["lastStatus"] for task in asked["tasks"]} == {"PROVISIONING"}
    arns = [task["taskArn"] for task in asked["tasks"]]
    first = waiting(pooled, *arns)
    assert sorted(one[POSITION] for one in first.values()) == ["1", "2", "3"]
    reasons = {one[REASON] for one in first.values()}
    assert all(reasons), reasons

    def run(*wanted: str) -> bool:
        return {one["lastStatus"] for one in lab.describe(*wanted)} == {"RUNNING"}

    [left] = until(
        lambda: len(rest := waiting(pooled, *arns)) == 1 and rest,
        GROWN_SECONDS_MAX,
        "two are placed",
        lambda: (pooled.typed("pool"), lab.server.tail()),
    )
    placed = [arn for arn in arns if arn != left]
    until(lambda: run(*placed), GROWN_SECONDS_MAX, "two run", lambda: lab.describe(*placed))
    grown = since(began)
    assert containers(own_engine) == set(placed)
    assert {one["capacityProviderName"] for one in lab.describe(*placed)} == {"spare"}
    assert len(machines(pooled)) == HOSTS_MAX
    third = waiting(pooled, left)[left]
    assert third[POSITION] == "1"
    assert "memory" in third[REASON], third
    said = pooled.typed("explain", "task", left)
    tell(said)
    tell(pooled.typed("pool"))
    lab.ecs.stop_task(task=placed[0])
    until(lambda: run(left), GROWN_SECONDS_MAX, "the third runs", lambda: lab.describe(left))
    assert len(machines(pooled)) == HOSTS_MAX
    for arn in (placed[1], left):
        lab.ecs.stop_task(task=arn)
    ended = time.monotonic()
    until(
        lambda: not machines(pooled) and not agents(pooled),
        SHRUNK_SECONDS_MAX,
        "the pool is empty",
        lambda: (pooled.typed("pool"), machines(pooled), agents(pooled)),
    )
    assert not containers(own_engine)
    tell(f"a pool: {reasons}")
    tell(
        f"a pool: from no host to {HOSTS_MAX} and two tasks RUNNING in {grown:.1f} s, back to none "
        f"{since(ended):.1f} s after the last task was stopped"
    )


def agents(scene: Scene) -> list[str]:
    """The folders of the pool's machines; they go when their agents have ended."""
    return sorted(one.name for one in (scene.lab.server.data / "agents").glob("spare-*"))
