"""What all hosts of a fleet share: the server's address, clocks, counters."""

import random
from dataclasses import dataclass, field

from moorage.ground.clock import SystemClock


@dataclass
class Counters:
    """What happened so far; what is now stands in the hosts themselves."""

    joined: int = 0
    dials: int = 0
    failed_dials: int = 0
    heartbeats: int = 0
    payloads: int = 0
    manifests: int = 0
    calls: int = 0
    failed_calls: int = 0
    begun: int = 0
    reported: int = 0
    refused: int = 0
    publications: int = 0
    answers: int = 0
    trouble: str = ""


@dataclass
class Ground:
    """One fleet's ground."""

    name: str
    port: int
    region: str = "us-east-1"
    # How long a task takes from its order until its containers run.
    start_seconds: float = 0.0
    clock: SystemClock = field(default_factory=SystemClock)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    counters: Counters = field(default_factory=Counters)

    @property
    def host(self) -> str:
        """The Host header."""
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://{self.name}:{self.port}"

    def hex(self, digits: int) -> str:
        """Random hex digits; no secret."""
        return f"{self.chance.getrandbits(4 * digits):0{digits}x}"
