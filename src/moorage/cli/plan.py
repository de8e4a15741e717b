"""What `moorage up` starts: written down in the data folder, so that `down` and `status` know it."""

from pathlib import Path

import msgspec

from moorage.agent import identity
from moorage.cli.engine import EngineSize
from moorage.gateway.folder import write_durably
from moorage.ground.record import Record

PLAN_FILE = Path("run") / "up.json"
PID_FILE = Path("run") / "supervisor.pid"
PROGRESS_FILE = Path("run") / "progress"
# What the machine keeps for itself: the larger of the two, MiB and share.
MEMORY_KEPT_MIB = 256
MEMORY_KEPT_SHARE = 0.05
UNITS_PER_CORE = 1024


class HostPlan(Record):
    """One agent on this machine: its share, and the loopback address its tasks publish on."""

    name: str
    cpu: int
    memory: int
    publish_address: str


class Plan(Record):
    """A server and its hosts; `port` 0 means that none was chosen.

    `listen` is where the server listens, empty for 127.0.0.1 and the port.
    """

    data: str
    port: int
    docker_socket: str
    hosts: tuple[HostPlan, ...]
    settle_seconds: float
    listen: str = ""
    public_names: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """ADDRESS:PORT on which the server listens."""
        return self.listen or f"127.0.0.1:{self.port}"


def shares(engine: EngineSize, count: int) -> tuple[HostPlan, ...]:
    """`count` hosts on one engine, each with an equal share of it.

    With one host its tasks publish on 127.0.0.1; with several each has a loopback address of its
    own, 127.0.0.2 and on, so that each can publish the same port.
    """
    kept = max(MEMORY_KEPT_MIB, round(engine.memory * MEMORY_KEPT_SHARE))
    return tuple(
        HostPlan(
            name=f"host-{number}",
            cpu=engine.cores * UNITS_PER_CORE // count,
            memory=(engine.memory - kept) // count,
            publish_address="127.0.0.1" if count == 1 else f"127.0.0.{number + 1}",
        )
        for number in range(1, count + 1)
    )


def keep(plan: Plan) -> None:
    """Write the plan into its data folder."""
    write_durably(Path(plan.data) / PLAN_FILE, msgspec.json.encode(plan), mode=0o600)


def read(data: Path) -> Plan | None:
    """The plan of a data folder, or None."""
    try:
        return msgspec.json.decode((data / PLAN_FILE).read_bytes(), type=Plan)
    except FileNotFoundError:
        return None


def instance_of(data: Path, host: HostPlan) -> str | None:
    """The ARN of a host's container instance, or None where it has not registered yet.

    Raises OptionsRefused where what its agent keeps cannot be read.
    """
    found = identity.load(data / "agents" / host.name)
    return (found.container_instance_arn or None) if found else None
