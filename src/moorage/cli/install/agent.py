"""`moorage agent install`: the agent as a service of this machine.

The token is spent now, once, and stands nowhere afterwards: from then on the agent is known by what
lies in its data folder.
"""

import asyncio
from typing import Annotated

import typer

from moorage.agent import identity
from moorage.agent.options import AgentOptions, OptionsRefused, check
from moorage.agent.process import join_now
from moorage.cli import agent as command
from moorage.cli.install import steps
from moorage.cli.install.systemd import HostSystemd, Systemd
from moorage.cli.install.unit import Unit
from moorage.cli.install.words import Given, moorage, parsed
from moorage.cli.place import fail

NAME = "moorage-agent"
STOP_SECONDS = 30
# Among the last to be killed where memory runs out: without it nobody tends the containers.
OUT_OF_MEMORY = -999
# Spent or settled by joining.
FIRST_TIME_ONLY = ("token", "ca", "new_host")
app = typer.Typer(add_completion=False)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: moorage agent install --endpoint https://registry.lab:4750 --token TOKEN",
)
def install(
    context: typer.Context,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the unit, and do nothing.")
    ] = False,
) -> None:
    """Join, and run the agent as a service of systemd: the options are those of moorage agent."""
    run(context.args, HostSystemd(), only_print=only_print)


def run(words: list[str], systemd: Systemd, *, only_print: bool = False) -> None:
    """Install the agent that `words` describe on the machine of `systemd`."""
    given = parsed(command.app, "agent", words)
    unit = unit_of(given)
    options = command.options_of(**given.values)
    try:
        check(options)
        if only_print:
            steps.show(unit)
            return
        steps.demand(systemd, unit)
        _join(options)
    except OptionsRefused as refused:
        fail(str(refused))
    steps.install(systemd, unit)


def unit_of(given: Given) -> Unit:
    """The unit of an agent with these options."""
    return Unit(
        name=NAME,
        description="Moorage agent: runs the tasks that are placed on this host",
        command=(*moorage(), "agent", *given.words(FIRST_TIME_ONLY)),
        after=("network-online.target", "docker.service"),
        # Containers are the engine's, and what the agent began beside it is left to end.
        kill_mode="process",
        out_of_memory=OUT_OF_MEMORY,
        stop_seconds=STOP_SECONDS,
    )


def _join(options: AgentOptions) -> None:
    if identity.load(options.data) is None:
        if not options.token:
            raise OptionsRefused(
                "This host has not joined yet: give it a token (`moorage host token` prints one)."
            )
        asyncio.run(join_now(options))
