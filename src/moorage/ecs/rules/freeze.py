"""Which freeze holds a service or a cluster, and what a caller is told of it."""

from collections.abc import Iterable

from moorage.ecs.records.freeze import Freeze, FreezeCause
from moorage.ground.instant import Instant, iso

# The brake, the third cause, holds replacement alone, by way of the hosts' `replace_at`.
BRAKE: FreezeCause = "brake"
HOLDING = frozenset({"operator", "restore"})


def holds(freezes: Iterable[Freeze], now: Instant) -> Freeze | None:
    """Of the freezes that hold starts and stops now, the one that ends last."""
    active = [one for one in freezes if one.cause in HOLDING and is_active(one, now)]
    return max(active, key=_end, default=None)


def is_active(freeze: Freeze, now: Instant) -> bool:
    """Whether a freeze has not run out."""
    return freeze.until is None or now < freeze.until


def until_words(freeze: Freeze) -> str:
    """`until 2026-11-23T09:00:00Z`, or `until it is thawed by hand`."""
    return "until it is thawed by hand" if freeze.until is None else f"until {iso(freeze.until)}"


def refusal(cluster: str, freeze: Freeze) -> str:
    """What a caller is told who wants to start a task in a frozen cluster."""
    return (
        f'The cluster {cluster} is frozen {until_words(freeze)} ("{freeze.reason}"): no task is '
        f"started there meanwhile. It ends sooner by: moorage thaw {cluster}."
    )


def _end(freeze: Freeze) -> tuple[bool, Instant, Instant, str]:
    return (
        freeze.until is None,
        freeze.until or Instant(0),
        freeze.created_at,
        f"{freeze.cause}/{freeze.service}",
    )
