"""Image indexes (OCI image spec image-index.md) and Docker's manifest lists: one image for each machine."""

from moorage.ground.record import Record
from moorage.shapes.oci.descriptor import Descriptor

INDEX_OCI = "application/vnd.oci.image.index.v1+json"
INDEX_DOCKER = "application/vnd.docker.distribution.manifest.list.v2+json"


class Index(Record, rename="camel"):
    """A list of manifests, each with the platform it is for."""

    schema_version: int
    manifests: list[Descriptor]
    media_type: str | None = None
    artifact_type: str | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None
