"""Settings: every knob of the server, typed, with its default and its reason.

A value comes from a flag, else from the environment (`MOORAGE_SETTLE_SECONDS`), else from
`moorage.toml` in the data folder (or the file named by --config), else it is the default.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from moorage.gateway.pools import PoolSettings, refuse_pools
from moorage.ground.record import Record

ENVIRONMENT_PREFIX = "MOORAGE_"
FILE_NAME = "moorage.toml"


class Settings(Record):
    """The server's settings; units stand at the end of the names."""

    data: str = ".moorage"
    listen: str = "127.0.0.1:4750"
    public_names: tuple[str, ...] = ()
    insecure: bool = False
    tls: bool = False
    certificate: str = ""
    key: str = ""
    authority: str = ""
    database: str = ""
    regions: tuple[str, ...] = ("us-east-1",)
    settle_seconds: float = 40.0
    progress_deadline_seconds: float = 600.0
    stopped_task_retention_hours: float = 24.0
    suspect_seconds: float = 8.0
    lost_seconds: float = 12.0
    closed_grace_seconds: float = 60.0
    goodbye_grace_seconds: float = 300.0
    reconnect_window_seconds: float = 60.0
    engine_grace_seconds: float = 60.0
    flapping_window_seconds: float = 600.0
    flapping_rest_seconds: float = 300.0
    brake_window_seconds: float = 60.0
    brake_timeout_seconds: float = 900.0
    brake_pace_seconds: float = 60.0
    heal_after_seconds: float = 10.0
    fence_after_seconds: float = 60.0
    fence_margin_seconds: float = 10.0
    post_mortem_retention_hours: float = 168.0
    avoid_failures: int = 5
    avoid_window_seconds: float = 300.0
    avoid_seconds: float = 900.0
    rebalance_moves_max: int = 2
    rebalance_pause_seconds: float = 10.0
    rebalance_settling_seconds: float = 120.0
    request_body_kib: int = 1024
    header_seconds: float = 10.0
    upload_expiry_hours: float = 24.0
    disk_reserve_mib: int = 64
    connections: int = 8192
    log_file_mib: int = 16
    provisioning_timeout_seconds: float = 600.0
    provisioning_tasks: int = 500
    pools: dict[str, PoolSettings] = {}


REASONS: Mapping[str, str] = {
    "data": "where everything is kept: database, blobs, keys, logs",
    "listen": "address and port; on anything but loopback the server speaks TLS",
    "public_names": "names (host:port) that answers show; default: the listening address",
    "insecure": "no TLS on other addresses either: keys and images cross the network in the clear",
    "tls": "TLS on loopback, too",
    "certificate": "a certificate of your own with its chain (PEM); default: Moorage makes its own",
    "key": "the private key of that certificate (PEM)",
    "authority": "whom clients are to trust for it (PEM); default: whom their systems trust",
    "database": "URL of the database; default: SQLite in the data folder",
    "regions": "regions that are served; requests for others are refused",
    "settle_seconds": "how long a task without health check runs before it counts as healthy (ECS: 40)",
    "progress_deadline_seconds": "a deployment that gets nowhere for so long fails; 0: it never does",
    "stopped_task_retention_hours": "how long stopped tasks stay visible (ECS: at least 1)",
    "suspect_seconds": "silence after which a host gets no new tasks",
    "lost_seconds": "silence after which a host is lost, and its service tasks are replaced",
    "closed_grace_seconds": "how long a host whose agent's connection closed may stay away",
    "goodbye_grace_seconds": "how long a host whose agent said goodbye (an upgrade) may stay away",
    "reconnect_window_seconds": "after the server's start no host is lost before so long",
    "engine_grace_seconds": "how long a host's engine may be gone before the host counts as lost",
    "flapping_window_seconds": "a host that is lost twice within this is flapping",
    "flapping_rest_seconds": "how long a flapping host takes nothing back",
    "brake_window_seconds": "losses of more than a third of a cluster's hosts within this hold it",
    "brake_timeout_seconds": "how long replacement is held then, unless somebody confirms the loss",
    "brake_pace_seconds": "after that, one lost host's tasks are replaced each",
    "heal_after_seconds": "away from the server for so long, an agent restarts what exits itself",
    "fence_after_seconds": "away for so long, an agent stops the tasks of services tagged to fence",
    "fence_margin_seconds": "what is waited beyond that and stopTimeout before they are replaced",
    "post_mortem_retention_hours": "how long the post-mortems of stopped tasks are kept",
    "avoid_failures": "failed starts of a service after which it avoids a host; 0: none is avoided",
    "avoid_window_seconds": "within how long they count",
    "avoid_seconds": "how long the host is avoided then, where another can take the task",
    "rebalance_moves_max": "how many tasks of a cluster move to other hosts at once; 0: none",
    "rebalance_pause_seconds": "how long a service is steady before more of its tasks move",
    "rebalance_settling_seconds": "how long a host is there before running services spread onto it",
    "request_body_kib": "the longest body of an API request",
    "header_seconds": "how long a client may take to send its headers",
    "upload_expiry_hours": "when an unfinished upload is thrown away",
    "disk_reserve_mib": "free space below which uploads are refused, so that the database can write",
    "connections": "connections of clients served at once; the websockets of hosts do not count",
    "log_file_mib": "size at which the log file is turned over",
    "provisioning_timeout_seconds": "how long a task waits in PROVISIONING for a pool's hosts",
    "provisioning_tasks": "how many tasks of a cluster may wait so (ECS: 500)",
    "pools": "pools of hosts for capacity providers: tables [pools.NAME] of the file",
}

