"""What the next task of a service asks for: of the deployment whose tasks are kept now."""

import pytest

from moorage.ecs.store import services
from moorage.ecs.store.service_wants import wanted
from moorage.ecs.store.view import cluster_view
from moorage.ground.arn import make_arn
from moorage.ground.instant import seconds
from tests.builders import ACCOUNT, REGION, a_definition, a_host, a_service

CLUSTER = make_arn("cluster", REGION, ACCOUNT, "default")
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}


def cpu_of(house, service):
    found = house.write(lambda call: wanted(call.tx, services.get(call.tx, service)))
    return found.needs.cpu


def newest(house):
    listed = house.ask("ListServiceDeployments", service="web")["serviceDeployments"]
    (shown,) = house.ask(
        "DescribeServiceDeployments",
        serviceDeploymentArns=[listed[0]["serviceDeploymentArn"]],
    )["serviceDeployments"]
    return shown


@pytest.mark.parametrize("strategy", ["REPLICA", "DAEMON"])
def test_it_is_the_kept_ones_while_an_update_is_paused_and_after_it_was_stopped_there(
    house, strategy
):
    key = a_host(house)
    old = a_definition(house, container={"cpu": 100})
    count = {"count": 1} if strategy == "REPLICA" else {"count": None}
    service = a_service(house, taskDefinition=old, schedulingStrategy=strategy, **count)
    house.settle()
    (task,) = house.ask("ListTasks")["taskArns"]
    house.ask("SubmitTaskStateChange", by=key, cluster="default", task=task, status="RUNNING")
    house.pass_time(seconds(1))
    arn = service["serviceArn"]
    assert cpu_of(house, arn) == 100
    house.ask(
        "UpdateService",
        service="web",
        taskDefinition=a_definition(house, container={"cpu": 900}),
        deploymentConfiguration={"lifecycleHooks": [PAUSE]},
    )
    house.settle()
    paused = newest(house)
    assert paused["lifecycleStage"] == "PRE_SCALE_UP"
    assert cpu_of(house, arn) == 100
    if strategy == "DAEMON":
        a_host(house, "host-2", cpu=1000)
        view = house.write(lambda call: cluster_view(call.tx, CLUSTER))
        assert min(load.cpu for load in view.hosts.values()) == 900
    house.ask(
        "StopServiceDeployment",
        serviceDeploymentArn=paused["serviceDeploymentArn"],
        stopType="ABORT",
    )
    house.settle()
    assert cpu_of(house, arn) == 100


def test_it_is_the_updates_once_that_goes_on(house):
    old = a_definition(house, container={"cpu": 100})
    arn = a_service(house, taskDefinition=old)["serviceArn"]
    house.settle()
    new = a_definition(house, container={"cpu": 900})
    house.ask("UpdateService", service="web", taskDefinition=new)
    assert cpu_of(house, arn) == 900
    house.settle()
    assert cpu_of(house, arn) == 900
