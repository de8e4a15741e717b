"""`moorage status`: hosts, services, tasks and the newest events, by the public API."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from moorage.cli.freezes import listed, words_of
from moorage.cli.host_client import HostClient
from moorage.cli.host_table import name_of, notes_of, table_of
from moorage.cli.place import (
    ECS_TARGET,
    OWN_TARGET,
    DataOption,
    EndpointOption,
    Place,
    fail,
    find,
)
from moorage.cli.plain import plain
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.ecs import cluster as clusters
from moorage.shapes.ecs import service as services
from moorage.shapes.ecs import task as tasks
from moorage.shapes.moorage.host_state import Host
from moorage.shapes.moorage.rebalancing import (
    ListRebalancingsRequest,
    ListRebalancingsResponse,
    ServiceRebalancing,
)

EVENTS_SHOWN = 8
TASK_ID_SHOWN = 12
TASKS_SHOWN_MAX = 500
PAGES_MAX = 100
TASKS_DESCRIBED_AT_ONCE = 100
WHOLE = frozenset({"task", "status", "health"})  # columns to copy from
SERVICES_DESCRIBED_AT_ONCE = 10
app = typer.Typer(add_completion=False)
_A = TypeVar("_A", bound=msgspec.Struct)
_T = TypeVar("_T")


class Reader:
    """The public API, as far as the tables need it."""

    def __init__(self, place: Place) -> None:
        """Take the server."""
        self._client = place.client()
        self._place = place

    def call(self, operation: str, request: msgspec.Struct, answer: type[_A]) -> _A:
        """Call one ECS operation."""
        return self._client.call("ecs", ECS_TARGET, operation, request, answer)

    def freezes(self, cluster: str) -> list[str]:
        """A line for each freeze that holds in a cluster."""
        return [words_of(one) for one in listed(self._place, cluster)]

    def rebalancings(self, cluster: str) -> list[str]:
        """A line for each service of a cluster that is being rebalanced."""
        answer = self._client.call(
            "moorage",
            OWN_TARGET,
            "ListRebalancings",
            ListRebalancingsRequest(cluster=cluster),
            ListRebalancingsResponse,
        )
        return [rebalancing_words(one) for one in answer.rebalancings or []]

    def clusters(self) -> list[str]:
        """The ARNs of all clusters."""
        return _pages(
            lambda token: self.call(
                "ListClusters",
                clusters.ListClustersRequest(next_token=token),
                clusters.ListClustersResponse,
            ),
            lambda page: (page.cluster_arns, page.next_token),
        )

    def hosts(self, cluster: str) -> list[Host]:
        """The hosts of a cluster."""
        return HostClient(self._place, cluster).all()

    def services(self, cluster: str) -> list[services.Service]:
        """The services of a cluster."""
        arns = _pages(
            lambda token: self.call(
                "ListServices",
                services.ListServicesRequest(cluster=cluster, next_token=token),
                services.ListServicesResponse,
            ),
            lambda page: (page.service_arns, page.next_token),
        )
        found: list[services.Service] = []
        for some in _cut(arns, SERVICES_DESCRIBED_AT_ONCE):
            request = services.DescribeServicesRequest(cluster=cluster, services=some)
            described = self.call("DescribeServices", request, services.DescribeServicesResponse)
            found += described.services or []
        return found

    def tasks(self, cluster: str) -> list[tasks.Task]:
        """The tasks of a cluster that should run, a bounded number."""
        arns = _pages(
            lambda token: self.call(
                "ListTasks",
                tasks.ListTasksRequest(cluster=cluster, next_token=token),
                tasks.ListTasksResponse,
            ),
            lambda page: (page.task_arns, page.next_token),
        )[:TASKS_SHOWN_MAX]
        found: list[tasks.Task] = []
        for some in _cut(arns, TASKS_DESCRIBED_AT_ONCE):
            request = tasks.DescribeTasksRequest(cluster=cluster, tasks=some)
            found += self.call("DescribeTasks", request, tasks.DescribeTasksResponse).tasks or []
        return found


@app.command(epilog="Example: moorage status --cluster web")
def status(
    cluster: Annotated[str, typer.Option(help="One cluster only.")] = "",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Show hosts, services, tasks and the newest events in tables."""
    reader = Reader(find(data, endpoint, key="root"))
    console = Console()
    try:
        for arn in reader.clusters():
            name = arn.rsplit("/", 1)[1]
            if cluster in {"", name}:
                _show(console, reader, name)
    except Fault as fault:
        fail(str(fault))


