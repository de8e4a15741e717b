"""Authorities and certificates for tests, good now unless they say otherwise."""

from pathlib import Path

from moorage.ground.chance import SeededChance
from moorage.ground.clock import SystemClock
from moorage.ground.instant import Instant
from moorage.iam.rules.certificate import (
    ENTROPY_BYTES,
    Issued,
    new_authority,
    server_certificate,
)

NAMES = ("registry.test", "registry.test:4750", "localhost", "127.0.0.1")


class Office:
    """One authority, and what it signs; two of different seeds know nothing of each other."""

    def __init__(self, seed: int = 1, now: Instant | None = None) -> None:
        self.chance = SeededChance(seed)
        self.now = SystemClock().now() if now is None else now
        self.authority = new_authority(self.entropy(), self.now)

    def entropy(self) -> bytes:
        return self.chance.octets(ENTROPY_BYTES)

    def sign(self, *names: str, now: Instant | None = None) -> Issued:
        moment = self.now if now is None else now
        return server_certificate(self.authority, names or NAMES, self.entropy(), moment)

    def write(self, folder: Path, *names: str, now: Instant | None = None) -> "Files":
        """Certificate, key and authority as files."""
        folder.mkdir(parents=True, exist_ok=True)
        made, files = self.sign(*names, now=now), Files(folder)
        files.certificate.write_text(made.certificate)
        files.key.write_text(made.key)
        files.authority.write_text(self.authority.certificate)
        return files


class Files:
    """Where `Office.write` wrote."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "server.pem"
        self.key = folder / "server-key.pem"
        self.authority = folder / "ca.pem"
