"""Where tasks go: attributes, strategies, draining, deregistering."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.clients.place import Place
from tests.clients.processes import until

pytestmark = [pytest.mark.clients, pytest.mark.engine]

FOREVER = ["/bin/sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"]


@pytest.fixture(scope="module")
def rack(shared_place: Place) -> str:
    """A cluster with one host more, in the zone `cellar`, with the attributes rack and disk."""
    shared_place.ecs.create_cluster(clusterName="rack")
    flags = ("--zone", "cellar", "--attribute", "rack=7", "--attribute", "disk=")
    shared_place.add_hosts(1, "rack", *flags)
    return "rack"


@pytest.fixture
def shell(place: Place, images) -> str:
    return place.register("placed", {"image": images["shell"], "command": FOREVER})


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("attribute:rack == 7", True),
        ("attribute:rack != 7", False),
        ("attribute:rack in [6, 7]", True),
        ("attribute:disk exists", True),
        ("attribute:colour exists", False),
        ("not(attribute:colour exists)", True),
        ("attribute:rack == 7 and attribute:ecs.availability-zone == cellar", True),
        ("attribute:rack == 8 or attribute:ecs.os-type == linux", True),
        ("attribute:rack == 8 and attribute:ecs.os-type == linux", False),
    ],
)
def test_a_constraint_on_attributes_chooses_hosts(place: Place, shell, rack, expression, fits):
    """MemberOf holds or does not; where it does not, the failure says so by name."""
    constraint = [{"type": "memberOf", "expression": expression}]
    answer = place.ecs.run_task(cluster=rack, taskDefinition=shell, placementConstraints=constraint)
    assert bool(answer["tasks"]) == fits
    reason = "MemberOf placement constraint unsatisfied."
    assert fits or {one["reason"] for one in answer["failures"]} == {reason}


def test_an_expression_that_cannot_be_read_is_refused(place: Place, shell, rack):
    constraint = [{"type": "memberOf", "expression": "attribute:rack =="}]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        place.ecs.run_task(cluster=rack, taskDefinition=shell, placementConstraints=constraint)


def test_distinct_instances_bound_a_service_by_its_hosts(place: Place, shell):
    """Four wanted, three hosts, each at most one: three run, and the event says why not four."""
    place.ecs.create_service(
        serviceName="distinct",
        taskDefinition=shell,
        desiredCount=4,
        placementConstraints=[{"type": "distinctInstance"}],
    )
    until(lambda: len(place.running("distinct")) == 3, 20, "three run")
    found = Counter(task["containerInstanceArn"] for task in place.running("distinct"))
    assert set(found.values()) == {1}
    assert any("was unable to place a task" in text for text in place.messages("distinct"))


@pytest.mark.parametrize(
    ("strategy", "hosts"),
    [
        ([{"type": "spread", "field": "instanceId"}], [2, 2, 2]),
        ([{"type": "binpack", "field": "memory"}], [6]),
        ([], [2, 2, 2]),
    ],
)
def test_a_strategy_orders_the_hosts(place: Place, shell, strategy, hosts):
    """Spread over hosts, packed on one, or ECS's default for services."""
    place.ecs.create_service(
        serviceName="ordered", taskDefinition=shell, desiredCount=6, placementStrategy=strategy
    )
    until(lambda: len(place.running("ordered")) == 6, 30, "six run")
    found = Counter(task["containerInstanceArn"] for task in place.running("ordered"))
    assert sorted(found.values()) == hosts


