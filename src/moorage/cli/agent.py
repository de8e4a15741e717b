"""`moorage agent`: a host joins a cluster and runs its tasks, in this terminal."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from moorage.agent.options import (
    DOCKER_SOCKET,
    EVERYWHERE,
    TOKEN_VARIABLE,
    AgentOptions,
    OptionsRefused,
    check,
)
from moorage.agent.process import run_agent

REFUSED_EXIT = 5  # what Amazon's agent answers where starting it again is of no use
app = typer.Typer(add_completion=False)


@app.command(epilog="Example: moorage agent --endpoint https://registry.lab:4750 --token TOKEN")
def agent(
    endpoint: Annotated[str, typer.Option(help="The server's URL.")],
    token: Annotated[
        str, typer.Option(help="A join token; the first time only.", envvar=TOKEN_VARIABLE)
    ] = "",
    name: Annotated[str, typer.Option(help="This host's name; default: the machine's.")] = "",
    data: Annotated[Path, typer.Option(help="This host's own folder; its key lies there.")] = Path(
        "/var/lib/moorage-agent"
    ),
    docker: Annotated[str, typer.Option(help="The engine's socket.")] = DOCKER_SOCKET,
    zone: Annotated[str, typer.Option(help="The availability zone that this host is in.")] = "",
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE, for placement; the first time only; may be repeated."),
    ] = None,
    publish_address: Annotated[
        str, typer.Option(help="The address on which tasks' ports are published.")
    ] = EVERYWHERE,
    cpu: Annotated[
        int | None, typer.Option(help="CPU units to offer (1024 a core); default: all.")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(help="MiB of memory to offer; default: all but a reserve.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="A folder that all agents of one engine share.")
    ] = None,
    shared_engine: Annotated[
        bool, typer.Option("--shared-engine", help="Other agents have hosts on this engine.")
    ] = False,
    ca: Annotated[
        Path | None, typer.Option(help="Whom to believe over https (PEM); the first time only.")
    ] = None,
    certs_d: Annotated[
        Path | None, typer.Option(help="The engine's certs.d, for docker login on this host.")
    ] = None,
    no_certs_d: Annotated[
        bool, typer.Option("--no-certs-d", help="Write nothing for docker login.")
    ] = False,
    gpu: Annotated[
        list[str] | None,
        typer.Option(help="The id of a GPU that tasks may have (nvidia-smi -L); may be repeated."),
    ] = None,
    new_host: Annotated[
        bool,
        typer.Option("--new-host", help="Join without a look at whose containers run here."),
    ] = False,
) -> None:
    """Join a cluster with a token, and run the tasks that are placed on this host."""
    options = options_of(**locals())
    try:
        check(options)
        raise typer.Exit(asyncio.run(run_agent(options)))
    except OptionsRefused as refused:
        typer.secho(f"moorage agent: {refused}", err=True, fg=typer.colors.RED)
        raise typer.Exit(REFUSED_EXIT) from refused


def options_of(**given: Any) -> AgentOptions:
    """The agent's options, from those of the command by name."""
    return AgentOptions(
        endpoint=given["endpoint"],
        data=given["data"],
        token=given["token"],
        name=given["name"] or socket.gethostname().partition(".")[0],
        docker_socket=given["docker"],
        zone=given["zone"],
        attributes=tuple(_pair(text) for text in given["attribute"] or ()),
        publish_address=given["publish_address"],
        cpu=given["cpu"],
        memory_mebibytes=given["memory"],
        run_folder=given["run"],
        shared_engine=given["shared_engine"],
        authority=given["ca"],
        certs_d=given["certs_d"],
        no_certs_d=given["no_certs_d"],
        new_host=given["new_host"],
        gpus=tuple(given["gpu"] or ()),
    )


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
