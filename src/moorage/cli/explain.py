"""`moorage explain`: why a task, a service, a deployment or a host is as it is."""

from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from moorage.cli.explanation import show_deployment, show_host, show_service
from moorage.cli.place import OWN_TARGET, DataOption, EndpointOption, Place, fail, find
from moorage.cli.plain import plain
from moorage.ground.fault import Fault
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.moorage.explanation import (
    ExplainDeploymentRequest,
    ExplainDeploymentResponse,
    ExplainHostRequest,
    ExplainHostResponse,
    ExplainServiceRequest,
    ExplainServiceResponse,
)
from moorage.shapes.moorage.post_mortem import (
    Cause,
    ContainerPostMortem,
    ExplainTaskRequest,
    ExplainTaskResponse,
    OutputLine,
)

LINES_SHOWN = 20
LINES_SHOWN_MAX = 200
ClusterOption = Annotated[str, typer.Option(help="The cluster.")]
_S = TypeVar("_S", bound=msgspec.Struct)
_COLOURS = {"STOPPED": "red", "RUNNING": "green"}
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Explain why things are so.")


@app.callback()
def explain() -> None:
    """Explain why a task, a service, a deployment or a host is as it is."""


@app.command(
    epilog="Example: moorage explain task 3f2a   (the id, its beginning, or the ARN of a task)",
)
def task(
    target: Annotated[str, typer.Argument(metavar="TASK", help="Its id, its beginning, or ARN.")],
    lines: Annotated[
        int, typer.Option(min=0, max=LINES_SHOWN_MAX, help="How many last lines of output to show.")
    ] = LINES_SHOWN,
    container: Annotated[str, typer.Option(help="Show the output of this container.")] = "",
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say why a task stopped, does not run yet, or runs; also one that is long forgotten."""
    request = ExplainTaskRequest(cluster=cluster, task=target)
    answer = _ask(find(data, endpoint, key="root"), request, ExplainTaskResponse)
    console = Console(highlight=False, soft_wrap=False)
    show(console, answer)
    show_output(console, answer, container or answer.container or "", lines)


@app.command(epilog="Example: moorage explain service web")
def service(
    target: Annotated[str, typer.Argument(metavar="SERVICE", help="Its name or ARN.")],
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say what a service wants, has and waits for, and where its next task could go."""
    request = ExplainServiceRequest(cluster=cluster, service=target)
    answer = _ask(find(data, endpoint, key="root"), request, ExplainServiceResponse)
    show_service(Console(highlight=False), answer)


@app.command(
    epilog="Example: moorage explain deployment web   (the newest of a service, an id, or an ARN)",
)
def deployment(
    target: Annotated[
        str, typer.Argument(metavar="DEPLOYMENT", help="ecs-svc/N, an ARN, or a service's name.")
    ],
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say how a deployment went, what failed, why it was rolled back, and what it waits for."""
    request = ExplainDeploymentRequest(cluster=cluster, deployment=target)
    answer = _ask(find(data, endpoint, key="root"), request, ExplainDeploymentResponse)
    show_deployment(Console(highlight=False), answer)


@app.command(epilog="Example: moorage explain host host-2")
def host(
    target: Annotated[str, typer.Argument(metavar="HOST", help="Its name, its id, or its ARN.")],
    cluster: ClusterOption = "default",
    data: DataOption = None,
    endpoint: EndpointOption = None,
) -> None:
    """Say where a host stands, what it holds and promises, and why it gets no tasks."""
    request = ExplainHostRequest(cluster=cluster, host=target)
    answer = _ask(find(data, endpoint, key="root"), request, ExplainHostResponse)
    show_host(Console(highlight=False), answer)


def _ask(place: Place, request: msgspec.Struct, answer: type[_S]) -> _S:
    """Call the operation that the request is named after; ends the command where it refuses."""
    operation = type(request).__name__.removesuffix("Request")
    try:
        return place.client().call("moorage", OWN_TARGET, operation, request, answer)
    except Fault as fault:
        fail(fault.message or str(fault), "moorage status shows what there is.")


def show(console: Console, answer: ExplainTaskResponse) -> None:
    """Print the sentence that sums it up, and the chain with its times."""
    console.print(Text(plain(answer.headline), style="bold"))
    colour = _COLOURS.get(answer.last_status or "", "yellow")
    facts = Text(plain(answer.task_arn), style="dim").append(f"  {answer.last_status}", colour)
    console.print(facts, soft_wrap=True)
    console.print()
    chain = Table.grid(padding=(0, 2))
    chain.add_column(no_wrap=True, style="dim")
    chain.add_column(overflow="fold")
    for cause in answer.causes or []:
        chain.add_row(_when(cause), Text(plain(cause.text)))
    console.print(chain)


def show_output(console: Console, answer: ExplainTaskResponse, name: str, lines_max: int) -> None:
    """Print the last lines of one container, where its post-mortem has any."""
    found = next((one for one in answer.containers or [] if one.name == name), None)
    if not lines_max or found is None:
        return
    shown = (found.lines or [])[-lines_max:]
    lines = "line" if len(shown) == 1 else f"{len(shown)} lines"
    title = f"last {lines} of {name}" if shown else f"output of {name}"
    console.print()
    console.print(Rule(title, align="left", style="dim"))
    for line in shown:
        console.print(_line(line), soft_wrap=True)
    if not shown:
        console.print(Padding(Text(_nothing(found), style="dim"), (0, 1)))
    others = [one.name for one in answer.containers or [] if one.lines and one.name != name]
    if others:
        hint = f"Others have output, too: --container {' or '.join(map(plain, others))}"
        console.print(Text(hint, style="dim"))


def _when(cause: Cause) -> str:
    return "now" if cause.at is None else iso(from_epoch(cause.at))[:19].replace("T", " ")


def _line(line: OutputLine) -> Text:
    text = Text(plain(line.text), style="red" if line.stream == "stderr" else "")
    return text.append(" ... (cut)", "dim") if line.cut else text


def _nothing(found: ContainerPostMortem) -> str:
    if found.unreadable:
        return f"It could not be read: {plain(found.unreadable)}"
    return "Its output was too long to be kept." if found.lines_left_out else "It printed nothing."
