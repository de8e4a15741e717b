"""Whether a machine that joins is a host which was here before, or is to be told to go away.

A host is known by its name within its cluster: two machines of one name would take each other's
tasks. Which host a machine was, its engine says best: the containers that run there bear the ARN
of the instance that they belong to. Without them the name alone decides.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ground.record import Record

SECOND_AGENT = (
    "Another agent with the identity of this host is connected, from another process: was this "
    "machine cloned, or its data folder copied? This one waits until that one is gone. To make it "
    "a host of its own, empty its data folder and join with a new token, under another name."
)


class Newcomer(Record):
    """Who joins: what the token is good for, the name, and the instance it says it was (an ARN)."""

    account: str
    region: str
    cluster: str
    name: str
    previous: str = ""


class Welcome(Record):
    """It may join; as `instance`, where it is known to be that one."""

    instance: ContainerInstance | None = None


class Unwelcome(Record):
    """It may not; a sentence that says why, and what to do."""

    reason: str


def welcome(
    newcomer: Newcomer, previous: ContainerInstance | None, namesake: ContainerInstance | None
) -> Welcome | Unwelcome:
    """What becomes of a newcomer.

    `previous` is the instance of the ARN that it names, `namesake` the live one of its name in its
    cluster, each None where there is none. A namesake that is not connected is left to RegisterContainerInstance, which may still have to
    wait until it is gone for good.
    """
    if not newcomer.previous:
        return Unwelcome(reason=_taken(namesake)) if _is_here(namesake) else Welcome()
    known = previous is not None and previous.account == newcomer.account
    if previous is None or not known:
        return Unwelcome(
            reason=_containers(newcomer, "of another server, or of another account of this one")
        )
    if (previous.region, previous.cluster) != (newcomer.region, newcomer.cluster):
        return Unwelcome(
            reason=f"The containers on this engine belong to the host {previous.name} of the "
            f"cluster {previous.cluster} in {previous.region}, and the token is good for the "
            f"cluster {newcomer.cluster} in {newcomer.region}. Make one for that cluster: moorage "
            f"host token --cluster {previous.cluster}"
        )
    if previous.status == "INACTIVE":
        return Unwelcome(reason=_containers(newcomer, "which was deregistered"))
    if previous.name != newcomer.name:
        return Unwelcome(
            reason=f"The containers on this engine belong to the host {previous.name}: join with "
            f"--name {previous.name}, or remove them first."
        )
    if previous.connected:
        return Unwelcome(reason=_taken(previous))
    return Welcome(instance=previous)


def is_second(instance: ContainerInstance, client_token: str, *, is_ours: bool) -> bool:
    """Whether this registration is of a second process, while the first one is here.

    Each process of our agent registers with a client token of its own; Amazon's are told apart by
    nothing. An agent that has just ended, or whose machine fell silent, is not here.
    """
    return (
        is_ours
        and instance.connected
        and not instance.suspect
        and bool(client_token and instance.client_token)
        and client_token != instance.client_token
    )


def _is_here(namesake: ContainerInstance | None) -> bool:
    return namesake is not None and namesake.connected


def _taken(namesake: ContainerInstance | None) -> str:
    assert namesake is not None, "only a host that is here has taken a name"
    return (
        f"A host named {namesake.name} is connected to the cluster {namesake.cluster} already. "
        "Join with another name (moorage agent --name), or stop that one first."
    )


def _containers(newcomer: Newcomer, whose: str) -> str:
    return (
        f"The containers of {newcomer.name} on this engine belong to the container instance "
        f"{newcomer.previous}, {whose}. Remove them (docker rm -f $(docker ps -aq --filter "
        f"label=moorage.instance={newcomer.previous})), or leave them to themselves with "
        "--new-host."
    )
