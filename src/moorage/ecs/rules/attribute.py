"""Custom attributes: what an owner may put on a host, and what a call leaves of them.

Names that agents use for what a host can do and is (`ecs.`, `com.amazonaws.ecs.`, `moorage.`) are
the host's own: nobody else sets or deletes them. ECS, PutAttributes: "You can specify up to 10
custom attributes for each resource. You can specify up to 10 attributes in a single call."
"""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.ground.names import ATTRIBUTE_NAME, ATTRIBUTE_VALUE
from moorage.ground.record import evolve
from moorage.shapes.ecs.attribute import Attribute

CUSTOM_MAX = 10
CALL_MAX = 10
# The names under which agents declare what they can do; anything else is the owner's own.
CAPABILITY_PREFIXES = ("ecs.", "com.amazonaws.ecs.", "moorage.")


def is_custom(name: str) -> bool:
    """Whether an attribute is the owner's, not one of what the host can do or is."""
    return not name.startswith(CAPABILITY_PREFIXES)


def refuse_attributes(given: Sequence[Attribute]) -> Refusal | None:
    """Why PutAttributes and DeleteAttributes refuse, by their members alone."""
    if not given:
        return invalid("Attributes cannot be empty.")
    if len(given) > CALL_MAX:
        return invalid(f"Attributes cannot have more than {CALL_MAX} elements.")
    return next((wrong for one in given if (wrong := _refuse_attribute(one))), None)


def _refuse_attribute(one: Attribute) -> Refusal | None:
    name, value = one.name or "", one.value
    if not ATTRIBUTE_NAME.fullmatch(name):
        return invalid(f"The attribute name {name!r} is not well formed.")
    if value is not None and not ATTRIBUTE_VALUE.fullmatch(value):
        return invalid(f"The value of the attribute {name} is not well formed.")
    if not is_custom(name):
        return invalid(f"The attribute {name} is the container instance's own and not to be set.")
    if not one.target_id:
        return invalid(f"The targetId of the attribute {name} is missing.")
    if not one.target_id.startswith("arn:") and not one.target_type:
        return invalid(f"The targetType is needed where the targetId {one.target_id} is no ARN.")
    return None


def with_custom(
    instance: ContainerInstance, given: Mapping[str, str | None]
) -> ContainerInstance | None:
    """The host with these attributes put on it, or None where it would have too many.

    One that it has keeps its place and takes the new value.
    """
    known = {one.name for one in instance.attributes}
    before = sum(is_custom(name) for name in known)
    attributes = (
        *(
            InstanceAttribute(name=one.name, value=given[one.name]) if one.name in given else one
            for one in instance.attributes
        ),
        *(
            InstanceAttribute(name=name, value=value)
            for name, value in given.items()
            if name not in known
        ),
    )
    after = sum(is_custom(one.name) for one in attributes)
    if after > CUSTOM_MAX and after > before:
        return None
    return evolve(instance, attributes=attributes)


def without_custom(instance: ContainerInstance, names: Iterable[str]) -> ContainerInstance:
    """The host without these attributes; a name that it has not is no error."""
    gone = frozenset(names)
    kept = tuple(one for one in instance.attributes if one.name not in gone)
    return evolve(instance, attributes=kept)


def registered(
    instance: ContainerInstance, sent: Sequence[InstanceAttribute], *, again: bool
) -> tuple[InstanceAttribute, ...]:
    """What a known host has once it has registered: its abilities are always as it sends them.

    `again`: it knows that it registered before. Then its custom attributes stay as they are kept:
    what was put or deleted since is not undone by a restart of its agent (Amazon's sends none). A
    host that forgot itself registers as if for the first time, and what it sends must come back.
    """
    if again:
        return (
            *(one for one in sent if not is_custom(one.name)),
            *(one for one in instance.attributes if is_custom(one.name)),
        )
    names = {one.name for one in sent}
    kept = (one for one in instance.attributes if is_custom(one.name) and one.name not in names)
    return (*sent, *kept)
