"""Image manifests: OCI image spec manifest.md, and Docker's schema 2, which differ in media types.

Docker demands `mediaType`, OCI recommends it; the rules of the registry decide which may be missing.
"""

from moorage.ground.record import Record
from moorage.shapes.oci.descriptor import Descriptor

MANIFEST_OCI = "application/vnd.oci.image.manifest.v1+json"
MANIFEST_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
# Docker's schema 1 is recognised only to be refused by name.
MANIFEST_DOCKER_SCHEMA_1 = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
SCHEMA_VERSION = 2


class Manifest(Record, rename="camel"):
    """An image: its configuration and its layers, the lowest first.

    `subject` is the manifest that this one is a referrer of (OCI 1.1).
    """

    schema_version: int
    config: Descriptor
    layers: list[Descriptor]
    media_type: str | None = None
    artifact_type: str | None = None
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None
