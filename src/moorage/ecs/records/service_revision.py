"""A service revision: the immutable snapshot that a deployment brings out."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.network import NetworkConfiguration


class RevisionImage(Record):
    """The image of one container: as it was written, and the digest it was pinned to, if any.

    `consistent` is false where the container's versionConsistency is disabled: never pinned.
    """

    container_name: str
    image: str
    digest: str | None = None
    consistent: bool = True


class ServiceRevision(Record):
    """What a deployment runs; `images` are pinned once (versionConsistency) and then stay.

    `pinned_at` is when that was done with: until then one task starts first, and the digests that
    it reports pin the rest.
    """

    account: str
    region: str
    cluster: str
    service: str
    arn: str
    number: str
    task_definition: str
    created_at: Instant
    launch_type: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] = []
    images: tuple[RevisionImage, ...] = ()
    network_configuration: NetworkConfiguration | None = None
    claimed: bool = True
    pinned_at: Instant | None = None
