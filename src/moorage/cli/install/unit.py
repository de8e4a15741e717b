"""The text of a unit of systemd: systemd.unit(5), systemd.service(5), systemd.exec(5)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from moorage.ground.record import Record

RESTART_SECONDS = 2
FILES_MAX = 1_048_576
# An agent that ends so asks not to be started again before something was changed.
TERMINAL_EXIT = 5


class Unit(Record):
    """One service: its name without `.service`, what it runs, and how it is treated.

    `kill_mode` is who gets the signal that ends it; `out_of_memory` is OOMScoreAdjust, from -1000
    (never killed) to 1000. `secrets` stand in a file of their own, readable by its owner alone.
    """

    name: str
    description: str
    command: tuple[str, ...]
    after: tuple[str, ...]
    kill_mode: str
    out_of_memory: int
    stop_seconds: int
    reload: bool = False
    secrets: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.service"


def text(unit: Unit, secrets_file: Path | None = None) -> str:
    """The unit's file; `secrets_file` is where its secrets are, if it has any."""
    service = [
        "Type=exec",
        f"ExecStart={' '.join(map(quoted, unit.command))}",
        *(("ExecReload=/bin/kill -HUP $MAINPID",) if unit.reload else ()),
        *((f"EnvironmentFile={secrets_file}",) if unit.secrets and secrets_file else ()),
        "Restart=always",
        f"RestartSec={RESTART_SECONDS}",
        f"RestartPreventExitStatus={TERMINAL_EXIT}",
        f"KillMode={unit.kill_mode}",
        f"TimeoutStopSec={unit.stop_seconds}",
        f"LimitNOFILE={FILES_MAX}",
        f"OOMScoreAdjust={unit.out_of_memory}",
        "UMask=0077",
    ]
    lines = [
        "# Written by moorage; written anew by each install.",
        "[Unit]",
        f"Description={unit.description}",
        f"Wants={' '.join(unit.after)}",
        f"After={' '.join(unit.after)}",
        # However often it ends, it is started again.
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        *service,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def environment(secrets: Sequence[tuple[str, str]]) -> str:
    """The text of an EnvironmentFile."""
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in secrets)


def quoted(word: str) -> str:
    """A word of a command line as systemd reads it: no specifier, no variable, one word."""
    plain = word.replace("%", "%%").replace("$", "$$")
    return plain if plain and set(plain) <= _PLAIN else f'"{_escaped(plain)}"'


def _escaped(word: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in word)


_ESCAPES: Mapping[str, str] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,@%$+")
