"""Descriptors: how one document of a registry refers to another (OCI image spec, descriptor.md)."""

from typing import Annotated

from msgspec import Meta

from moorage.ground.record import Record

# "size": "This REQUIRED property specifies the size, in bytes, of the raw content" (an int64).
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
CONFIG_OCI = "application/vnd.oci.image.config.v1+json"
CONFIG_DOCKER = "application/vnd.docker.container.image.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
# Layers that are not in a registry but at an address of their own; nobody may demand them here.
FOREIGN_LAYERS = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)


class Platform(Record, rename={"os_version": "os.version", "os_features": "os.features"}):
    """The machine that an image of an index is for."""

    architecture: str
    os: str
    os_version: str | None = None
    os_features: list[str] | None = None
    variant: str | None = None
    features: list[str] | None = None


class Descriptor(Record, rename="camel"):
    """What is referred to: media type, digest and size in bytes; `platform` only in an index."""

    media_type: str
    digest: str
    size: Size
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    data: str | None = None
    artifact_type: str | None = None
    platform: Platform | None = None
