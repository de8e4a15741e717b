"""Pools of hosts as the operator writes them: tables [pools.NAME] of the settings file."""

import re
from collections.abc import Mapping

import msgspec

from moorage.ground.names import ACCOUNT, ATTRIBUTE_NAME, ATTRIBUTE_VALUE, REGION, RESOURCE_NAME
from moorage.ground.record import Record

# With its machine's id after it, a pool's name is the name of a host (at most 64 characters).
POOL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}", re.ASCII)
SIZE_MAX = 5000
ATTRIBUTES_MAX = 10
LOCAL = "local"
COMMAND = "command"
# name, lowest, highest
BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("size_min", 0, SIZE_MAX),
    ("size_max", 0, SIZE_MAX),
    ("timeout_seconds", 1, 24 * 3600),
    ("tries", 1, 100),
    ("join_seconds", 5, 24 * 3600),
    ("scale_in_seconds", 0, 24 * 3600),
    ("drain_seconds", 1, 14 * 24 * 3600),
    ("survey_seconds", 1, 24 * 3600),
)


class PoolSettings(Record, forbid_unknown_fields=True):
    """One pool: how many hosts, for which cluster, and where its machines come from.

    Where no `account` is named it is the first one, where no `region`, the first that is served.
    `source` is `local` (agents on this machine, each offering `cpu` and `memory` of the engine at
    `docker`) or `command` (`create`, `destroy` and perhaps `list` are commands of the operator's).
    """

    source: str
    size_min: int = msgspec.field(default=0, name="min")
    size_max: int = msgspec.field(default=1, name="max")
    cluster: str = "default"
    account: str = ""
    region: str = ""
    zone: str = ""
    attributes: dict[str, str] = {}
    cpu: int = 0
    memory: int = 0
    docker: str = "/var/run/docker.sock"
    publish_address: str = ""
    create: tuple[str, ...] = ()
    destroy: tuple[str, ...] = ()
    listing: tuple[str, ...] = msgspec.field(default=(), name="list")
    timeout_seconds: float = 600.0
    tries: int = 3
    join_seconds: float = 600.0
    scale_in_seconds: float = 900.0
    drain_seconds: float = 48 * 3600.0
    survey_seconds: float = 60.0


def refuse_pools(pools: Mapping[str, PoolSettings], regions: tuple[str, ...]) -> str | None:
    """What is wrong with the first pool that cannot be used, or None."""
    for name, pool in pools.items():
        wrong = _refuse_place(name, pool, regions) or _refuse_numbers(pool) or _refuse_source(pool)
        if wrong:
            return f"pools.{name}: {wrong}"
    return None


def _refuse_place(name: str, pool: PoolSettings, regions: tuple[str, ...]) -> str | None:
    region = pool.region or regions[0]
    checks = {
        "a pool's name has at most 48 letters, digits, hyphens and underscores": (
            POOL_NAME.fullmatch(name) is not None
        ),
        f"'{pool.cluster}' is no name of a cluster": (
            RESOURCE_NAME.fullmatch(pool.cluster) is not None
        ),
        "account: must be twelve digits": (
            not pool.account or ACCOUNT.fullmatch(pool.account) is not None
        ),
        f"region: {region} is not served": (
            REGION.fullmatch(region) is not None and region in regions
        ),
        "zone: this value cannot be used": (
            not pool.zone or ATTRIBUTE_VALUE.fullmatch(pool.zone) is not None
        ),
        f"attributes: at most {ATTRIBUTES_MAX}, with names and values that ECS allows": (
            len(pool.attributes) <= ATTRIBUTES_MAX
            and all(
                ATTRIBUTE_NAME.fullmatch(key)
                and not key.startswith("ecs.")
                and (not value or ATTRIBUTE_VALUE.fullmatch(value))
                for key, value in pool.attributes.items()
            )
        ),
    }
    return next((wrong for wrong, holds in checks.items() if not holds), None)


def _refuse_numbers(pool: PoolSettings) -> str | None:
    for name, low, high in BOUNDS:
        if not low <= getattr(pool, name) <= high:
            return f"{name.removeprefix('size_')}: must be between {low:g} and {high:g}"
    if pool.size_min > pool.size_max:
        return f"min ({pool.size_min}) is greater than max ({pool.size_max})"
    return None


def _refuse_source(pool: PoolSettings) -> str | None:
    if pool.source == LOCAL:
        whole = pool.cpu > 0 and pool.memory > 0
        return None if whole else "a local pool needs cpu (units) and memory (MiB) of each host"
    if pool.source == COMMAND:
        whole = bool(pool.create and pool.destroy)
        return None if whole else "a pool of commands needs create and destroy"
    return f"source: '{pool.source}' is neither {LOCAL} nor {COMMAND}"
