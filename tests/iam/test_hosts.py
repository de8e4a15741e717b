"""What a host's key opens, and what it opens no more once its host was deregistered."""

import pytest

from moorage.ecr.api import ECR
from moorage.ground.fault import AccessDenied, Fault
from moorage.ground.instant import hours
from moorage.ground.record import evolve
from moorage.iam.authorize import authorize
from moorage.iam.store import access_keys
from moorage.shapes.ecr.authorization import GetAuthorizationTokenRequest
from tests.builders import EcsHouse, a_host, a_task

FAR = "eu-west-1"


@pytest.fixture
def house():
    made = EcsHouse(regions=("us-east-1", FAR))
    yield made
    made.close()


def the_key(house, host):
    return house.read(lambda call: access_keys.get(call.tx, host.access_key_id))


def registry_token(house, host):
    operation = ECR.operations["GetAuthorizationToken"]
    return house.read(
        lambda call: authorize(call, operation, GetAuthorizationTokenRequest()), principal=host
    )


def test_a_deregistered_host_reads_nothing_any_more(house):
    host = a_host(house)
    registry_token(house, host)
    house.ask("DeregisterContainerInstance", containerInstance=host.instance)
    assert the_key(house, host).retired
    retired = evolve(host, retired=True)
    with pytest.raises(AccessDenied, match="deregistered"):
        registry_token(house, retired)
    # It still learns from the server why: an agent that is told so asks to be left alone.
    said = house.refused(
        "RegisterContainerInstance",
        "ClientException",
        by=retired,
        totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 1},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 1},
        ],
        containerInstanceArn=host.instance,
    )
    assert "Join again" in said
    house.ask("DiscoverPollEndpoint", by=retired, containerInstance=host.instance)


def test_the_key_of_a_host_goes_with_the_memory_of_it(house):
    host = a_host(house)
    house.ask("DeregisterContainerInstance", containerInstance=host.instance)
    house.settle()
    assert the_key(house, host) is not None
    house.pass_time(hours(25))
    assert the_key(house, host) is None


def test_a_host_drains_itself_and_does_not_come_back_by_its_own_word(house):
    # An operator drains a host that is not to be trusted: nothing more is to be placed there.
    host = a_host(house)
    house.ask(
        "UpdateContainerInstancesState",
        by=host,
        containerInstances=[host.instance],
        status="DRAINING",
    )
    house.refused(
        "UpdateContainerInstancesState",
        "AccessDeniedException",
        by=host,
        containerInstances=[host.instance],
        status="ACTIVE",
    )
    (shown,) = house.ask("DescribeContainerInstances", containerInstances=[host.instance])[
        "containerInstances"
    ]
    assert shown["status"] == "DRAINING"


def test_a_host_stays_in_the_region_that_it_joined(house):
    # Clusters of two regions may have one name; the token was made for one of them.
    host = evolve(house.host_key(), region="us-east-1")
    with pytest.raises(Fault, match="joined in the region us-east-1"):
        house.ask("RegisterContainerInstance", by=host, in_region=FAR, totalResources=[])
    assert house.ask("ListContainerInstances", in_region=FAR)["containerInstanceArns"] == []


@pytest.mark.parametrize("action", ["SubmitTaskStateChange", "SubmitContainerStateChange"])
def test_a_refusal_does_not_tell_where_a_task_runs(house, action):
    one, two = a_host(house, "one"), a_host(house, "two")
    task = a_task(house)
    other = two if task["containerInstanceArn"] == one.instance else one
    status = {"status": "STOPPED"}
    said = house.refused(action, "AccessDeniedException", by=other, task=task["taskArn"], **status)
    assert task["containerInstanceArn"] not in said
    said = house.refused(
        "ListTagsForResource", "AccessDeniedException", by=other, resourceArn=task["taskArn"]
    )
    assert task["containerInstanceArn"] not in said
