"""`moorage up`: server and hosts on this machine, in the background."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from moorage.cli import engine, plan
from moorage.cli.fleet import connected
from moorage.cli.place import DataOption, data_folder, fail, find
from moorage.cli.ports import holder_of
from moorage.cli.processes import alive, wait_until
from moorage.cli.supervisor import Supervisor
from moorage.gateway import folder
from moorage.gateway.address import ListenRefused, check, parted
from moorage.gateway.settings import Settings, SettingsRefused, load

PORT = 4750
# A laptop and CI want to see a steady service soon; ECS waits 40 s.
SETTLE_SECONDS = 5.0
HOSTS_MAX = 32
START_SECONDS_MAX = 90.0
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage up --hosts 3   (and then: moorage status)")
def up(
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="The one port for everything.")] = PORT,
    listen: Annotated[
        str | None,
        typer.Option(
            help="ADDRESS:PORT for hosts and clients elsewhere, over TLS; default loopback."
        ),
    ] = None,
    public_name: Annotated[
        list[str] | None,
        typer.Option(help="A name by which they reach this server; may be repeated."),
    ] = None,
    hosts: Annotated[int, typer.Option(help="How many hosts share this engine.")] = 1,
    docker: Annotated[Path | None, typer.Option(help="The engine's socket.")] = None,
    settle_seconds: Annotated[
        float, typer.Option(help="How long a task runs before it counts as healthy.")
    ] = SETTLE_SECONDS,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal until Ctrl-C.")
    ] = False,
) -> None:
    """Start a server, and hosts that share this machine's engine, and wait until all are ready."""
    if not 1 <= hosts <= HOSTS_MAX:
        fail(f"--hosts must be between 1 and {HOSTS_MAX}.")
    place = data_folder(data)
    running = alive(place / plan.PID_FILE)
    if running is not None:
        typer.echo(f"Moorage runs already (pid {running}); see: moorage status")
        return
    made = _plan(
        place, _heard(place, listen, port, public_name or []), hosts, docker, settle_seconds
    )
    (place / plan.PROGRESS_FILE).write_text("", "ascii")
    plan.keep(made)
    hand_over(place)
    if foreground:
        raise typer.Exit(asyncio.run(Supervisor(made).run()))
    with (place / "log" / "supervisor.out").open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "moorage.cli.supervisor", str(place)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _await(place, child, len(made.hosts))
    hand_over(place)
    endpoint = find(place, None).endpoint
    typer.echo(f"Moorage is up on {endpoint} with {hosts} host(s); data in {place}")
    typer.echo('Next: eval "$(moorage env)"; moorage status')


def _heard(place: Path, listen: str | None, port: int, public_names: list[str]) -> Settings:
    """The settings of where the server will listen; ends the command where they cannot be meant."""
    flags: dict[str, object] = {"data": str(place), "listen": listen or f"127.0.0.1:{port}"}
    if public_names:
        flags["public_names"] = tuple(public_names)
    try:
        settings = load(flags, os.environ).settings
        check(settings)
    except (SettingsRefused, ListenRefused) as refused:
        fail(str(refused))
    return settings


def _plan(
    place: Path, heard: Settings, hosts: int, docker: Path | None, settle_seconds: float
) -> plan.Plan:
    port = int(parted(heard.listen)[1])
    holder = holder_of(port)
    if holder is not None:
        fail(f"Port {port} is taken by {holder}.", "Stop it, or choose another with --port.")
    socket_path = engine.engine_socket(docker)
    try:
        size = engine.size_of(socket_path)
    except engine.EngineAway as away:
        fail(str(away), "Install and start Docker Engine; moorage doctor says more.")
    try:
        folder.prepare(place)
    except folder.FolderRefused as refused:
        fail(str(refused))
    return plan.Plan(
        data=str(place),
        port=port,
        docker_socket=str(socket_path),
        hosts=plan.shares(size, hosts),
        settle_seconds=settle_seconds,
        listen=heard.listen,
        public_names=heard.public_names,
    )


def _await(place: Path, child: "subprocess.Popen[bytes]", hosts: int) -> None:
    """Wait until all hosts are connected; ends the command with the log's last lines if not."""
    progress = place / plan.PROGRESS_FILE

    def told() -> bool:
        text = progress.read_text("utf-8")
        return child.poll() is not None or "failed:" in text or "agents started" in text

    wait_until(told, START_SECONDS_MAX)
    text = progress.read_text("utf-8")
    if "agents started" not in text:
        fail(
            f"Moorage did not start: {text.strip() or 'no word from the supervisor'}",
            f"Look into {place / 'log'}.",
        )
    from_here = find(place, None)
    if not wait_until(lambda: connected(from_here) >= hosts, START_SECONDS_MAX):
        fail(f"Not all {hosts} hosts connected.", f"Look into {place / 'log'}.")


def hand_over(place: Path) -> None:
    """Give the folder to whoever called sudo, so that their own commands can read it."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if os.geteuid() != 0 or user is None or group is None:
        return
    keys = place / "keys"
    for path in (place, place / "run", keys, *keys.glob("*.json"), *keys.glob("ca.pem")):
        os.chown(path, int(user), int(group), follow_symlinks=False)
    os.chown(place / plan.PLAN_FILE, int(user), int(group), follow_symlinks=False)
