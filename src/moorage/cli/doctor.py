"""`moorage doctor`: what is wrong with this machine, and how to mend it."""

import os
import platform
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.markup import escape

from moorage.cli import awscli, engine, plan
from moorage.cli.freezes import listed
from moorage.cli.handshake import NotShown, shown_by
from moorage.cli.place import ADDRESS_FILE, DataOption, data_folder, find, trusted_by
from moorage.cli.ports import holder_of
from moorage.cli.processes import alive
from moorage.cli.up import PORT
from moorage.gateway.address import is_loopback
from moorage.gateway.folder import LAYOUT_VERSION
from moorage.gateway.restored import MARKER
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import Instant, earlier, hours, iso
from moorage.ground.record import Record

Verdict = Literal["good", "mind", "bad"]
SIGNS = {"good": "[green]good[/]", "mind": "[yellow]mind[/]", "bad": "[red]bad [/]"}
DISK_FREE_MIB_MIN = 1024
ENGINE_API_OLDEST = (1, 41)
# The WAL-reset bug can corrupt a file that two connections write; fixed in 3.51.3.
SQLITE_MENDED = (3, 51, 3)
SQLITE_BROKEN_SINCE = (3, 7, 0)
MIB = 1024 * 1024
SECRET_FILES = ("master", "operator.json", "root.json", "server-key.pem")
CERTIFICATE_WARNED_BEFORE = hours(14 * 24)
app = typer.Typer(add_completion=False)


class Finding(Record):
    """One thing that was looked at: how it is, and what to do where it is not good."""

    verdict: Verdict
    what: str
    advice: str = ""


@app.command(epilog="Example: moorage doctor")
def doctor(
    data: DataOption = None,
    docker: Annotated[Path | None, typer.Option(help="The engine's socket.")] = None,
) -> None:
    """Look at this machine and say what is wrong, and how to mend it; exits 1 if anything is bad."""
    place = data_folder(data)
    looks: tuple[Callable[[], Finding], ...] = (
        _python,
        _sqlite,
        lambda: _engine(engine.engine_socket(docker)),
        lambda: _disk(place),
        lambda: _folder(place),
        lambda: _restored(place),
        lambda: _certificate(place, SystemClock().now()),
        lambda: _port(place),
        _aws,
    )
    findings = [look() for look in looks]
    console = Console()
    for finding in findings:
        console.print(SIGNS[finding.verdict], escape(finding.what))
        if finding.advice:
            console.print("     ", escape(finding.advice), style="dim")
    raise typer.Exit(1 if any(finding.verdict == "bad" for finding in findings) else 0)


def _python() -> Finding:
    return Finding(verdict="good", what=f"Python {platform.python_version()}")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version_info
    what = f"SQLite {sqlite3.sqlite_version}"
    if SQLITE_BROKEN_SINCE <= version < SQLITE_MENDED:
        return Finding(
            verdict="mind",
            what=f"{what} has the WAL-reset bug (fixed in 3.51.3)",
            advice="Moorage is safe from it: one connection writes, and no second process opens "
            "the file. Do not open moorage.db with other programs while the server runs.",
        )
    return Finding(verdict="good", what=what)


def _engine(socket_path: Path) -> Finding:
    try:
        size = engine.size_of(socket_path)
        api = str(engine.ask(socket_path, "GET", "/version").get("ApiVersion", "0.0"))
    except engine.EngineAway as away:
        return Finding(
            verdict="bad",
            what=str(away),
            advice="On Debian: apt-get install docker.io; then start dockerd (systemctl start "
            "docker), and run this as root or as a member of the group docker.",
        )
    what = f"Docker Engine {size.version} (API {api}), {size.cores} cores, {size.memory} MiB"
    major, _, minor = api.partition(".")
    if (int(major), int(minor or 0)) < ENGINE_API_OLDEST:
        return Finding(verdict="bad", what=what, advice="Upgrade it: API 1.41 (20.10) is needed.")
    return Finding(verdict="good", what=what)


def _disk(place: Path) -> Finding:
    existing = next(path for path in (place, *place.parents) if path.exists())
    free = shutil.disk_usage(existing).free // MIB
    what = f"{free} MiB free under {existing}"
    if free < DISK_FREE_MIB_MIN:
        return Finding(
            verdict="bad",
            what=what,
            advice="Pushes will soon be refused: make room, or move --data.",
        )
    return Finding(verdict="good", what=what)


