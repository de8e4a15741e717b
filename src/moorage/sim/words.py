"""Words that users write and laws read: expressions with their meaning, and the marks of dry runs.

The meaning of an expression is a function of a line: it knows nothing of the product's own parser.
"""

from collections.abc import Callable, Mapping

from moorage.ecs.records.container_instance import ContainerInstance

Meaning = Callable[[ContainerInstance], bool]
ZONE = "attribute:ecs.availability-zone"
# Whatever would be new in a dry run has a name, a token or a reason that begins so ...
MARK = "dry-"
# ... or is a count of tasks that nobody ever wants in earnest.
MARKED_COUNT = 9
# What laws are told of a dry run is the operation's name with this before it.
REHEARSED = "dry run of "

# Of daemons: on no host at all, perhaps.
ANYWHERE: Mapping[str, Meaning] = {
    f"{ZONE} == east-1a": lambda host: host.zone == "east-1a",
    f"{ZONE} != east-1b": lambda host: host.zone != "east-1b",
    "attribute:shelf == top": lambda host: host.attribute("shelf") == "top",
    "attribute:shelf !exists": lambda host: host.attribute("shelf") is None,
    "attribute:rack in [a, b] and not (attribute:shelf == low)": lambda host: (
        host.attribute("rack") in {"a", "b"} and host.attribute("shelf") != "low"
    ),
}
# Of services with a number of tasks: when all is tidied up, several hosts are meant.
IN_ZONES = f"{ZONE} in [east-1a, east-1b]"
IN_RACK = "attribute:rack == a"
MEANINGS: Mapping[str, Meaning] = {
    **ANYWHERE,
    IN_ZONES: lambda host: host.zone in {"east-1a", "east-1b"},
    IN_RACK: lambda host: host.attribute("rack") == "a",
}
