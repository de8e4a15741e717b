"""Two hundred bad requests to the scheduler, by boto3: AWS's code each, a sentence that explains."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.clients.desk import VPC, Desk
from tests.clients.refusals import ROWS as ROWS_OF_PLACES
from tests.clients.refusals_of_work import NEW_SERVICES, SERVICES, TASKS
from tests.ecs.members import REFUSED, SOUND

pytestmark = [pytest.mark.clients]

FOREIGN = "arn:aws:ecs:us-east-1:999988887777:cluster/default"
ROWS = [*ROWS_OF_PLACES, *SERVICES, *NEW_SERVICES, *TASKS]
# What no model names for an operation and every AWS service answers; and ours for what is not built.
COMMON = {"SerializationException", "UnsupportedFeatureException"}
HOST = {"targetType": "container-instance"}
ATTRIBUTE = [{"name": "a", "targetId": "{id}", **HOST}]
PROTECTED = {"tasks": ["d" * 32], "protectionEnabled": True}
SERVICE = {"taskDefinition": "web", "serviceName": "new", "desiredCount": 1}
# A request of each operation that is about a cluster, sound but for the cluster.
OF_A_CLUSTER: dict[str, dict[str, Any]] = {
    "update_cluster": {},
    "update_cluster_settings": {"settings": [{"name": "containerInsights", "value": "enabled"}]},
    "put_cluster_capacity_providers": {
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    },
    "delete_cluster": {},
    "put_attributes": {"attributes": ATTRIBUTE},
    "delete_attributes": {"attributes": ATTRIBUTE},
    "list_attributes": HOST,
    "list_container_instances": {},
    "describe_container_instances": {"containerInstances": ["{id}"]},
    "update_container_agent": {"containerInstance": "{id}"},
    "get_task_protection": {"tasks": ["d" * 32]},
    "update_task_protection": PROTECTED,
    "describe_capacity_providers": {},
    "create_service": SERVICE,
    "update_service": {"service": "held"},
    "delete_service": {"service": "held"},
    "describe_services": {"services": ["held"]},
    "list_services": {},
    "list_service_deployments": {"service": "held"},
    "run_task": {"taskDefinition": "web"},
    "start_task": {"taskDefinition": "web", "containerInstances": ["{id}"]},
    "list_tasks": {},
    "describe_tasks": {"tasks": ["d" * 32]},
}
# One request of each operation that came with the scheduler, for a caller who may call none.
OF_PEOPLE: dict[str, dict[str, Any]] = {
    name: {"cluster": "default", **members} for name, members in OF_A_CLUSTER.items()
} | {
    "delete_task_definitions": {"taskDefinitions": ["old:1"]},
    "stop_service_deployment": {"serviceDeploymentArn": "{paused}"},
    "continue_service_deployment": {"serviceDeploymentArn": "{paused}", "hookId": "{hook}"},
    "create_capacity_provider": {
        "name": "new",
        "autoScalingGroupProvider": {"autoScalingGroupArn": "second"},
    },
    "update_capacity_provider": {"name": "cp", "autoScalingGroupProvider": {}},
    "delete_capacity_provider": {"capacityProvider": "cp"},
    "put_account_setting": {"name": "awsvpcTrunking", "value": "enabled"},
    "put_account_setting_default": {"name": "awsvpcTrunking", "value": "enabled"},
    "delete_account_setting": {"name": "awsvpcTrunking"},
    "list_account_settings": {},
    "describe_service_deployments": {"serviceDeploymentArns": ["{paused}"]},
}
# What is not built, by operation and member: the same table that the operations are held to.
NOT_BUILT = [(name, member) for name, members in REFUSED.items() for member in members]


def everything(desk: Desk) -> dict[str, Any]:
    """All that these requests could have changed."""
    ecs = desk.ecs
    names = ecs.list_clusters()["clusterArns"]
    include = ["SETTINGS", "CONFIGURATIONS", "TAGS"]
    services = ecs.describe_services(services=["held", "user"])["services"]
    return {
        "clusters": ecs.describe_clusters(clusters=names, include=include)["clusters"],
        "providers": ecs.describe_capacity_providers()["capacityProviders"],
        "attributes": ecs.list_attributes(**HOST)["attributes"],
        "settings": ecs.list_account_settings(effectiveSettings=True)["settings"],
        "definitions": ecs.list_task_definitions()["taskDefinitionArns"],
        "services": [{**one, "events": []} for one in services],
        "listed": ecs.list_services()["serviceArns"],
        "deployment": desk.deployment(desk.names["paused"]),
        "tasks": ecs.list_tasks()["taskArns"],
    }


@pytest.fixture(scope="module", autouse=True)
def unchanged(desk: Desk) -> Iterator[None]:
    """Whatever was refused here has changed nothing."""
    before = everything(desk)
    yield
    assert everything(desk) == before


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("ecs", "service-2"))


def named(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


@pytest.mark.parametrize(
    ("operation", "members", "code", "said"), ROWS, ids=[f"{row[0]}-{row[3][:24]}" for row in ROWS]
)
def test_a_bad_request_is_refused_and_told_why(desk, model, operation, members, code, said):
    desk.refused(operation, code, said, **members)
    shapes = model.operation_model(named(operation)).error_shapes
    assert code in COMMON | {one.name for one in shapes}, "AWS never answers that"


@pytest.mark.parametrize(
    ("members", "code", "said"),
    [(members, code, said) for _, members, code, said in SERVICES],
    ids=[row[3][:24] for row in SERVICES],
)
def test_an_update_is_refused_as_the_creation_is(desk, members, code, said):
    asked = {name: value for name, value in members.items() if name != "serviceName"}
    desk.refused("update_service", code, said, service="user", **asked)


@pytest.mark.parametrize(("name", "member"), NOT_BUILT)
def test_a_member_that_is_not_built_is_refused_by_name(desk, name, member):
    value, code = REFUSED[name][member]
    asked = {**SOUND[name][0], member: value}
    if member == "managedInstancesProvider":  # one of the two is wanted
        del asked["autoScalingGroupProvider"]
    said = {"platformVersion": "platform version"}.get(member, member)
    desk.refused(xform_name(name), code, said, **asked)


@pytest.mark.parametrize("operation", OF_A_CLUSTER)
def test_another_cluster_is_refused(desk, operation):
    """One that is not there, one that was deleted, one of another account or of another kind."""
    members = OF_A_CLUSTER[operation]
    for cluster, code, said in (
        ("nowhere", "ClusterNotFoundException", "Cluster not found"),
        ("gone", "ClusterNotFoundException", "Cluster not found"),
        (FOREIGN, "InvalidParameterException", "999988887777"),
        (desk.names["service"], "InvalidParameterException", "no ARN of a cluster"),
    ):
        desk.refused(operation, code, said, cluster=cluster, **members)


@pytest.fixture(scope="module")
def host(desk: Desk) -> Iterator[Any]:
    """A client that signs with a host's key."""
    own = desk.client("ecs", desk.keys["one"], parameter_validation=False)
    yield own
    own.close()


@pytest.mark.parametrize("operation", OF_PEOPLE)
def test_a_host_may_call_none_of_them(desk, host, operation):
    desk.refused(operation, "AccessDeniedException", "", by=host, **OF_PEOPLE[operation])


def test_a_service_that_is_not_there_or_was_deleted_is_not_updated(desk):
    desk.refused("update_service", "ServiceNotFoundException", "not found", service="nowhere")
    made = desk.ecs.create_service(serviceName="short", taskDefinition="web", desiredCount=0)
    arn = made["service"]["serviceArn"]
    desk.ecs.delete_service(service=arn)
    desk.refused("update_service", "ServiceNotActiveException", "not ACTIVE", service=arn)
    desk.refused(
        "update_service",
        "InvalidParameterException",
        "not valid for the given networkMode",
        service="user",
        networkConfiguration=VPC,
    )
