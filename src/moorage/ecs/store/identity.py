"""Names, ids and ARNs as callers write them: all three are taken wherever AWS takes them."""

from typing import Protocol

from moorage.ground.arn import Arn, is_arn, parse_arn
from moorage.shapes.ecs.faults import InvalidParameterException


class Home(Protocol):
    """Where things are looked up: an account and a region; nothing crosses them."""

    @property
    def account(self) -> str:
        """The twelve digits."""
        ...

    @property
    def region(self) -> str:
        """The region's name."""
        ...


class Clustered(Home, Protocol):
    """What belongs to one cluster."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        ...


def own_arn(home: Home, kind: str, text: str) -> Arn:
    """The ARN that `text` is; raises InvalidParameterException where it is foreign or malformed."""
    arn = parse_arn(text)
    if arn is None or arn.kind != kind:
        raise InvalidParameterException(f"Invalid identifier: {text} is no ARN of a {kind}.")
    if arn.account != home.account:
        raise InvalidParameterException(
            f"Identifier is for {arn.account}. Your accountId is {home.account}"
        )
    if arn.region != home.region:
        raise InvalidParameterException(
            f"Identifier is for {arn.region}. Your region is {home.region}"
        )
    return arn


def name_of(home: Home, kind: str, text: str) -> str:
    """The last part of what a caller named: of an ARN its name, of anything else itself."""
    return own_arn(home, kind, text).name if is_arn(text) else text


def member_of(home: Home, kind: str, text: str, cluster: str) -> str | None:
    """The name or id that `text` means inside a cluster, or None where it means another cluster.

    Raises InvalidParameterException for a foreign ARN. `text` is a name, an id, `CLUSTER/NAME`
    (as ECS takes it too) or an ARN.
    """
    path = own_arn(home, kind, text).path if is_arn(text) else tuple(text.split("/"))
    if len(path) > 1 and path[0] != cluster:
        return None
    return path[-1]
