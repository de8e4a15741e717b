"""What a host offers beyond CPU, memory and ports: resources of its owner's, and devices.

ECS model, Resource: "The name of the resource, such as CPU, MEMORY, PORTS, PORTS_UDP, or a
user-defined resource", of the type INTEGER, DOUBLE, LONG or STRINGSET. A definition has no member
to ask for one of its owner's, so they are kept and shown, and never less remains than there is.
GPUs are no such resource: a host names each as a platform device.
"""

from collections.abc import Sequence

from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ground.names import ATTRIBUTE_NAME
from moorage.shapes.ecs.container_instance import PlatformDevice, Resource

RESOURCES_MAX = 50
MEMBERS_MAX = 1000
MEMBER_LENGTH_MAX = 255
DEVICES_MAX = 128
BUILT_IN = frozenset({"CPU", "MEMORY", "PORTS", "PORTS_UDP"})
_OF_DEVICES = "GPU"


def custom_resources(given: Sequence[Resource]) -> tuple[Resource, ...]:
    """Those of `totalResources` that are the owner's."""
    return tuple(one for one in given if one.name not in BUILT_IN)


def refuse_custom_resources(given: Sequence[Resource]) -> Refusal | None:
    """Why such resources cannot be registered, or None."""
    if len(given) > RESOURCES_MAX:
        return invalid(f"A host has at most {RESOURCES_MAX} resources of its owner's.")
    names = [one.name for one in given]
    if len(set(names)) < len(names):
        return invalid("totalResources names a resource twice.")
    return next((wrong for one in given if (wrong := _refuse_resource(one))), None)


def refuse_devices(given: Sequence[PlatformDevice]) -> Refusal | None:
    """Why platform devices cannot be registered, or None."""
    if any(one.type != "GPU" for one in given):
        return unsupported("Moorage knows platform devices of the type GPU only.")
    if len(given) > DEVICES_MAX:
        return invalid(f"A host has at most {DEVICES_MAX} platform devices.")
    ids = [one.id or "" for one in given]
    if any(not 1 <= len(one) <= MEMBER_LENGTH_MAX for one in ids):
        return invalid(f"The id of a platform device has 1 to {MEMBER_LENGTH_MAX} characters.")
    return invalid("platformDevices names a device twice.") if len(set(ids)) < len(ids) else None


def _refuse_resource(one: Resource) -> Refusal | None:
    name = one.name or ""
    if not ATTRIBUTE_NAME.fullmatch(name):
        return invalid(f"The resource name {name!r} is not well formed.")
    if name == _OF_DEVICES:
        return invalid("GPUs are registered as platformDevices, not as a resource.")
    numbers: dict[str | None, float | None] = {
        "INTEGER": one.integer_value,
        "LONG": one.long_value,
        "DOUBLE": one.double_value,
    }
    if one.type in numbers:
        amount = numbers[one.type]
        sound = amount is not None and amount >= 0
        return None if sound else invalid(f"totalResources has no {one.type} {name}.")
    if one.type != "STRINGSET":
        return invalid(
            f"The resource {name} has a type other than INTEGER, DOUBLE, LONG, STRINGSET."
        )
    members = one.string_set_value
    if members is None or len(members) > MEMBERS_MAX:
        return invalid(f"totalResources has no STRINGSET {name} of at most {MEMBERS_MAX} members.")
    if any(len(member) > MEMBER_LENGTH_MAX for member in members):
        return invalid(f"A member of {name} has more than {MEMBER_LENGTH_MAX} characters.")
    return None