def _folder(place: Path) -> Finding:
    version = place / "VERSION"
    if not place.exists():
        return Finding(verdict="good", what=f"{place} is not there yet; `moorage up` makes it")
    if not os.access(place, os.R_OK | os.X_OK) or not version.exists():
        return Finding(
            verdict="bad",
            what=f"{place} cannot be read, or is no data folder",
            advice="Name the right folder with --data, or run this as its owner.",
        )
    found = version.read_text("ascii").strip()
    if found != str(LAYOUT_VERSION):
        return Finding(verdict="bad", what=f"{place} has layout {found}", advice="Upgrade Moorage.")
    for name in SECRET_FILES:
        key = place / "keys" / name
        if key.exists() and key.stat().st_mode & 0o077:
            return Finding(
                verdict="bad", what=f"{key} can be read by others", advice=f"chmod 600 {key}"
            )
    return Finding(verdict="good", what=f"{place} is a data folder of this version")


def _restored(place: Path) -> Finding:
    """Whether the database is an older one, and people have not looked at it yet."""
    if (place / MARKER).exists():
        return Finding(
            verdict="mind",
            what=f"{place} was restored from a backup; its first start freezes all clusters",
            advice="Start the server, look at moorage status, then: moorage thaw CLUSTER",
        )
    if not (place / ADDRESS_FILE).exists() or not (place / "keys" / "operator.json").exists():
        return Finding(verdict="good", what="No restored database")
    try:
        frozen = [
            one for one in listed(find(place, None, key="root"), None) if one.cause == "restore"
        ]
    except (Fault, OSError):
        return Finding(verdict="good", what="No server answers that would be frozen by a restore")
    if not frozen:
        return Finding(verdict="good", what="No cluster is frozen because of a restored database")
    names = ", ".join(sorted({one.cluster or "" for one in frozen}))
    return Finding(
        verdict="mind",
        what=f"The database is older than its hosts: frozen are the clusters {names}",
        advice="Look at moorage status, then: moorage thaw CLUSTER",
    )


def _certificate(place: Path, now: Instant) -> Finding:
    """What clients of this folder's server meet: its certificate, and until when it is good."""
    try:
        address = (place / ADDRESS_FILE).read_text("ascii").strip()
    except OSError:
        return Finding(verdict="good", what="no server has run here, so no certificate is shown")
    if not address.startswith("https:"):
        if is_loopback(urlsplit(address).hostname or ""):
            return Finding(
                verdict="good", what=f"{address} is plain http, and stays on this machine"
            )
        return Finding(
            verdict="mind",
            what=f"{address} is plain http: keys and images cross the network in the clear",
            advice="Start the server without --insecure; it makes certificates of its own.",
        )
    try:
        found = shown_by(address, trusted_by(place, address))
    except NotShown as error:
        if error.away:
            return Finding(verdict="mind", what=str(error), advice="No certificate was looked at.")
        return Finding(verdict="bad", what=str(error), advice="docs/how-to/tls.md says more.")
    if now >= earlier(found.not_after, CERTIFICATE_WARNED_BEFORE):
        return Finding(
            verdict="mind",
            what=f"the certificate of {address} ends at {iso(found.not_after)}",
            advice="Moorage renews its own a month before; one of --certificate is yours to replace "
            "(then: kill -HUP the server).",
        )
    return Finding(
        verdict="good", what=f"the certificate of {address} is good until {iso(found.not_after)}"
    )


def _port(place: Path) -> Finding:
    made = plan.read(place) if os.access(place / plan.PLAN_FILE, os.R_OK) else None
    port = made.port if made else PORT
    pid = alive(place / plan.PID_FILE)
    if pid is not None:
        return Finding(verdict="good", what=f"Moorage runs on port {port} (supervisor {pid})")
    holder = holder_of(port)
    if holder is not None:
        return Finding(
            verdict="mind",
            what=f"port {port} is taken by {holder}",
            advice="Stop it, or start with: moorage up --port N",
        )
    return Finding(verdict="good", what=f"port {port} is free")


def _aws() -> Finding:
    told = awscli.warning()
    if told:
        return Finding(verdict="mind", what="the AWS CLI on the PATH is too old", advice=told)
    return Finding(
        verdict="good", what="the AWS CLI on the PATH heeds AWS_ENDPOINT_URL, or none is"
    )
