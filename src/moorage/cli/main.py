"""The command `moorage`: one subcommand a file, listed here, loaded when it is called."""

import importlib
from typing import Any

import click
from typer.main import get_command

# name: (module, the line that `moorage --help` shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("moorage.cli.up", "Start server and hosts on this machine, in the background."),
    "down": ("moorage.cli.down", "Stop what `up` started; containers run on unless --purge."),
    "status": ("moorage.cli.status", "Show hosts, services, tasks and the newest events."),
    "logs": ("moorage.cli.logs", "Show what a service's or a task's containers print."),
    "env": ("moorage.cli.env", "Print exports that point AWS clients to this server."),
    "profile": ("moorage.cli.profile", "Install a profile for the AWS CLI and SDKs."),
    "serve": ("moorage.cli.serve", "Run control plane and registry in this terminal."),
    "agent": ("moorage.cli.agent", "Run a host that joins a cluster with a token."),
    "host": ("moorage.cli.host", "Make tokens with which hosts join."),
    "account": ("moorage.cli.account", "Create accounts."),
    "settings": ("moorage.cli.settings", "Show every setting and where it came from."),
    "doctor": ("moorage.cli.doctor", "Say what is wrong with this machine and how to mend it."),
}
EPILOG = "Begin with: moorage up --hosts 3, then moorage status. Every command has --help."


class LazyGroup(click.Group):
    """A group whose commands are modules that are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all subcommands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name, or None."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module: Any = importlib.import_module(COMMANDS[cmd_name][0])
        command = get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands from the table, without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def main() -> None:
    """Run the command line."""
    LazyGroup(
        name="moorage",
        help="Amazon ECR and Amazon ECS on machines you own.",
        epilog=EPILOG,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )(prog_name="moorage")


if __name__ == "__main__":
    main()