STOPPED_TASK_RETENTION_HOURS_MIN = 1.0
# name, lowest, highest
BOUNDS: tuple[tuple[str, float, float], ...] = (
    ("settle_seconds", 0, 3600),
    ("progress_deadline_seconds", 0, 7 * 24 * 3600),
    ("stopped_task_retention_hours", STOPPED_TASK_RETENTION_HOURS_MIN, 24 * 365),
    ("suspect_seconds", 1, 3600),
    ("lost_seconds", 2, 3600),
    ("closed_grace_seconds", 0, 24 * 3600),
    ("goodbye_grace_seconds", 0, 24 * 3600),
    ("reconnect_window_seconds", 0, 24 * 3600),
    ("engine_grace_seconds", 0, 24 * 3600),
    ("flapping_window_seconds", 0, 24 * 3600),
    ("flapping_rest_seconds", 0, 24 * 3600),
    ("brake_window_seconds", 1, 3600),
    ("brake_timeout_seconds", 0, 7 * 24 * 3600),
    ("brake_pace_seconds", 0, 3600),
    ("rebalance_moves_max", 0, 1000),
    ("rebalance_pause_seconds", 0, 24 * 3600),
    ("rebalance_settling_seconds", 0, 24 * 3600),
    ("heal_after_seconds", 1, 3600),
    ("fence_after_seconds", 15, 24 * 3600),  # an agent knows after two heartbeats that it is heard
    ("fence_margin_seconds", 0, 3600),
    ("post_mortem_retention_hours", 1, 24 * 365),
    ("avoid_failures", 0, 1000),
    ("avoid_window_seconds", 1, 24 * 3600),
    ("avoid_seconds", 0, 7 * 24 * 3600),
    ("request_body_kib", 64, 65536),
    ("header_seconds", 1, 300),
    ("upload_expiry_hours", 0.01, 24 * 30),
    ("disk_reserve_mib", 0, 1_000_000),
    ("connections", 16, 1_000_000),
    ("log_file_mib", 1, 10_000),
    ("provisioning_timeout_seconds", 10, 7 * 24 * 3600),
    ("provisioning_tasks", 1, 100_000),
)


class SettingsRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """A setting has a value that cannot be used; the message names it and where it came from."""


class Sourced(Record):
    """A settings record, and where each of its values came from."""

    settings: Settings
    sources: dict[str, str]


def load(
    flags: Mapping[str, object], environment: Mapping[str, str], config: Path | None = None
) -> Sourced:
    """Gather the settings; raises SettingsRefused, naming the setting and its source.

    `flags` holds only those that were given. An unknown key in the file is refused, so that a
    misspelt one is noticed.
    """
    values: dict[str, object] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    data = str(flags.get("data") or environment.get("MOORAGE_DATA") or Settings().data)
    path = config or Path(data) / FILE_NAME
    for name, value in _file(path, required=config is not None).items():
        values[name], sources[name] = value, str(path)
    for name in Settings.__struct_fields__:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environment:
            values[name], sources[name] = _text(name, environment[variable]), variable
    for name, given in flags.items():
        values[name], sources[name] = given, f"--{name.replace('_', '-')}"
    settings = _converted(values, sources)
    _check(settings, sources)
    return Sourced(settings=settings, sources=sources)


def _file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        if required:
            raise SettingsRefused(f"{path}: there is no such file") from error
        return {}
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"{path}: {error}") from error
    unknown = sorted(set(content) - set(Settings.__struct_fields__))
    if unknown:
        raise SettingsRefused(f"{path}: there is no setting {', '.join(unknown)}")
    return content


def _text(name: str, text: str) -> object:
    if name in {"public_names", "regions"}:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _converted(values: Mapping[str, object], sources: Mapping[str, str]) -> Settings:
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsRefused(f"{name} (from {sources[name]}): {error}") from error
    return msgspec.convert(dict(values), Settings, strict=False)


def _check(settings: Settings, sources: Mapping[str, str]) -> None:
    for name, low, high in BOUNDS:
        if not low <= getattr(settings, name) <= high:
            raise SettingsRefused(
                f"{name} (from {sources[name]}): must be between {low:g} and {high:g}"
            )
    if not settings.regions:
        raise SettingsRefused("regions: at least one is needed")
    wrong = refuse_pools(settings.pools, settings.regions)
    if wrong:
        raise SettingsRefused(f"{wrong} (from {sources['pools']})")
