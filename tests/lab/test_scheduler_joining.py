"""A fourth host joins: running services spread onto it by themselves, and a daemon is there first."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.clients.processes import tell, until
from tests.lab import ledger
from tests.lab.host import Host
from tests.lab.lab import ZONES, Lab
from tests.lab.scene import Scene, since

pytestmark = pytest.mark.lab

# Long enough to ask for the dry run meanwhile, also on a machine with much else to do.
SETTLING_SECONDS = 6.0
SPREAD_SECONDS_MAX = 90.0
DAEMONS_SECONDS_MAX = 30.0
DRAINED_SECONDS_MAX = 60.0
# SERVICE TASK FROM TO WHY, as `moorage rebalance --dry-run` prints it.
MOVE = re.compile(r"^(\S+)\s+([0-9a-f]{8})\s+(h\d)\b.*?\s+(h\d)\b", re.MULTILINE)
# It takes a moment to end.
SLOWLY = ["/bin/sh", "-c", "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done"]


@pytest.fixture(scope="module", autouse=True)
def settling(shared_lab: Lab) -> Iterator[None]:
    """A server that offers a host to running services as soon as a test can wait for."""
    usual = shared_lab.usual
    shared_lab.usual = {
        **usual,
        "rebalance_moves_max": 2,
        "rebalance_settling_seconds": SETTLING_SECONDS,
        "rebalance_pause_seconds": 0.0,
    }
    shared_lab.restore()
    yield
    shared_lab.usual = usual
    shared_lab.restore()


@pytest.fixture
def fourth(scene: Scene) -> Iterator[Host]:
    """A machine whose engine runs and that has not joined; it is gone after the test."""
    lab = scene.lab
    host = lab.new_host()
    host.flags = (*host.flags, "--zone", ZONES[0])
    try:
        host.engine.await_answer()
        yield host
    finally:
        if any(one["ec2InstanceId"] == host.name for one in lab.instances()):
            scene.typed("host", "remove", host.name, "--force")
        lab.remove(host)


def join(scene: Scene, host: Host, *flags: str) -> None:
    """What a person types beside the server and on the machine."""
    lab = scene.lab
    host.start_agent(lab.server.url, scene.typed("host", "token").strip(), *flags)
    lab.save()
    lab.await_connected(len(lab.hosts))


def counts(scene: Scene, name: str) -> list[int]:
    """How many containers of a service run on each host."""
    found = scene.where(name)
    return [len(found[host.name]) for host in scene.lab.hosts]


def moved(lab: Lab, name: str) -> set[tuple[str, str, str, str]]:
    """The tasks of a service that were moved: service, id, from where, to where."""
    names = {one["containerInstanceArn"]: one["ec2InstanceId"] for one in lab.instances()}
    found = set()
    for task in lab.tasks(serviceName=name, desiredStatus="STOPPED"):
        way = re.match(r"Moved to the host (h\d) by rebalancing: ", task["stoppedReason"])
        assert way, task["stoppedReason"]
        identity = task["taskArn"].rpartition("/")[2][:8]
        found.add((name, identity, names[task["containerInstanceArn"]], way[1]))
    return found


def test_a_fourth_host_takes_its_share_of_what_runs(scene: Scene, fourth: Host):
    """As it was foretold, start first, with nobody asking for it; protected tasks stay."""
    lab = scene.lab
    services = {"shop": 8, "api": 4}
    for name, count in services.items():
        scene.service(name, count)
    assert [counts(scene, name) for name in services] == [[4, 2, 2, 0], [2, 1, 1, 0]]
    # Those that would move first.
    there = sorted(lab.on(lab.hosts[0], "shop"), key=lambda task: task["createdAt"])
    protected = {task["taskArn"] for task in there[-2:]}
    lab.ecs.update_task_protection(
        cluster="default", tasks=sorted(protected), protectionEnabled=True
    )
    before = scene.containers()
    looked, began = time.monotonic(), time.time()
    join(scene, fourth)
    connected = since(looked)
    said = scene.typed("rebalance", "--dry-run")
    foretold = set(MOVE.findall(said))
    assert scene.containers() == before
    for name, count in services.items():
        until(
            lambda name=name: any("is spread over its hosts" in x for x in lab.messages(name)),
            SPREAD_SECONDS_MAX,
            f"{name} is spread over four hosts",
            lambda name=name: lab.messages(name)[:8],
        )
        scene.await_count(name, count)
    spread = since(looked)
    assert [counts(scene, name) for name in services] == [[2, 2, 2, 2], [1, 1, 1, 1]]
    assert len(foretold) == 3, said
    assert {one for name in services for one in moved(lab, name)} == foretold
    for name, count in services.items():
        found = ledger.lives(lab, name)
        assert ledger.least(found, began) >= count
        assert min(scene.watch.counts(name, looked)) >= count
        assert min(one.began for one in found if one.host == "h4") >= began + SETTLING_SECONDS
    after = scene.containers()
    stayed = {x for x, arn in before.items() if arn[-32:][:8] not in {one[1] for one in foretold}}
    assert stayed <= after.keys()
    assert protected <= {before[x] for x in stayed}
    first = min(one.began for one in ledger.lives(lab) if one.host == "h4") - began
    tell(
        f"a fourth host: connected after {connected:.1f} s, its first task runs after {first:.1f} s "
        f"(settling {SETTLING_SECONDS:g} s), 3 tasks of 2 services moved after {spread:.1f} s; at "
        f"least 8 of 8 and 4 of 4 ran in {len(scene.watch.samples)} different looks"
    )


def test_a_daemon_is_first_on_a_host_that_joins_and_last_on_one_that_is_drained(
    scene: Scene, fourth: Host
):
    """In the engines' own words: what began there before it, and what ended after it."""
    lab = scene.lab
    shell = {"image": lab.images["shell"]}
    tags = {"moorage:rebalance": "off"}
    scene.service("slow", 6, container={"command": SLOWLY}, tags=tags)
    daemon = lab.register("logs", shell)
    lab.ecs.create_service(serviceName="logs", taskDefinition=daemon, schedulingStrategy="DAEMON")

    def everywhere() -> bool:
        found = [task["containerInstanceArn"] for task in lab.running("logs")]
        return sorted(found) == sorted(one["containerInstanceArn"] for one in lab.instances())

    until(everywhere, DAEMONS_SECONDS_MAX, "one on each", lambda: lab.messages("logs"))
    lab.ecs.create_service(
        serviceName="fresh",
        taskDefinition=lab.register("fresh", shell),
        desiredCount=3,
        placementConstraints=[{"type": "memberOf", "expression": "attribute:fresh == yes"}],
    )
    scene.says("fresh", "unable to place")
    began = time.monotonic()
    join(scene, fourth, "--attribute", "fresh=yes")
    lab.steady("fresh")
    until(everywhere, DAEMONS_SECONDS_MAX, "also on the fourth", lambda: lab.messages("logs"))
    joined = since(began)
    there = [one for one in ledger.lives(lab) if one.host == fourth.name]
    order = [lab.describe(one.task)[0]["group"] for one in there]
    assert order == ["service:logs", *["service:fresh"] * 3]
    drained(scene, lab.hosts[0])
    until(everywhere, DAEMONS_SECONDS_MAX, "it is back", lambda: lab.messages("logs"))
    lab.ecs.delete_service(service="fresh", force=True)  # its host goes
    lead = there[1].began - there[0].began
    tell(f"a daemon runs on a host that joins after {joined:.1f} s, {lead:.2f} s before the others")


