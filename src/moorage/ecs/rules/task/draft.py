"""A new task: the record that RunTask, StartTask and the service scheduler write."""

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import TaskContainer
from moorage.ecs.rules.definition.overrides import overridden
from moorage.ecs.rules.deployment.pinning import pinned_image
from moorage.ecs.rules.placement.gpus import gpu_wish
from moorage.shapes.ecs.container_definition import ContainerDefinition
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
    containers = overridden(definition, overrides).container_definitions or []
    assert len(containers) == len(arns), "one ARN for each container"
    digests = {one.container_name: one.digest for one in images}
    return tuple(
        _container(container, arn, digests.get(container.name or ""))
        for container, arn in zip(containers, arns, strict=True)
    )


def _container(container: ContainerDefinition, arn: str, digest: str | None) -> TaskContainer:
    image = container.image or ""
    return TaskContainer(
        name=container.name or "",
        arn=arn,
        image=image,
        essential=container.essential is not False,
        pinned_image=pinned_image(image, digest),
        image_digest=digest,
        has_health_check=has_health_check(container),
        cpu=str(container.cpu or 0),
        memory=_text(container.memory),
        memory_reservation=_text(container.memory_reservation),
        gpu_wish=gpu_wish(container),
    )


def has_health_check(container: ContainerDefinition) -> bool:
    """Whether a container is checked; the command NONE switches a check off."""
    check = container.health_check
    return check is not None and bool(check.command) and check.command != ["NONE"]


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
