"""Which digest each image of a revision is pinned to (versionConsistency)."""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.service_revision import RevisionImage, ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ground.instant import Instant
from moorage.shapes.ecs.task_definition import TaskDefinition


def revision_images(
    definition: TaskDefinition, tag_digests: Mapping[str, str]
) -> tuple[RevisionImage, ...]:
    """The images of a new revision, pinned as far as is known now.

    An image by digest is pinned as it is; one of ours by `tag_digests` (the image as it is
    written, to the digest its tag means now); the others wait for what the first task reports.
    """
    raise NotImplementedError


def waits_for_pilot(revision: ServiceRevision) -> bool:
    """Whether one task must start first, so that its digests pin the rest."""
    raise NotImplementedError


def learn(revision: ServiceRevision, tasks: Iterable[Task], now: Instant) -> ServiceRevision | None:
    """The revision pinned by what its tasks reported, or None where nothing new is known."""
    raise NotImplementedError


def pinned_image(image: str, digest: str | None) -> str | None:
    """`image` by its digest (`repository@sha256:...`), or None where it runs as it is written."""
    raise NotImplementedError
