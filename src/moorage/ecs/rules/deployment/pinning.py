"""Which digest each image of a revision is pinned to (versionConsistency).

An image that is named by its digest is pinned as it is, one of ours by what its tag means when the
deployment is made. Any other: one task starts first, the *pilot*, and the digests that it reports
pin the rest; an image whose digest no pilot could tell runs by its tag.
"""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.service_revision import RevisionImage, ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.status import RANK
from moorage.ground.digest import parse_digest
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.task_definition import TaskDefinition


def revision_images(
    definition: TaskDefinition, tag_digests: Mapping[str, str]
) -> tuple[RevisionImage, ...]:
    """The images of a new revision, pinned as far as is known now.

    `tag_digests` holds, for images of our registry as they are written, the digest that their tag
    means now.
    """
    found = []
    for container in definition.container_definitions or ():
        image = container.image or ""
        consistent = container.version_consistency != "disabled"
        digest = digest_in(image) or (tag_digests.get(image) if consistent else None)
        found.append(
            RevisionImage(
                container_name=container.name or "",
                image=image,
                digest=digest,
                consistent=consistent,
            )
        )
    return tuple(found)


def waits_for_pilot(revision: ServiceRevision) -> bool:
    """Whether one task must start first, so that its digests pin the rest."""
    return revision.pinned_at is None and any(map(_open, revision.images))


def learn(revision: ServiceRevision, tasks: Iterable[Task], now: Instant) -> ServiceRevision | None:
    """The revision pinned by what its tasks reported, or None where nothing new is known."""
    if not waits_for_pilot(revision):
        return None
    mine = sorted(tasks, key=lambda task: (task.created_at, task.arn))
    reported: dict[str, str] = {}
    for task in mine:
        for container in task.containers:
            if container.image_digest and parse_digest(container.image_digest):
                reported.setdefault(container.name, container.image_digest)
    images = tuple(
        evolve(one, digest=reported.get(one.container_name)) if _open(one) else one
        for one in revision.images
    )
    ran = any(RANK[task.last_status] >= RANK["RUNNING"] and task.started_at for task in mine)
    if not ran and any(map(_open, images)):
        return None
    return evolve(revision, images=images, pinned_at=now)


def pinned_image(image: str, digest: str | None) -> str | None:
    """`image` by its digest (`repository@sha256:...`), or None where it runs as it is written."""
    if digest is None or "@" in image:
        return None
    repository, colon, tag = image.rpartition(":")
    # A colon before the last slash belongs to the registry's port.
    named = repository if colon and "/" not in tag else image
    return f"{named}@{digest}"


def digest_in(image: str) -> str | None:
    """The digest by which an image is named, or None."""
    _, at, digest = image.rpartition("@")
    return digest if at and parse_digest(digest) is not None else None


def _open(image: RevisionImage) -> bool:
    return image.consistent and image.digest is None
