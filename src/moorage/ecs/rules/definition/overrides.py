"""A task's overrides: whether they are sound, and what the definition becomes under them."""

from collections.abc import Sequence

import msgspec

from moorage.ecs.rules.definition.container import wrong_gpus
from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition, KeyValuePair
from moorage.shapes.ecs.task import ContainerOverride, TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition

# RunTask, `overrides`: "A total of 8192 characters are allowed for overrides."
OVERRIDES_LENGTH_MAX = 8192
MEMORY_MIN = 6


def refuse_overrides(definition: TaskDefinition, overrides: TaskOverride) -> Refusal | None:
    """Why these overrides cannot be laid over this definition, or None."""
    if len(msgspec.json.encode(overrides)) > OVERRIDES_LENGTH_MAX:
        return invalid(
            f"Container Overrides length must be at most {OVERRIDES_LENGTH_MAX} characters."
        )
    absent = {
        "taskRoleArn": overrides.task_role_arn,
        "inferenceAcceleratorOverrides": overrides.inference_accelerator_overrides,
        "ephemeralStorage": overrides.ephemeral_storage,
    }
    member = next((name for name, value in absent.items() if value), None)
    if member:
        return unsupported(f"Overriding {member} is not supported yet.")
    if overrides.cpu is not None and not cpu_units(overrides.cpu):
        return invalid("Invalid 'cpu' setting for task.")
    if overrides.memory is not None and not memory_mebibytes(overrides.memory):
        return invalid("Invalid 'memory' setting for task.")
    return _refuse_containers(definition, overrides.container_overrides or [])


def overridden(definition: TaskDefinition, overrides: TaskOverride | None) -> TaskDefinition:
    """The definition as one task runs it: environment merged by name, the rest replaced."""
    if overrides is None:
        return definition
    by_name = {one.name: one for one in overrides.container_overrides or ()}
    return evolve(
        definition,
        cpu=_text(cpu_units(overrides.cpu)) if overrides.cpu else definition.cpu,
        memory=_text(memory_mebibytes(overrides.memory)) if overrides.memory else definition.memory,
        container_definitions=[
            _container(one, by_name.get(one.name)) for one in definition.container_definitions or ()
        ],
    )


def normal_overrides(definition: TaskDefinition, overrides: TaskOverride | None) -> TaskOverride:
    """The overrides as DescribeTasks shows them: an entry for each container."""
    given = overrides or TaskOverride()
    by_name = {one.name: one for one in given.container_overrides or ()}
    return evolve(
        given,
        container_overrides=[
            by_name.get(one.name, ContainerOverride(name=one.name))
            for one in definition.container_definitions or ()
        ],
        inference_accelerator_overrides=given.inference_accelerator_overrides or [],
    )


def _refuse_containers(
    definition: TaskDefinition, overrides: Sequence[ContainerOverride]
) -> Refusal | None:
    names = [one.name for one in definition.container_definitions or ()]
    seen = set[str | None]()
    for one in overrides:
        if one.name not in names:
            return invalid(
                f"Override for container named {one.name} is not a container in the TaskDefinition."
            )
        if one.name in seen:
            return invalid(f"More than one override for container named {one.name}.")
        seen.add(one.name)
        refusal = _refuse_container(one)
        if refusal:
            return refusal
    return None


def _refuse_container(override: ContainerOverride) -> Refusal | None:
    absent = {
        "environmentFiles": override.environment_files,
        "resourceRequirements of a type other than GPU": any(
            one.type != "GPU" or one.sharing_strategy is not None
            for one in override.resource_requirements or ()
        ),
    }
    member = next((name for name, value in absent.items() if value), None)
    if member:
        return unsupported(f"Overriding {member} is not supported yet.")
    soft, hard = override.memory_reservation, override.memory
    wrong = {
        "resourceRequirements": any(map(wrong_gpus, override.resource_requirements or ())),
        "cpu": override.cpu is not None and override.cpu < 0,
        "memory": hard is not None and hard < MEMORY_MIN,
        "memoryReservation": (soft is not None and soft < 1)
        or (soft is not None and hard is not None and soft > hard),
        "environment": any(
            not pair.name or "=" in pair.name or "\0" in pair.name + (pair.value or "")
            for pair in override.environment or ()
        ),
    }
    named = next((name for name, found in wrong.items() if found), None)
    return invalid(f"Invalid '{named}' setting for container '{override.name}'.") if named else None


def _container(
    container: ContainerDefinition, override: ContainerOverride | None
) -> ContainerDefinition:
    if override is None:
        return container
    return evolve(
        container,
        command=container.command if override.command is None else override.command,
        environment=_merged(container.environment or [], override.environment or []),
        cpu=container.cpu if override.cpu is None else override.cpu,
        memory=container.memory if override.memory is None else override.memory,
        memory_reservation=container.memory_reservation
        if override.memory_reservation is None
        else override.memory_reservation,
        resource_requirements=container.resource_requirements
        if override.resource_requirements is None
        else override.resource_requirements,
    )


def _merged(before: Sequence[KeyValuePair], given: Sequence[KeyValuePair]) -> list[KeyValuePair]:
    pairs = {pair.name: pair for pair in before} | {pair.name: pair for pair in given}
    return list(pairs.values())


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
