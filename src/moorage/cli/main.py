"""The command `moorage`: one subcommand a file, listed here, loaded when it is called."""

import difflib
import importlib
import sys
from importlib.metadata import version
from typing import Any

# name: (module, the line that `moorage --help` shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("moorage.cli.up", "Start server and hosts on this machine, in the background."),
    "down": ("moorage.cli.down", "Stop what `up` started; containers run on unless --purge."),
    "status": ("moorage.cli.status", "Show hosts, services, tasks and the newest events."),
    "logs": ("moorage.cli.logs", "Show what a service's or a task's containers print."),
    "explain": ("moorage.cli.explain", "Say why a task, a service, a deployment or a host is so."),
    "check": ("moorage.cli.check", "Say what runs here of a task definition or a service."),
    "plan": ("moorage.cli.rehearsal", "Say what a command of the AWS CLI would do; do nothing."),
    "timeline": ("moorage.cli.timeline", "Show what happened in a cluster, and why."),
    "env": ("moorage.cli.env", "Print exports that point AWS clients to this server."),
    "profile": ("moorage.cli.profile", "Install a profile for the AWS CLI and SDKs."),
    "serve": ("moorage.cli.serve", "Run control plane and registry in this terminal."),
    "serve install": ("moorage.cli.install.server", "Run the server as a service."),
    "serve uninstall": ("moorage.cli.install.server_removal", "Take that service away again."),
    "agent": ("moorage.cli.agent", "Run a host that joins a cluster with a token."),
    "agent install": ("moorage.cli.install.agent", "Join, and run the agent as a service."),
    "agent uninstall": ("moorage.cli.install.agent_removal", "Take that service away again."),
    "host": (
        "moorage.cli.host",
        "Hosts: list, drain, activate, remove, confirm as lost; tokens to join.",
    ),
    "pool": ("moorage.cli.pool", "Show pools of hosts: their size, and what holds them up."),
    "freeze": ("moorage.cli.freeze", "Start, stop and replace nothing, for a while."),
    "thaw": ("moorage.cli.thaw", "End a freeze."),
    "rebalance": ("moorage.cli.rebalance", "Spread running tasks over the hosts, or show how."),
    "account": ("moorage.cli.account", "Create accounts."),
    "backup": ("moorage.cli.backup", "Back up the running server into a folder."),
    "restore": ("moorage.cli.restore", "Make a data folder of a backup."),
    "authority": (
        "moorage.cli.authority",
        "Show and rotate the authority that signs this server's certificate.",
    ),
    "sim": ("moorage.cli.sim", "Simulate the whole system under seeds, and check its laws."),
    "settings": ("moorage.cli.settings", "Show every setting and where it came from."),
    "doctor": ("moorage.cli.doctor", "Say what is wrong with this machine and how to mend it."),
}
EPILOG = "Begin with: moorage up --hosts 3, then moorage status. Every command has --help."


USAGE_EXIT = 2


def main() -> None:
    """Run the subcommand that the first word names; without one, explain the program."""
    words = sys.argv[1:]
    if not words or words[0] in {"-h", "--help", "help"}:
        sys.stdout.write(usage())
        return
    if words[0] == "--version":
        sys.stdout.write(f"moorage {version('moorage')}\n")
        return
    name = next((one for one in (" ".join(words[:2]), words[0]) if one in COMMANDS), "")
    if not name:
        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        sys.stderr.write(f"moorage: there is no command {words[0]}.{hint} See: moorage --help\n")
        sys.exit(USAGE_EXIT)
    module: Any = importlib.import_module(COMMANDS[name][0])
    module.app(words[len(name.split()) :], prog_name=f"moorage {name}")


def usage() -> str:
    """What `moorage --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        (
            "Usage: moorage COMMAND [OPTIONS]",
            "",
            "Amazon ECR and Amazon ECS on machines you own.",
            "",
            *lines,
            "",
            EPILOG,
            "",
        )
    )


if __name__ == "__main__":
    main()
