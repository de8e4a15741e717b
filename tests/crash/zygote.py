"""Forks servers that are ready in a blink: everything is imported once, before.

Reads one JSON object a line: `start` with the server's settings and when it is to die, answered
by a line with the child's pid. Children are reaped here; who wants to know of one's end asks /proc.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from moorage.cli.processes import end_with_parent
from moorage.gateway import folder, log, server
from moorage.gateway.compose import TABLES, Server, assemble
from moorage.gateway.settings import Settings
from moorage.ground.chance import SeededChance
from moorage.ground.clock import SystemClock
from moorage.sql.engine import open_database
from tests.crash.database import CrashingDatabase


def serve(order: dict[str, Any]) -> int:
    """Be a server that dies as ordered."""
    settings = Settings(**order["settings"])

    def composed(wanted: Settings) -> Server:
        data = Path(wanted.data)
        folder.prepare(data)
        clock, chance = SystemClock(), SeededChance(order["seed"])
        url = wanted.database or f"sqlite:///{data / 'moorage.db'}"
        inner = open_database(url, clock=clock, chance=chance, tables=TABLES)
        crashing = CrashingDatabase(inner, data / "tally", order["at"], order["moment"])
        signal.signal(signal.SIGUSR1, lambda *_: crashing.arm())
        return assemble(wanted, crashing, clock, chance)

    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    log.begin(None, "server", 1)
    return server.run(settings, composed)


def main() -> None:
    """Fork one child a line, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies: nobody asks for their codes
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            end_with_parent()  # whoever kills the tests leaves no server behind
            os.close(0)
            os._exit(serve(json.loads(line)))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
