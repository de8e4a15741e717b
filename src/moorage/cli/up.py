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
    made = _plan(place, port, hosts, docker, settle_seconds)
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
    typer.echo(f"Moorage is up on http://127.0.0.1:{port} with {hosts} host(s); data in {place}")
    typer.echo('Next: eval "$(moorage env)"; moorage status')


def _plan(
    place: Path, port: int, hosts: int, docker: Path | None, settle_seconds: float
) -> plan.Plan:
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
    for path in (place, place / "run", place / "keys", *(place / "keys").glob("*.json")):
        os.chown(path, int(user), int(group), follow_symlinks=False)
    os.chown(place / plan.PLAN_FILE, int(user), int(group), follow_symlinks=False)
