"""Parse and check what is pushed as a manifest: OCI images and indexes, Docker's schema 2.

OCI image specification 1.1 (manifest, image index), OCI distribution specification 1.1 ("Pushing
Manifests"), Docker Image Manifest V2 schema 2. A body that claims another media type than the
one it was pushed as, or is both image and index, is refused (CVE-2021-41190).
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from moorage.ground.digest import parse_digest
from moorage.ground.record import Record
from moorage.shapes.oci.descriptor import FOREIGN_LAYERS, Descriptor
from moorage.shapes.oci.index import INDEX_DOCKER, INDEX_OCI, Index
from moorage.shapes.oci.manifest import (
    MANIFEST_DOCKER,
    MANIFEST_DOCKER_SCHEMA_1,
    MANIFEST_OCI,
    SCHEMA_VERSION,
    Manifest,
)

MANIFEST_BYTES_MAX = 4 * 1024 * 1024
# Each costs a lock and a row in one transaction; the largest images have a few hundred layers.
DESCRIPTORS_MAX = 2_500
# What Python makes of JSON takes up to a hundred bytes a value: a body of nothing but brackets and
# commas would take thirty times its length. Counted in the raw bytes, before any is made.
VALUES_MAX = 200_000
SIZE_MAX = 2**63 - 1
IMAGES = frozenset({MANIFEST_OCI, MANIFEST_DOCKER})
INDEXES = frozenset({INDEX_OCI, INDEX_DOCKER})
MEDIA_TYPES = IMAGES | INDEXES


class Parsed(Record):
    """What a sound manifest says: what it names, and what ECR shows of it."""

    media_type: str
    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    size: int = 0
    artifact_type: str | None = None
    subject: str | None = None


class Unsound(Record):
    """Why a body is no manifest: an OCI error code and a sentence."""

    code: str
    reason: str


def parse(body: bytes, media_type: str) -> Parsed | Unsound:
    """What a manifest says that was pushed as `media_type` ("" where nothing was said)."""
    if len(body) > MANIFEST_BYTES_MAX:
        return Unsound(
            code="SIZE_INVALID", reason=f"a manifest has at most {MANIFEST_BYTES_MAX} bytes"
        )
    if sum(map(body.count, (b",", b"[", b"{"))) > VALUES_MAX:
        return _invalid(f"a manifest holds at most {VALUES_MAX} values")
    members = _members(body)
    if isinstance(members, Unsound):
        return members
    claimed = members.get("mediaType")
    kind = media_type or (claimed if isinstance(claimed, str) else "") or _guess(members)
    problem = _kind_problem(kind, claimed, members)
    if problem is not None:
        return _invalid(problem)
    try:
        if kind in INDEXES:
            return _index(msgspec.json.decode(body, type=Index), kind)
        return _image(msgspec.json.decode(body, type=Manifest), kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _invalid(str(error))


def _invalid(reason: str) -> Unsound:
    return Unsound(code="MANIFEST_INVALID", reason=reason)


def _members(body: bytes) -> dict[str, Any] | Unsound:
    try:
        members = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        return _invalid(f"the body is not sound JSON: {error}")
    if not isinstance(members, dict):
        return _invalid("the body is no JSON object")
    return members


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _guess(members: dict[str, Any]) -> str:
    """The media type of a body that names none, which OCI allows: by what it holds."""
    if "manifests" in members:
        return INDEX_OCI
    return MANIFEST_OCI if "config" in members else ""


def _kind_problem(kind: str, claimed: object, members: dict[str, Any]) -> str | None:
    if kind in MANIFEST_DOCKER_SCHEMA_1 or members.get("schemaVersion") == 1:
        return "Docker's schema 1 is not supported; push with a newer docker"
    if kind not in MEDIA_TYPES:
        return f"the media type '{kind[:100]}' is not one of {', '.join(sorted(MEDIA_TYPES))}"
    if claimed is not None and claimed != kind:
        return "the body's mediaType is not the Content-Type it was pushed with"
    if members.get("schemaVersion") != SCHEMA_VERSION:
        return "schemaVersion must be 2"
    if "manifests" in members and ("layers" in members or "config" in members):
        return "the body is both an image and an index"
    if kind == MANIFEST_DOCKER and claimed is None:
        return "mediaType is missing"
    return None


def _index(index: Index, kind: str) -> Parsed | Unsound:
    problem = _descriptor_problem(index.manifests, index.subject)
    if problem is not None:
        return problem
    return Parsed(
        media_type=kind,
        manifests=tuple(dict.fromkeys(one.digest for one in index.manifests)),
        artifact_type=index.artifact_type,
        subject=index.subject.digest if index.subject else None,
    )


def _image(manifest: Manifest, kind: str) -> Parsed | Unsound:
    problem = _descriptor_problem((manifest.config, *manifest.layers), manifest.subject)
    if problem is not None:
        return problem
    size = manifest.config.size + sum(layer.size for layer in manifest.layers)
    if size > SIZE_MAX:
        return _invalid("the sizes add up to more than any store holds")
    kept = [one for one in manifest.layers if one.media_type not in FOREIGN_LAYERS]
    return Parsed(
        media_type=kind,
        blobs=tuple(dict.fromkeys(one.digest for one in (manifest.config, *kept))),
        size=size,
        artifact_type=manifest.artifact_type or manifest.config.media_type,
        subject=manifest.subject.digest if manifest.subject else None,
    )


def _descriptor_problem(
    descriptors: Sequence[Descriptor], subject: Descriptor | None
) -> Unsound | None:
    if len(descriptors) > DESCRIPTORS_MAX:
        return _invalid(f"a manifest names at most {DESCRIPTORS_MAX} things")
    for descriptor in (*descriptors, *((subject,) if subject else ())):
        if parse_digest(descriptor.digest) is None:
            return _invalid("a descriptor has no sound digest")
    return None
