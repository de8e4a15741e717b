"""How explanations of services, deployments and hosts are printed."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from moorage.cli.plain import plain
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.moorage.explanation import (
    ExplainDeploymentResponse,
    ExplainHostResponse,
    ExplainServiceResponse,
    PlacementOutlook,
    Wait,
)
from moorage.shapes.moorage.post_mortem import Cause

ID_LENGTH_SHOWN = 12


def show_service(console: Console, answer: ExplainServiceResponse) -> None:
    """What it wants, has and waits for; where its next task could go; what it said of late."""
    _head(console, answer.headline, answer.service_arn, answer.status)
    show_waits(console, answer.waits)
    if answer.placement is not None:
        show_outlook(console, answer.placement)
    show_causes(console, answer.causes)


def show_deployment(console: Console, answer: ExplainDeploymentResponse) -> None:
    """How it went, and what it waits for."""
    state = f"{answer.status}, rollout {answer.rollout_state}"
    _head(console, answer.headline, answer.service_deployment_arn, state)
    show_causes(console, answer.causes)
    show_waits(console, answer.waits)
    for arn in (answer.failed_tasks or [])[:1]:
        task = plain(arn.rpartition("/")[2])[:ID_LENGTH_SHOWN]
        console.print(Text(f"The newest that failed, in full: moorage explain task {task}", "dim"))


def show_host(console: Console, answer: ExplainHostResponse) -> None:
    """Where it stands, what it holds, and why it gets no tasks."""
    host = answer.host
    arn = host.container_instance_arn if host else None
    _head(console, answer.headline, arn, f"{host.status}, {host.state}" if host else None)
    if host is not None and host.state_reason:
        console.print(Text(plain(host.state_reason)))
    for reason in answer.reasons or []:
        console.print(Text(f"- {plain(reason)}", style="yellow"))
    whole = table("resource", "has", "promised", "left")
    for one in answer.resources or []:
        whole.add_row(plain(one.name or ""), str(one.has), str(one.promised), str(one.left))
    console.print(whole)
    if answer.reserved_ports:
        kept = ", ".join(map(plain, answer.reserved_ports))
        console.print(Text(f"Ports that it keeps for itself: {kept}", style="dim"))
    if answer.tasks:
        tasks = table("task", "of", "status", "wanted", "cpu", "MiB", "ports")
        for held in answer.tasks:
            tasks.add_row(
                plain((held.task_arn or "").rpartition("/")[2])[:ID_LENGTH_SHOWN],
                plain(held.owner or ""),
                plain(held.last_status or ""),
                plain(held.desired_status or ""),
                str(held.cpu),
                str(held.memory),
                plain(", ".join(held.ports or [])),
            )
        console.print(tasks)


def show_waits(console: Console, waits: Sequence[Wait] | None) -> None:
    """What is waited for, each with the time at which it ends by itself."""
    if not waits:
        return
    console.print(Text("Waits for", style="bold"))
    for one in waits:
        until = f"  (until {when(one.until)})" if one.until is not None else ""
        console.print(Text(f"- {plain(one.text or '')}{until}", style="yellow"))


def show_outlook(console: Console, found: PlacementOutlook) -> None:
    """Each filter with how many hosts it refused, and the host that came closest."""
    console.print(Text(f"Placement: {plain(found.summary or '')}", style="bold"))
    filters = table("filter", "hosts asked", "refused", "by")
    for one in found.filters or []:
        names = ", ".join(one.hosts or [])
        more = (one.refused or 0) - len(one.hosts or [])
        filters.add_row(
            plain(one.name or ""),
            str(one.asked),
            str(one.refused),
            plain(f"{names} and {more} more" if more > 0 else names),
        )
    console.print(filters)


def show_causes(console: Console, causes: Iterable[Cause] | None) -> None:
    """A chain with its times."""
    chain = Table.grid(padding=(0, 2))
    chain.add_column(no_wrap=True, style="dim")
    chain.add_column(overflow="fold")
    for cause in causes or ():
        chain.add_row("" if cause.at is None else when(cause.at), Text(plain(cause.text or "")))
    console.print(chain)


class Verbatim(Table):
    """A table that shows texts as they are: `in [a, b]`, or what others wrote, is no markup."""

    def add_row(
        self,
        *renderables: RenderableType | None,
        style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:
        """Add one row; its texts have no control characters any more (`plain`)."""
        cells = [Text(one) if isinstance(one, str) else one for one in renderables]
        super().add_row(*cells, style=style, end_section=end_section)


def table(*columns: str) -> Table:
    """A table with these columns, and without markup."""
    made = Verbatim(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def when(at: float) -> str:
    """`2026-11-23 08:10:02`, in UTC."""
    return iso(from_epoch(at))[:19].replace("T", " ")


def _head(console: Console, headline: str | None, arn: str | None, state: str | None) -> None:
    console.print(Text(plain(headline or ""), style="bold"))
    if arn:
        console.print(Text(f"{plain(arn)}  {plain(state or '')}", style="dim"), soft_wrap=True)
    console.print()