def _show(console: Console, reader: Reader, cluster: str) -> None:
    hosts, found = reader.hosts(cluster), reader.services(cluster)
    running = reader.tasks(cluster)
    console.rule(f"cluster {cluster}", align="left")
    for line in reader.freezes(cluster):
        console.print(f"[bold yellow]{escape(line)}[/]", highlight=False, soft_wrap=True)
    names = {host.container_instance_arn or "": name_of(host) for host in hosts}
    console.print(table_of(hosts, SystemClock().now(), brief=True))
    for note in notes_of(hosts, SystemClock().now()):
        console.print(f"[yellow]{escape(note)}[/]", highlight=False, soft_wrap=True)
    if found:
        console.print(_services(found))
    for line in reader.rebalancings(cluster):
        console.print(f"[cyan]{escape(line)}[/]", highlight=False, soft_wrap=True)
    if running:
        console.print(_tasks(running, names))
    events = sorted(
        (
            (event.created_at or 0.0, event.message or "")
            for service in found
            for event in service.events or []
        ),
        reverse=True,
    )[:EVENTS_SHOWN]
    for at, message in reversed(events):
        console.print(
            f"[dim]{iso(from_epoch(at))[11:19]}[/] {escape(plain(message))}",
            highlight=False,
            soft_wrap=True,
        )


def rebalancing_words(one: ServiceRebalancing) -> str:
    """One line that says since when a service is rebalanced, and what moves now."""
    since = "" if one.since is None else f" since {iso(from_epoch(one.since))}"
    moves = [
        f"{(move.task_arn or '').rpartition('/')[2][:TASK_ID_SHOWN]} from {plain(move.from_host)} to "
        f"{plain(move.to_host)}"
        for move in one.moves or []
    ]
    now = f"moving {', '.join(moves)}" if moves else "no task moves now"
    then = f"; {one.planned} more to move next" if one.planned else ""
    return f"{plain(one.service)} is being rebalanced{since}: {now}{then}"


def _services(found: list[services.Service]) -> Table:
    table = _table("service", "status", "running", "pending", "desired", "definition", "rollout")
    for service in found:
        deployments = service.deployments or []
        newest = deployments[0] if deployments else None
        good = service.running_count == service.desired_count
        table.add_row(
            service.service_name,
            service.status,
            f"[{'green' if good else 'yellow'}]{service.running_count}[/]",
            str(service.pending_count),
            str(service.desired_count),
            (service.task_definition or "").rsplit("/", 1)[-1],
            (newest.rollout_state if newest else "") or "",
        )
    return table


def _tasks(running: list[tasks.Task], names: dict[str, str]) -> Table:
    table = _table("task", "of", "definition", "host", "status", "health", "ports")
    for task in running:
        ports = [
            f"{binding.bind_ip}:{binding.host_port}->{binding.container_port}"
            for container in task.containers or []
            for binding in container.network_bindings or []
        ]
        table.add_row(
            (task.task_arn or "").rsplit("/", 1)[1][:TASK_ID_SHOWN],
            escape(plain((task.group or "").removeprefix("service:"))),
            (task.task_definition_arn or "").rsplit("/", 1)[-1],
            place_of(task, names),
            task.last_status,
            task.health_status,
            escape(plain(" ".join(ports))),
        )
    return table


def place_of(task: tasks.Task, names: dict[str, str]) -> str:
    """The name of a task's host, or in parentheses the capacity provider that it waits for."""
    if task.container_instance_arn:
        return names.get(task.container_instance_arn, "?")
    return escape(f"({plain(task.capacity_provider_name)})") if task.capacity_provider_name else "?"


def _table(*columns: str) -> Table:
    """A table that spends its width on words, not on lines."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    return table


def _pages(
    page: Callable[[str | None], _A], read: Callable[[_A], tuple[list[_T] | None, str | None]]
) -> list[_T]:
    found: list[_T] = []
    token: str | None = None
    for _ in range(PAGES_MAX):
        some, token = read(page(token))
        found += some or []
        if token is None:
            break
    return found


def _cut(things: list[_T], size: int) -> list[list[_T]]:
    return [things[at : at + size] for at in range(0, len(things), size)]
