"""The hosts of one cluster, by the API: what the commands of `moorage host` and `status` call."""

from typing import TypeVar

import msgspec

from moorage.cli.place import ECS_TARGET, OWN_TARGET, Place
from moorage.shapes.ecs.container_instance import (
    DeregisterContainerInstanceRequest,
    DeregisterContainerInstanceResponse,
    UpdateContainerInstancesStateRequest,
    UpdateContainerInstancesStateResponse,
)
from moorage.shapes.moorage.host_state import (
    ConfirmHostLostRequest,
    ConfirmHostLostResponse,
    DescribeHostsRequest,
    DescribeHostsResponse,
    DrainHostRequest,
    DrainHostResponse,
    Host,
)

PAGES_MAX = 1000
_A = TypeVar("_A", bound=msgspec.Struct)


class HostClient:
    """The hosts of one cluster; every call raises the server's faults."""

    def __init__(self, place: Place, cluster: str) -> None:
        """Take the server and the cluster's name."""
        self._client = place.client()
        self._cluster = cluster

    def all(self) -> list[Host]:
        """All hosts, a bounded number of pages of them."""
        found: list[Host] = []
        token: str | None = None
        for _ in range(PAGES_MAX):
            request = DescribeHostsRequest(cluster=self._cluster, next_token=token)
            page = self._own("DescribeHosts", request, DescribeHostsResponse)
            found += page.hosts or []
            token = page.next_token
            if token is None:
                break
        return found

    def one(self, name: str) -> Host:
        """The host of that name, id or ARN."""
        request = DescribeHostsRequest(cluster=self._cluster, hosts=[name])
        (found,) = self._own("DescribeHosts", request, DescribeHostsResponse).hosts or [Host()]
        return found

    def drain(self, name: str, deadline_seconds: int | None, on_timeout: str | None) -> Host:
        """Begin a drain, or change its deadline."""
        request = DrainHostRequest(
            cluster=self._cluster,
            host=name,
            deadline_seconds=deadline_seconds,
            on_timeout=on_timeout,
        )
        return self._own("DrainHost", request, DrainHostResponse).host or Host()

    def confirm_lost(self, name: str) -> ConfirmHostLostResponse:
        """Say that a lost host will not come back with its tasks."""
        request = ConfirmHostLostRequest(cluster=self._cluster, host=name)
        return self._own("ConfirmHostLost", request, ConfirmHostLostResponse)

    def activate(self, host: Host) -> None:
        """End a drain."""
        request = UpdateContainerInstancesStateRequest(
            cluster=self._cluster,
            container_instances=[host.container_instance_arn or ""],
            status="ACTIVE",
        )
        answer = UpdateContainerInstancesStateResponse
        self._ecs("UpdateContainerInstancesState", request, answer)

    def remove(self, host: Host, *, force: bool) -> None:
        """Deregister a host."""
        request = DeregisterContainerInstanceRequest(
            cluster=self._cluster,
            container_instance=host.container_instance_arn,
            force=force,
        )
        self._ecs("DeregisterContainerInstance", request, DeregisterContainerInstanceResponse)

    def _own(self, operation: str, request: msgspec.Struct, answer: type[_A]) -> _A:
        return self._client.call("moorage", OWN_TARGET, operation, request, answer)

    def _ecs(self, operation: str, request: msgspec.Struct, answer: type[_A]) -> _A:
        return self._client.call("ecs", ECS_TARGET, operation, request, answer)
