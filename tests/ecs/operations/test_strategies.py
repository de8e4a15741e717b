"""Capacity provider strategies of RunTask, CreateService and UpdateService."""

import pytest

from moorage.ecs.operations.joining import join as join_operation
from moorage.ground.fault import AccessDenied, Validation
from moorage.ground.instant import later, minutes
from moorage.iam.tokens import Grant, mint
from moorage.shapes.moorage.host import JoinRequest
from tests.builders import a_definition, a_host, a_service
from tests.ecs.operations.pools_scene import (
    a_house,
    a_rule,
    a_token,
    known_machines,
    make,
)

FIRST = {"capacityProvider": "one", "weight": 1}
SECOND = {"capacityProvider": "two", "weight": 1}


@pytest.fixture
def house():
    """Two pools with a host each, and a host of no pool."""
    made = a_house(
        a_rule(name="first", size_min=1, size_max=1),
        a_rule(name="second", size_min=1, size_max=1),
    )
    a_host(made, "own", cpu=4096, memory=8192)
    for name, pool in (("one", "first"), ("two", "second")):
        made.ask(
            "CreateCapacityProvider",
            name=name,
            autoScalingGroupProvider={"autoScalingGroupArn": pool},
        )
    made.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["one", "two"],
        defaultCapacityProviderStrategy=[],
    )
    made.settle()
    make(made)
    yield made
    made.close()


def providers(house, tasks):
    shown = house.ask("DescribeTasks", tasks=[one["taskArn"] for one in tasks])["tasks"]
    return sorted(one.get("capacityProviderName", "") for one in shown)


def test_tasks_go_where_the_strategy_says_and_only_there(house):
    answer = house.ask(
        "RunTask",
        taskDefinition=a_definition(house),
        count=5,
        capacityProviderStrategy=[FIRST, SECOND],
    )
    # A host of a pool takes four of them: two went to the one, three to the other, or so.
    assert providers(house, answer["tasks"]) == ["one", "one", "one", "two", "two"]
    hosts = {one["containerInstanceArn"] for one in answer["tasks"]}
    shown = house.ask("DescribeContainerInstances", containerInstances=sorted(hosts))
    assert {one["capacityProviderName"] for one in shown["containerInstances"]} == {"one", "two"}


def test_without_managed_scaling_what_does_not_fit_fails_and_says_where(house):
    answer = house.ask(
        "RunTask",
        taskDefinition=a_definition(house),
        count=6,
        capacityProviderStrategy=[FIRST],
    )
    assert providers(house, answer["tasks"]) == ["one"] * 4
    assert [one["reason"] for one in answer["failures"]] == ["RESOURCE:CPU"]


def test_a_launch_type_leaves_providers_out(house):
    (task,) = house.ask("RunTask", taskDefinition=a_definition(house), launchType="EC2")["tasks"]
    assert "capacityProviderName" not in task


@pytest.mark.parametrize(
    ("members", "code", "said"),
    [
        (
            {"launchType": "EC2", "capacityProviderStrategy": [FIRST]},
            "InvalidParameterException",
            "Specifying both a launch type and capacity provider strategy",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "none", "weight": 1}]},
            "InvalidParameterException",
            "not associated with the cluster",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1}]},
            "UnsupportedFeatureException",
            "FARGATE is not supported",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "one", "weight": 1001}]},
            "InvalidParameterException",
            "weight",
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "one", "base": 100001}]},
            "InvalidParameterException",
            "base",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_tasks_and_services(house, members, code, said):
    definition = a_definition(house)
    assert said in house.refused("RunTask", code, taskDefinition=definition, **members)
    assert said in house.refused(
        "CreateService",
        code,
        serviceName="web",
        desiredCount=1,
        taskDefinition=definition,
        **members,
    )


def test_a_pool_without_a_host_is_said_so(house):
    house.ask("UpdateCapacityProvider", name="one", autoScalingGroupProvider={})
    for machine in known_machines(house, "first"):
        house.ask("DeregisterContainerInstance", containerInstance=machine.instance, force=True)
    said = house.refused(
        "RunTask",
        "InvalidParameterException",
        taskDefinition=a_definition(house),
        capacityProviderStrategy=[FIRST],
    )
    assert said == "No Container Instances were found in your capacity provider."


