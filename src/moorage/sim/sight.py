"""What can be seen of a simulated world: the records that laws and traces are made of."""

from typing import Any, Literal

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.machine import Machine, Pool
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ground.instant import Instant
from moorage.ground.record import Record

Deed = Literal["created", "started", "ended", "terminated", "removed"]


class Row(Record):
    """One row that a commit wrote: what it was (None: it was not), and is (None: it is no more)."""

    table: str
    before: Any
    after: Any


class Commit(Record):
    """One commit of the control plane; `server` is the number of the process that made it."""

    number: int
    server: int
    at: int
    now: Instant
    rows: tuple[Row, ...]


class Happened(Record):
    """Something that happened to a container on an engine."""

    at: int
    machine: str
    deed: Deed
    container: str
    name: str
    task: str
    code: int | None = None


class Answered(Record):
    """What a user asked and got: `code` is `ok`, an AWS code, or `unknown` where no answer came."""

    at: int
    step: int
    operation: str
    code: str
    status: int
    asked: Any
    got: Any


class Books:
    """The rows of the control plane as of its last commit, as laws read them."""

    def __init__(self, tables: dict[str, dict[tuple[Any, ...], Any]]) -> None:
        """Read tables that the tap keeps."""
        self.tables = tables

    @property
    def tasks(self) -> list[Task]:
        """All tasks that are remembered."""
        return list(self.tables["tasks"].values())

    @property
    def live(self) -> list[Task]:
        """All tasks that have not stopped."""
        return [task for task in self.tables["tasks"].values() if not task.is_stopped]

    def task(self, arn: str) -> Task | None:
        """One task."""
        found: Task | None = self.tables["tasks"].get((arn,))
        return found

    def of_service(self, arn: str) -> list[Task]:
        """The tasks of a service that have not stopped."""
        found = self.tables["tasks"].values()
        return [task for task in found if task.service == arn and not task.is_stopped]

    def on_host(self, arn: str) -> list[Task]:
        """The tasks on a host that have not stopped."""
        found = self.tables["tasks"].values()
        return [task for task in found if task.instance == arn and not task.is_stopped]

    @property
    def services(self) -> list[Service]:
        """All services that are remembered."""
        return list(self.tables["services"].values())

    def service(self, arn: str) -> Service | None:
        """One service."""
        found: Service | None = self.tables["services"].get((arn,))
        return found

    @property
    def instances(self) -> list[ContainerInstance]:
        """All hosts that are remembered."""
        return list(self.tables["container_instances"].values())

    def instance(self, arn: str) -> ContainerInstance | None:
        """One host."""
        found: ContainerInstance | None = self.tables["container_instances"].get((arn,))
        return found

    def deployments(self, service: str) -> list[ServiceDeployment]:
        """The deployments of a service that are remembered."""
        found = self.tables["service_deployments"].values()
        return [one for one in found if one.service == service]

    @property
    def machines(self) -> list[Machine]:
        """The machines of all pools."""
        return list(self.tables["machines"].values())

    @property
    def pools(self) -> list[Pool]:
        """What is remembered of pools."""
        return list(self.tables["pools"].values())

    def definition(self, arn: str) -> TaskDefinition | None:
        """One revision of a task definition."""
        found = self.tables["task_definitions"].values()
        return next((one for one in found if one.arn == arn), None)
