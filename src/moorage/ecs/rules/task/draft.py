"""A new task: the record that RunTask, StartTask and the service scheduler write."""

from moorage.ecs.records.task import TaskContainer
from moorage.ecs.records.service_revision import RevisionImage
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition


def containers_of(
    definition: TaskDefinition,
    arns: tuple[str, ...],
    overrides: TaskOverride | None = None,
    images: tuple[RevisionImage, ...] = (),
) -> tuple[TaskContainer, ...]:
    """The containers of a new task, one for each container definition, in order.

    `arns` are the containers' ARNs, minted by the caller. `images` are those of the service's
    revision; a task without a service has none and runs its images as they are written.
    """
    raise NotImplementedError
