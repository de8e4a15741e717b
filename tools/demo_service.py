"""The demo's service as the API shows it, and as its pages answer.

Commands that change something are typed by the demo with the AWS CLI; what only looks, and often,
calls the same API with Moorage's own client, because starting the AWS CLI takes most of a second.
"""

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from demo_story import DemoFailed
from moorage.cli.place import ECS_TARGET, Place
from moorage.cli.processes import wait_until
from moorage.ground.fault import Fault
from moorage.shapes.ecs.service import DescribeServicesRequest, DescribeServicesResponse, Service
from moorage.shapes.ecs.task import (
    DescribeTasksRequest,
    DescribeTasksResponse,
    ListTasksRequest,
    ListTasksResponse,
    Task,
)
from moorage.shapes.ecs.task_definition import (
    DescribeTaskDefinitionRequest,
    DescribeTaskDefinitionResponse,
    TaskDefinition,
)

CLUSTER = "default"
SERVICE = "web"
PAGE_SECONDS_MAX = 2.0
EVENTS_SHOWN = 5
HTTP_OK = 200
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - compared with, not listened on
_S = TypeVar("_S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Replica:
    """A running task of the service, and where its page is."""

    task: str
    container: str
    address: str
    port: int

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{self.address}:{self.port}/"

    @property
    def short(self) -> str:
        """The task's id, as people tell tasks apart."""
        return self.task.rpartition("/")[2][:12]


class WebService:
    """The service `web` of the cluster `default`, looked at from outside."""

    def __init__(self, place: Place) -> None:
        """Look through the API of `place`."""
        self._place = place

    def found(self) -> Service | None:
        """The service as DescribeServices shows it, or None where there is none."""
        request = DescribeServicesRequest(cluster=CLUSTER, services=[SERVICE])
        answer = self._ask("DescribeServices", request, DescribeServicesResponse)
        return next(iter(answer.services or ()), None)

    def definition(self, name: str = SERVICE) -> TaskDefinition | None:
        """The newest active revision of a family, or a named revision, or None."""
        request = DescribeTaskDefinitionRequest(task_definition=name)
        try:
            answer = self._ask("DescribeTaskDefinition", request, DescribeTaskDefinitionResponse)
        except Fault:
            return None
        return answer.task_definition

    def replicas(self) -> list[Replica]:
        """The running tasks, by address."""
        listed = self._ask(
            "ListTasks", ListTasksRequest(cluster=CLUSTER, service_name=SERVICE), ListTasksResponse
        )
        arns = listed.task_arns or []
        if not arns:
            return []
        request = DescribeTasksRequest(cluster=CLUSTER, tasks=arns)
        described = self._ask("DescribeTasks", request, DescribeTasksResponse)
        return sorted(serving(described.tasks or ()), key=lambda one: (one.address, one.port))

    def events(self) -> list[str]:
        """The newest events of the service; none where the server does not answer."""
        try:
            service = self.found()
        except Fault:
            return []
        return [event.message or "" for event in (service.events if service else None) or ()][
            :EVENTS_SHOWN
        ]

    def await_steady(self, desired: int, definition: str, seconds_max: float) -> list[Replica]:
        """Wait until all replicas run `definition` (family:revision); raises DemoFailed.

        A deployment that failed, and one that was rolled back, is told at once.
        """

        def holds() -> bool:
            service = self.found()
            if service is not None and failed(service):
                raise DemoFailed(f"The deployment of {definition} failed: {failed(service)}")
            return service is not None and steady(service, desired)

        self.await_that(holds, seconds_max, f"{SERVICE} does not become steady")
        service = self.found()
        if service is None or not (service.task_definition or "").endswith(f"/{definition}"):
            raise DemoFailed(f"The deployment of {definition} failed and was rolled back.")
        return self.replicas()

    def await_gone(self, seconds_max: float) -> None:
        """Wait until a deleted service has no task left; raises DemoFailed."""

        def holds() -> bool:
            service = self.found()
            return service is None or service.status == "INACTIVE"

        self.await_that(holds, seconds_max, f"{SERVICE} does not end")

    def await_replacement(self, known: Iterable[Replica], seconds_max: float) -> Replica:
        """Wait until a task that is not among `known` serves its page; raises DemoFailed."""
        before = {one.task for one in known}
        arrived: list[Replica] = []

        def holds() -> bool:
            arrived[:] = [
                one
                for one in self.replicas()
                if one.task not in before and page_of(one) is not None
            ]
            return bool(arrived)

        self.await_that(holds, seconds_max, "no replacement serves")
        return arrived[0]

    def await_that(self, holds: Callable[[], bool], seconds_max: float, else_say: str) -> None:
        """Wait until something holds, or raise DemoFailed with the sentence and the time."""
        if not wait_until(holds, seconds_max):
            raise DemoFailed(f"{else_say} within {seconds_max:g} s.")

    def _ask(self, operation: str, request: msgspec.Struct, answer: type[_S]) -> _S:
        return self._place.client().call("ecs", ECS_TARGET, operation, request, answer)


def steady(service: Service, desired: int) -> bool:
    """What the waiter ServicesStable of the AWS CLI waits for, with the count that is wanted."""
    return (
        service.status == "ACTIVE"
        and service.desired_count == desired
        and service.running_count == desired
        and len(service.deployments or ()) == 1
    )


def failed(service: Service) -> str:
    """Why the service's deployment failed; empty where none did."""
    reasons = (
        one.rollout_state_reason or "it does not say why"
        for one in service.deployments or ()
        if one.rollout_state == "FAILED" and one.status == "PRIMARY"
    )
    return next(reasons, "")


def serving(tasks: Iterable[Task]) -> Iterable[Replica]:
    """The running ones among tasks, with the address that their network bindings tell."""
    for task in tasks:
        for container in task.containers or ():
            for binding in container.network_bindings or ():
                if task.last_status == "RUNNING" and binding.host_port:
                    bound = binding.bind_ip or ANY_ADDRESS
                    yield Replica(
                        task=task.task_arn or "",
                        container=container.runtime_id or "",
                        address="127.0.0.1" if bound == ANY_ADDRESS else bound,
                        port=binding.host_port,
                    )


def page_of(replica: Replica) -> str | None:
    """The text of a replica's page without its tags, or None where it does not answer."""
    connection = http.client.HTTPConnection(replica.address, replica.port, timeout=PAGE_SECONDS_MAX)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return plain(body) if answer.status == HTTP_OK else None


def plain(page: str) -> str:
    """A page's text in one line: what stands outside its tags and its title."""
    body = page.partition("</title>")[2] or page
    pieces = (piece.rpartition(">")[2].strip() for piece in body.split("<"))
    return ", ".join(piece for piece in pieces if piece)
