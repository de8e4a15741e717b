"""What `freeze`, `thaw` and `status` share: how a scope is written, and how a freeze is shown."""

import typer

from moorage.cli.place import OWN_TARGET, Place
from moorage.cli.plain import plain
from moorage.ground.instant import from_epoch, iso
from moorage.shapes.moorage.freeze import FrozenScope, ListFreezesRequest, ListFreezesResponse

SCOPE = "A cluster, or CLUSTER/SERVICE for one service."


def scope_of(text: str) -> tuple[str, str | None]:
    """The cluster and perhaps the service that `CLUSTER` or `CLUSTER/SERVICE` means."""
    cluster, slash, service = text.partition("/")
    if not cluster or (slash and not service) or "/" in service:
        raise typer.BadParameter(f"'{text}' is neither CLUSTER nor CLUSTER/SERVICE.")
    return cluster, service or None


def name_of(freeze: FrozenScope) -> str:
    """`CLUSTER` or `CLUSTER/SERVICE`."""
    return freeze.cluster or "" if freeze.service is None else f"{freeze.cluster}/{freeze.service}"


def words_of(freeze: FrozenScope) -> str:
    """One line that says what is frozen, until when, by whom and why."""
    until = "until thawed" if freeze.until is None else f"until {iso(from_epoch(freeze.until))}"
    what = {"brake": "replacement held", "restore": "frozen by a restore"}.get(
        freeze.cause or "", "frozen"
    )
    return f"{name_of(freeze)} {what}, {until}: {plain(freeze.reason)}"


def listed(place: Place, cluster: str | None) -> list[FrozenScope]:
    """The freezes that hold in a cluster now, or in any; raises the server's faults."""
    answer = place.client().call(
        "moorage",
        OWN_TARGET,
        "ListFreezes",
        ListFreezesRequest(cluster=cluster),
        ListFreezesResponse,
    )
    return answer.freezes or []
