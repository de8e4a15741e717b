"""The server of a lab: `moorage serve` on the lab's network, its settings handed over as a person would."""

import json
import ssl
import urllib.error
import urllib.request
import warnings
from pathlib import Path

from tests.clients.processes import MOORAGE, ROOT, START_SECONDS_MAX, clean_environment, run, until
from tests.lab.process import LOG_CHARACTERS_SHOWN, Process

PORT = 4750
# What a test can wait for; the default durations are those of a night's sleep.
SHORT = {
    "settle_seconds": 1.0,
    "suspect_seconds": 4.0,
    "lost_seconds": 7.0,
    "closed_grace_seconds": 9.0,
    "goodbye_grace_seconds": 16.0,
    "reconnect_window_seconds": 8.0,
    "engine_grace_seconds": 5.0,
    "flapping_window_seconds": 1.0,
    "flapping_rest_seconds": 5.0,
    "brake_window_seconds": 5.0,
    "brake_timeout_seconds": 60.0,
    "brake_pace_seconds": 10.0,
    "heal_after_seconds": 3.0,
    "fence_after_seconds": 15.0,
    "fence_margin_seconds": 2.0,
    # What a host that came back sets in motion minutes later would fall into some other test.
    "rebalance_moves_max": 0,
}


class Server(Process):
    """The server, on `address` and a data folder that outlives it."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__("server", folder / "server.log")
        self.data = folder / "data"
        self.address = f"{address}:{PORT}"
        self.url = f"https://{self.address}"
        self.settings: dict[str, float] = {}
        self.flags: tuple[str, ...] = ("--public-name", self.address)

    def launch(self) -> None:
        """Start it without waiting for it."""
        command = [*MOORAGE, "serve", "--data", str(self.data), "--listen", self.address]
        given = {f"MOORAGE_{name.upper()}": str(value) for name, value in self.settings.items()}
        self.begin([*command, *self.flags], **given)

    def start(self, **settings: float) -> None:
        """Start it, with these settings from now on, and wait until it is healthy."""
        self.settings = {**self.settings, **settings}
        self.launch()
        until(self.ready, START_SECONDS_MAX, "the server is healthy", self.tail)

    def restart(self, **settings: float) -> None:
        """End it as an operator does, and start it on the same data."""
        self.stop()
        self.start(**settings)

    def ready(self) -> bool:
        """Whether it is healthy; asserts that it has not ended."""
        assert not self.ended(), f"the server ended:\n{self.tail()}"
        return self.healthy()

    def healthy(self) -> bool:
        """Whether /healthz answers 200."""
        if not self.authority.exists():
            return False
        with warnings.catch_warnings():
            # CPython forgets to close a socket whose peer resets it just before the handshake.
            warnings.simplefilter("ignore", ResourceWarning)
            try:
                with urllib.request.urlopen(
                    f"{self.url}/healthz", timeout=5, context=self.trust()
                ) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

    @property
    def authority(self) -> Path:
        """The file with the certificate of its authority."""
        return self.data / "keys" / "ca.pem"

    def trust(self) -> ssl.SSLContext:
        """What a client of its trusts."""
        return ssl.create_default_context(cafile=str(self.authority))

    def tail(self) -> str:
        """The end of its log without the requests that went well."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()
        told = [line for line in lines if '"message":"request"' not in line or '"ok"' not in line]
        return "\n".join(told)[-LOG_CHARACTERS_SHOWN:]

    def key(self, name: str = "root") -> dict[str, str]:
        """An access key out of the data folder."""
        found: dict[str, str] = json.loads((self.data / "keys" / f"{name}.json").read_text())
        return found

    def command(self, *words: str) -> str:
        """What a command of ours prints, run where the server runs, with room for its tables."""
        command = [*MOORAGE, *words, "--data", str(self.data)]
        return run(command, cwd=ROOT, env=clean_environment(COLUMNS="240")).stdout

    def token(self, cluster: str = "default", uses: int = 1) -> str:
        """A join token."""
        return self.command("host", "token", "--cluster", cluster, "--uses", str(uses)).strip()