def test_a_service_keeps_to_its_strategy(house):
    strategy = [{"capacityProvider": "one", "weight": 1, "base": 1}, {**SECOND, "weight": 3}]
    shown = a_service(house, count=5, capacityProviderStrategy=strategy)
    assert shown["capacityProviderStrategy"] == strategy
    assert "launchType" not in shown
    assert shown["deployments"][0]["capacityProviderStrategy"] == strategy
    house.settle()
    arns = house.ask("ListTasks", serviceName="web")["taskArns"]
    tasks = [{"taskArn": arn} for arn in arns]
    assert providers(house, tasks) == ["one", "one", "two", "two", "two"]
    house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="web",
        desiredCount=5,
        taskDefinition="web",
        capacityProviderStrategy=[FIRST],
    )
    house.ask("UpdateService", service="web", capacityProviderStrategy=[SECOND])
    (after,) = house.ask("DescribeServices", services=["web"])["services"]
    assert after["capacityProviderStrategy"] == [SECOND]
    assert len(after["deployments"]) == 1, "a strategy makes no deployment"
    house.ask("UpdateService", service="web", capacityProviderStrategy=[])
    (after,) = house.ask("DescribeServices", services=["web"])["services"]
    assert after["launchType"] == "EC2"
    assert "capacityProviderStrategy" not in after
    house.refused(
        "UpdateService",
        "InvalidParameterException",
        service="web",
        capacityProviderStrategy=[{"capacityProvider": "none"}],
    )


def test_the_clusters_default_holds_where_nothing_is_said(house):
    house.ask(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["one", "two"],
        defaultCapacityProviderStrategy=[SECOND],
    )
    (task,) = house.ask("RunTask", taskDefinition=a_definition(house))["tasks"]
    assert task["capacityProviderName"] == "two"
    shown = a_service(house, count=1)
    assert shown["capacityProviderStrategy"] == [SECOND]
    shown = a_service(house, "plain", count=0, launchType="EC2")
    assert shown["launchType"] == "EC2"
    daemon = house.ask(
        "CreateService", serviceName="every", taskDefinition="web", schedulingStrategy="DAEMON"
    )["service"]
    assert daemon["launchType"] == "EC2", "a daemon runs on every host"
    assert "DAEMON" in house.refused(
        "CreateService",
        "InvalidParameterException",
        serviceName="every2",
        taskDefinition="web",
        schedulingStrategy="DAEMON",
        capacityProviderStrategy=[FIRST],
    )


def test_a_service_that_waits_lets_its_pool_grow(house):
    house.ask(
        "UpdateCapacityProvider",
        name="one",
        autoScalingGroupProvider={"managedScaling": {"status": "ENABLED"}},
    )
    a_service(house, count=4, capacityProviderStrategy=[FIRST])
    house.settle()
    assert len(known_machines(house, "first")) == 1
    house.ask("UpdateService", service="web", desiredCount=6)
    house.settle()
    assert len(known_machines(house, "first")) == 1, "as many as the settings allow"


def test_the_name_and_the_token_of_a_machine_are_its_own(house):
    (machine,) = known_machines(house, "first")
    token = a_token(house, machine)

    def joining(name, secret):
        return house.run(join_operation, JoinRequest(token=secret, name=name))

    with pytest.raises(Validation, match=f"good for the host {machine.name} alone"):
        joining("somebody", token)
    anybody = house.write(
        lambda call: mint(
            call.tx,
            Grant(
                account=call.account,
                region=call.region,
                cluster="default",
                expires_at=later(call.now, minutes(10)),
            ),
        )
    )
    with pytest.raises(Validation, match="belongs to a machine of a pool"):
        joining(machine.name, anybody)
    with pytest.raises(AccessDenied):
        joining(machine.name, "guessed")