def drained(scene: Scene, host: Host) -> None:
    """Drain a host, see that the daemon outlives all others, and take the host back."""
    lab = scene.lab
    arn = lab.instance(host)["containerInstanceArn"]
    lone = lab.ecs.start_task(taskDefinition="logs", containerInstances=[arn])
    lone_arn = lone["tasks"][0]["taskArn"]
    lab.started(lone_arn)
    [last] = [task["taskArn"] for task in lab.on(host, "logs")]
    assert len(host.engine.tasks()) > 2
    began, looked = time.time(), time.monotonic()
    lab.ecs.update_container_instances_state(containerInstances=[arn], status="DRAINING")
    until(
        lambda: set(host.engine.tasks().values()) == {last, lone_arn},
        DRAINED_SECONDS_MAX,
        "the service has left",
        lambda: lab.messages("slow")[:5],
    )
    scene.holds(lambda: set(host.engine.tasks().values()) == {last, lone_arn}, 1, "it stays")
    lab.ecs.stop_task(task=lone_arn)
    until(lambda: not host.engine.tasks(), DRAINED_SECONDS_MAX, "it is empty", host.tails)
    emptied = since(looked)
    gone = [one for one in ledger.lives(lab) if one.host == host.name and one.ended]
    ends = sorted((one.ended or 0, one.task) for one in gone if (one.ended or 0) > began)
    assert [task for _, task in ends[-2:]] == [lone_arn, last]
    assert ledger.least(ledger.lives(lab, "slow"), began) >= 6
    lab.ecs.update_container_instances_state(containerInstances=[arn], status="ACTIVE")
    tell(f"a host of {len(ends)} tasks was empty after {emptied:.1f} s, the daemon last")
