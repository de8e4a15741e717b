"""dependsOn, links and volumesFrom: containers that name each other must exist, in no circle."""

from collections.abc import Iterable, Mapping, Sequence

from moorage.shapes.ecs.container_definition import ContainerDefinition

_ENDINGS = frozenset({"SUCCESS", "COMPLETE"})


def wrong_dependencies(containers: Sequence[ContainerDefinition]) -> str:
    """What is wrong with how the containers depend on each other, or ""."""
    by_name = {container.name or "": container for container in containers}
    for container in containers:
        message = _wrong_conditions(container, by_name) or _wrong_names(container, by_name)
        if message:
            return message
    circle = _circle({name: list(_needed(one)) for name, one in by_name.items()})
    if circle:
        return f"Container dependencies form a cycle: {' -> '.join(circle)}."
    return ""


def _wrong_conditions(
    container: ContainerDefinition, by_name: Mapping[str, ContainerDefinition]
) -> str:
    for dependency in container.depends_on or ():
        name = dependency.container_name or ""
        other = by_name.get(name)
        if other is None:
            return f"Cannot depend on container '{name}' because it does not exist."
        if dependency.condition in _ENDINGS and other.essential is not False:
            return (
                "A dependency container with SUCCESS or COMPLETE condition "
                "cannot be an essential container."
            )
        checks = other.health_check.command if other.health_check else None
        if dependency.condition == "HEALTHY" and not checks:
            return (
                f"Cannot depend on container '{name}' being HEALTHY because it has no healthCheck."
            )
    return ""


def _wrong_names(container: ContainerDefinition, by_name: Mapping[str, ContainerDefinition]) -> str:
    for source in container.volumes_from or ():
        if source.source_container not in by_name:
            return f"Unknown container '{source.source_container}' in volumesFrom."
    for link in container.links or ():
        if link.partition(":")[0] not in by_name:
            return f"Unknown container '{link.partition(':')[0]}' in links."
    return ""


def _needed(container: ContainerDefinition) -> Iterable[str]:
    """The containers that must be there before this one starts."""
    for dependency in container.depends_on or ():
        yield dependency.container_name or ""
    for source in container.volumes_from or ():
        yield source.source_container or ""
    for link in container.links or ():
        yield link.partition(":")[0]


def _circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The names on one circle, the first again at the end; empty where there is none."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        found = _walk(start, edges, path, done)
        if found:
            return found
    return []


def _walk(
    name: str, edges: Mapping[str, Sequence[str]], path: list[str], done: set[str]
) -> list[str]:
    # At most as deep as there are containers, of which a definition has ten.
    if name in path:
        return [*path[path.index(name) :], name]
    if name in done:
        return []
    path.append(name)
    for other in edges.get(name, ()):
        found = _walk(other, edges, path, done)
        if found:
            return found
    path.pop()
    done.add(name)
    return []
