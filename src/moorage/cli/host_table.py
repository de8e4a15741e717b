"""Hosts in a table, in the words of `moorage host list` and `moorage status`; pure."""

from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from moorage.cli.lengths import words_of_seconds
from moorage.cli.plain import plain
from moorage.ground.instant import Instant, epoch
from moorage.shapes.moorage.host_state import Host

WELL = "CONNECTED"
_COLOURS = {
    WELL: "green",
    "SUSPECT": "yellow",
    "FLAPPING": "yellow",
    "AWAY": "yellow",
    "NEVER_CONNECTED": "dim",
    "ENGINE_GONE": "red",
    "IMPAIRED": "red",
    "LOST": "red",
}

_WORDS = {"NEVER_CONNECTED": "never seen"}


def table_of(hosts: Sequence[Host], now: Instant, *, brief: bool = False) -> Table:
    """One line a host, by name; a column that would be empty throughout is left out.

    The `brief` one fits into eighty columns.
    """
    ordered = sorted(hosts, key=lambda host: (name_of(host), host.container_instance_arn or ""))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    columns: list[tuple[str, list[str]]] = [
        (title, [cell(host, now) for host in ordered]) for title, cell in _COLUMNS
    ]
    shown = [
        (title, cells)
        for title, cells in columns
        if title in _ALWAYS or (any(cells) and not (brief and title in _DETAILS))
    ]
    for title, _ in shown:
        table.add_column(title, overflow="fold", no_wrap=title in _WHOLE)
    for row in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*row)
    return table


def notes_of(hosts: Sequence[Host], now: Instant) -> list[str]:
    """A sentence for each host that is not well, why and what follows; and how far drains are."""
    notes: list[str] = []
    for host in sorted(hosts, key=name_of):
        if host.state != WELL and host.state_reason:
            notes.append(f"{name_of(host)}: {plain(host.state_reason)}")
        if host.drain is not None:
            notes.append(f"{name_of(host)}: draining, {progress_of(host, now)}.")
    return notes


def name_of(host: Host) -> str:
    """What people call the host: its name, else the beginning of its id."""
    return host.name or (host.container_instance_arn or "?").rpartition("/")[2][:12]


def state_of(host: Host) -> str:
    """`connected`, `lost`, `engine gone` ..."""
    word = host.state or "?"
    return _WORDS.get(word, word.replace("_", " ").lower())


def progress_of(host: Host, now: Instant) -> str:
    """How far a drain is: `5 tasks of services left, 9m 30s to the deadline (force)`."""
    drain = host.drain
    if drain is None:
        return ""
    left = drain.service_tasks_left or 0
    parts = [f"{left} {'task' if left == 1 else 'tasks'} of services left" if left else "empty"]
    if drain.other_tasks_left:
        parts.append(f"{drain.other_tasks_left} stand-alone left alone")
    if left and drain.deadline is not None:
        rest = words_of_seconds(drain.deadline - epoch(now))
        parts.append(f"{rest} to the deadline ({drain.on_timeout})")
    return ", ".join(parts)


def _state(host: Host, now: Instant) -> str:
    well = host.state == WELL or host.state_since is None
    since = "" if well else words_of_seconds(epoch(now) - (host.state_since or 0))
    colour = _COLOURS.get(host.state or "", "yellow")
    return f"[{colour}]{state_of(host)}[/]" + (f" {since}" if since else "")


def _tasks(host: Host, now: Instant) -> str:
    del now
    pending = f" +{host.pending_tasks_count} pending" if host.pending_tasks_count else ""
    lost = f" +{host.unreachable_tasks_count} lost" if host.unreachable_tasks_count else ""
    return f"{host.running_tasks_count or 0}{pending}{lost}"


def _text(member: Callable[[Host], object]) -> Callable[[Host, Instant], str]:
    def cell(host: Host, now: Instant) -> str:
        del now
        found = member(host)
        return "" if found is None else escape(plain(str(found)))

    return cell


_ALWAYS = frozenset({"host", "status", "state", "tasks", "free cpu", "free MiB", "id"})
_WHOLE = frozenset({"status", "state", "id"})
_DETAILS = frozenset({"zone", "agent", "engine"})
_COLUMNS: tuple[tuple[str, Callable[[Host, Instant], str]], ...] = (
    ("host", _text(name_of)),
    ("status", _text(lambda host: host.status)),
    ("state", _state),
    ("tasks", _tasks),
    ("free cpu", _text(lambda host: host.remaining_cpu)),
    ("free MiB", _text(lambda host: host.remaining_memory)),
    ("zone", _text(lambda host: host.zone)),
    ("agent", _text(lambda host: host.agent_version)),
    ("engine", _text(lambda host: host.docker_version)),
    ("id", _text(lambda host: (host.container_instance_arn or "").rpartition("/")[2][:12])),
)
