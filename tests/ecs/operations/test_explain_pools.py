"""What is said where a capacity provider is waited for: by services, tasks, hosts, a preflight."""

import pytest

from moorage.ecs.operations.explain import explain_task
from moorage.ecs.store import machine_orders
from moorage.ground.instant import minutes
from moorage.shapes.moorage.post_mortem import ExplainTaskRequest
from tests.builders import a_definition, a_host, a_service
from tests.ecs.operations.pools_scene import a_house, a_provider, a_rule, known_machines, make
from tests.ecs.operations.test_check import asked, verdicts
from tests.ecs.operations.test_explanation import own, waits
from tests.ecs.operations.test_timeline import events

STRATEGY = [{"capacityProvider": "cp", "weight": 1}]


@pytest.fixture
def house():
    """A pool without machines, and a large host of no pool."""
    made = a_house(a_rule(size_max=1))
    a_host(made, "own", cpu=8192, memory=16384)
    a_provider(made)
    yield made
    made.close()


def run(house, count=1):
    answer = house.ask(
        "RunTask",
        taskDefinition=a_definition(house),
        count=count,
        capacityProviderStrategy=STRATEGY,
    )
    house.settle()
    return [one["taskArn"] for one in answer["tasks"]]


def headline(house, task):
    return house.run(explain_task, ExplainTaskRequest(task=task)).headline


def test_a_service_says_that_its_provider_has_no_host_whatever_the_cluster_has(house):
    a_service(house, capacityProviderStrategy=STRATEGY)
    house.settle()
    answer = own(house, "ExplainService", service="web")
    assert answer["placement"]["summary"] == "There is no host of the capacity provider cp at all."
    assert (
        "It waits for room on the capacity provider cp. There is no host of the capacity provider "
        "cp at all. What keeps a pool from growing, if anything does: moorage pool"
    ) in waits(answer)
    (service,) = house.ask("DescribeServices", services=["web"])["services"]
    assert any(
        one["message"].endswith(
            "Reason: No Container Instances were found in your capacity provider."
        )
        for one in service["events"]
    )
    reasons = own(house, "ExplainHost", host="own")["reasons"]
    assert reasons == [
        "Service web waits for room, and not here: the host is none of the capacity provider cp."
    ]


def test_the_provider_that_is_waited_for_is_named_though_another_has_room():
    house = a_house(a_rule(size_max=1), a_rule(name="second", size_min=1, size_max=1))
    a_provider(house)
    house.ask(
        "CreateCapacityProvider",
        name="two",
        autoScalingGroupProvider={"autoScalingGroupArn": "second"},
    )
    house.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["cp", "two"],
        defaultCapacityProviderStrategy=[],
    )
    house.settle()
    make(house)
    both = [*STRATEGY, {"capacityProvider": "two", "weight": 1}]
    a_service(house, count=2, capacityProviderStrategy=both)
    house.settle()
    assert len(house.ask("ListTasks", serviceName="web")["taskArns"]) == 1
    answer = own(house, "ExplainService", service="web")
    assert "It waits for room on the capacity provider cp. There is no host" in waits(answer)
    assert not answer["placement"]["takers"]
    make(house)
    assert len(house.ask("ListTasks", serviceName="web")["taskArns"]) == 2
    assert "It waits for room" not in waits(own(house, "ExplainService", service="web"))
    house.close()


def test_a_task_that_waits_says_at_which_place_and_for_what(house):
    first, second = run(house, 2)
    places = {
        task["taskArn"]: {one["name"]: one["value"] for one in task["attributes"]}
        for task in house.ask("DescribeTasks", tasks=[first, second])["tasks"]
    }
    assert sorted(one["moorage.provisioning-position"] for one in places.values()) == ["1", "2"]
    for task, told in places.items():
        assert told["moorage.provisioning-reason"] == (
            "Reason: No Container Instances were found in your capacity provider."
        )
        place = told["moorage.provisioning-position"]
        assert f"on the capacity provider cp, at place {place} of those that do. Reason" in (
            headline(house, task)
        )


def test_a_preflight_looks_at_the_hosts_of_the_strategy_and_at_no_others(house):
    a_definition(house)
    document = {"serviceName": "a", "taskDefinition": "web", "desiredCount": 2}
    assert asked(house, document)["fits"] == 2
    answer = asked(house, {**document, "capacityProviderStrategy": STRATEGY})
    assert (answer["fits"], answer["hosts"]) == (0, [])
    assert answer["headline"] == "It is sound, and only 0 of 2 tasks would find a host now."
    assert answer["placement"]["summary"] == "There is no host of the capacity provider cp at all."
    unknown = asked(house, {**document, "capacityProviderStrategy": [{"capacityProvider": "no"}]})
    assert verdicts(unknown)["capacityProviderStrategy"] == "refused"
    assert "not associated with the cluster" in unknown["headline"]
    listed = asked(house, {"services": [document], "failures": []})
    assert (listed["kind"], listed["fits"]) == ("service", 2)


def test_the_timeline_tells_what_becomes_of_machines(house):
    run(house)
    (machine,) = known_machines(house)
    house.write(lambda call: machine_orders.failed(call.tx, machine, "no credit", 3))
    house.pass_time(minutes(1))
    make(house)
    told = {one["kind"]: one for one in events(house, kind="machine")}
    assert set(told) == {"machine-ordered", "machine-failed", "machine-made"}
    assert told["machine-ordered"]["text"] == f"{machine.name} of the pool spare: it is to be made."
    assert told["machine-failed"]["text"] == f"{machine.name} of the pool spare: no credit"
    (joined,) = known_machines(house)
    house.ask("DeregisterContainerInstance", containerInstance=joined.instance, force=True)
    house.settle()
    make(house)
    newest = [one["kind"] for one in events(house, kind="machine")]
    assert "machine-gone" in newest
    assert "machine-ending" in newest