@pytest.mark.both_databases
def test_a_drained_host_is_emptied_and_comes_back(place: Place, shell):
    """DRAINING: the service's tasks move to other hosts, a task run by hand stays.

    The host gets nothing new until it is ACTIVE again.
    """
    arns = [one["containerInstanceArn"] for one in place.instances()]
    place.ecs.create_service(serviceName="moved", taskDefinition=shell, desiredCount=3)
    place.steady("moved")
    byhand = place.ecs.start_task(taskDefinition=shell, containerInstances=[arns[0]])["tasks"][0]
    place.started(byhand["taskArn"])
    place.ecs.update_container_instances_state(containerInstances=[arns[0]], status="DRAINING")

    def moved() -> bool:
        tasks = place.running("moved")
        return len(tasks) == 3 and arns[0] not in {one["containerInstanceArn"] for one in tasks}

    until(moved, 30, "the service left the host", lambda: place.messages("moved"))
    assert place.describe(byhand["taskArn"])[0]["lastStatus"] == "RUNNING"
    answer = place.ecs.run_task(taskDefinition=shell, count=4)
    assert arns[0] not in {task["containerInstanceArn"] for task in answer["tasks"]}
    place.ecs.update_container_instances_state(containerInstances=[arns[0]], status="ACTIVE")
    answer = place.ecs.run_task(
        taskDefinition=shell, count=4, placementStrategy=[{"type": "spread", "field": "instanceId"}]
    )
    assert arns[0] in {task["containerInstanceArn"] for task in answer["tasks"]}


def test_a_host_with_tasks_leaves_by_force_only(place: Place, images, shell, folder):
    """Deregistering is refused while tasks run; with force the host is INACTIVE.

    The service's task is replaced elsewhere, and the host stops what it still runs.
    """
    place.ecs.create_cluster(clusterName="leaving")
    place.add_hosts(2, "leaving")
    place.ecs.create_service(
        cluster="leaving", serviceName="left", taskDefinition=shell, desiredCount=2
    )
    place.steady("left", "leaving")
    arn = place.running("left", "leaving")[0]["containerInstanceArn"]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        place.ecs.deregister_container_instance(cluster="leaving", containerInstance=arn)
    gone = place.ecs.deregister_container_instance(
        cluster="leaving", containerInstance=arn, force=True
    )["containerInstance"]
    assert gone["status"] == "INACTIVE"

    def replaced() -> bool:
        tasks = place.running("left", "leaving")
        return len(tasks) == 2 and arn not in {one["containerInstanceArn"] for one in tasks}

    until(replaced, 30, "the service moved", lambda: place.messages("left", "leaving"))
    place.clear()

    def running() -> str:
        label = "label=com.amazonaws.ecs.cluster=leaving"
        return place.docker("ps", "--quiet", "--filter", label)

    until(lambda: not running(), 30, "the host that was forced out stops what it ran", running)
    for host in place.hosts[-2:]:
        host.stop()
    del place.hosts[-2:]


@pytest.mark.both_databases
def test_no_host_is_over_promised_by_many_at_once(place: Place, images):
    """Forty calls from eight threads ask for more memory than there is.

    The hosts are full to the brim and not beyond, and each call got a task or a reason.
    """
    size = 512
    definition = place.register(
        "crowd", {"image": images["shell"], "command": FOREVER, "memory": size}
    )
    answers = _from_many_threads(
        lambda: place.ecs.run_task(taskDefinition=definition), threads=8, calls=40
    )
    placed = [task for answer in answers for task in answer["tasks"]]
    refused = [answer for answer in answers if not answer["tasks"]]
    room = sum(_registered(one) // size for one in place.instances())
    assert len(placed) == min(room, 40)
    reasons = {one["reason"] for answer in refused for one in answer["failures"]}
    assert all(answer["failures"] for answer in refused)
    assert reasons == {"RESOURCE:MEMORY"}
    assert all(_remaining(one) >= 0 for one in place.instances())


def _from_many_threads(call, threads: int, calls: int) -> list:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda _: call(), range(calls)))


def _registered(instance: dict) -> int:
    return _memory(instance["registeredResources"])


def _remaining(instance: dict) -> int:
    return _memory(instance["remainingResources"])


def _memory(resources: list) -> int:
    return next(int(one["integerValue"]) for one in resources if one["name"] == "MEMORY")
