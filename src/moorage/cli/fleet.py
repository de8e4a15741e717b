"""Questions about hosts that several commands ask, by the public API."""

from moorage.cli.place import ECS_TARGET, Place
from moorage.ground.fault import Fault
from moorage.shapes.ecs.container_instance import (
    DescribeContainerInstancesRequest,
    DescribeContainerInstancesResponse,
    ListContainerInstancesRequest,
    ListContainerInstancesResponse,
)


def connected(place: Place, cluster: str = "default") -> int:
    """How many hosts of a cluster are connected now; 0 where there is no such cluster."""
    client = place.client()
    try:
        listed = client.call(
            "ecs",
            ECS_TARGET,
            "ListContainerInstances",
            ListContainerInstancesRequest(cluster=cluster),
            ListContainerInstancesResponse,
        )
        arns = listed.container_instance_arns or []
        if not arns:
            return 0
        described = client.call(
            "ecs",
            ECS_TARGET,
            "DescribeContainerInstances",
            DescribeContainerInstancesRequest(cluster=cluster, container_instances=arns),
            DescribeContainerInstancesResponse,
        )
    except Fault:
        return 0
    return sum(1 for one in described.container_instances or [] if one.agent_connected)
