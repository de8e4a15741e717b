"""Which host this machine was before it lost what it knew: its containers say so.

Every container of ours bears the instance that it belongs to and the name of that host's agent. An
engine may serve several agents: only what bears this agent's own name counts, and only what lives;
what has ended holds nothing that could be lost.
"""

from collections.abc import Iterable

from moorage.agent.engine.labels import LABEL_HOST, LABEL_INSTANCE
from moorage.agent.options import OptionsRefused
from moorage.agent.runtime.port import Container

INSTANCE_ID_LENGTH_SHOWN = 8
ENDED = frozenset({"exited", "dead", "removing"})
DEFAULT_NAME = "host"


def host_label(name: str, instance: str) -> str:
    """By which an agent knows its containers: other agents may use this engine under its name."""
    return f"{name or DEFAULT_NAME}-{instance.rpartition('/')[2][:INSTANCE_ID_LENGTH_SHOWN]}"


def former_instance(name: str, containers: Iterable[Container]) -> str:
    """The ARN of the instance whose containers live here under this agent's name, or "".

    Raises OptionsRefused where there are several: which of them is meant, only a person can say.
    """
    found = sorted(
        {
            arn
            for one in containers
            if (arn := one.labels.get(LABEL_INSTANCE, ""))
            and one.status not in ENDED
            and one.labels.get(LABEL_HOST) == host_label(name, arn)
        }
    )
    if len(found) > 1:
        raise OptionsRefused(
            f"Containers of {len(found)} container instances named {name} run on this engine: "
            f"{', '.join(found)}. Remove those of all but one (docker ps --filter "
            "label=moorage.instance=ARN), or join as another host: --new-host and another --name."
        )
    return found[0] if found else ""
