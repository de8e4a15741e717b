"""The host: who it is to the server, what it offers, and what it remembers between starts."""

from moorage.agent.records.image import ImageRecord
from moorage.ground.instant import Instant
from moorage.ground.record import Record

FINISHED_TASKS_MAX = 1000


class Host(Record):
    """What the agent's settings and its registration say; fixed while the process lives.

    `name` marks this agent's containers on an engine that several agents share (label
    LABEL_HOST). `publish_address` is the address of the host on which ports are published.
    `cpu` in units of 1024 a core, `memory_mebibytes` what is offered to tasks. `cgroup_root` is
    the parent of the tasks' cgroups, or None where limits of whole tasks are not enforced.
    `booted_at` is when the machine came up, where that is known.
    """

    name: str
    cluster: str
    container_instance_arn: str
    publish_address: str = "0.0.0.0"  # noqa: S104 - Docker's own default
    cpu: int = 0
    memory_mebibytes: int = 0
    reserved_ports: tuple[int, ...] = ()
    reserved_ports_udp: tuple[int, ...] = ()
    cgroup_root: str | None = None
    booted_at: Instant | None = None


class FinishedTask(Record):
    """A task whose STOPPED was accepted and whose containers are gone: never to be run again."""

    arn: str
    finished_at: Instant


class HostMemory(Record):
    """What outlives the process beside the tasks: one file of the checkpoint.

    `manifest_timeline` is the highest that was taken (older manifests are dropped), `timeline` the
    highest number of anything that was sent here: a server that counts from less was restored from
    a backup. `finished` are at
    most FINISHED_TASKS_MAX entries, `claimed_*` what the server said
    is in use, `claims_told` whether it ever did: until then no image is removed.
    `engine_lost_at` is when the container engine was lost, until a look after its return.
    """

    manifest_timeline: int = 0
    timeline: int = 0
    claims_told: bool = False
    finished: tuple[FinishedTask, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    claimed_images: tuple[str, ...] = ()
    claimed_digests: tuple[str, ...] = ()
    engine_lost_at: Instant | None = None
