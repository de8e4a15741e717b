"""The composition root: ports to adapters, tables to routes, in one readable function.

`compose` builds the whole server and starts nothing; `server.py` listens and runs it. The
simulator will build the same graph with other adapters.
"""

from pathlib import Path
from typing import Any

import msgspec

import moorage.ecr.api as ecr
import moorage.ecs.api as ecs
import moorage.iam.api as iam
from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.medium import Medium
from moorage.ecr.distribution.route import Distribution
from moorage.gateway import folder
from moorage.gateway.address import parted, public_names, speaks_tls
from moorage.gateway.agents import AgentsDoor
from moorage.gateway.asgi import Application
from moorage.gateway.aws import Door, Ground
from moorage.gateway.backup_door import BackupDoor
from moorage.gateway.bootstrap import ensure_keys
from moorage.gateway.certificates import OwnAuthority, Source
from moorage.gateway.custodian import Custodian
from moorage.gateway.given_files import GivenFiles
from moorage.gateway.keyring import Keyring
from moorage.gateway.logs import LogsDoor
from moorage.gateway.machines.command import CommandMachines
from moorage.gateway.machines.foreman import Foreman, Sourced, configure
from moorage.gateway.machines.local import LocalMachines
from moorage.gateway.machines.port import Machines
from moorage.gateway.pools import LOCAL, PoolSettings
from moorage.gateway.registry import DatabaseDesk, RegistryDoor
from moorage.gateway.rehearsal import Stage
from moorage.gateway.restored import take_up_restored
from moorage.gateway.settings import Settings
from moorage.gateway.vault import AesVault
from moorage.ground.chance import Chance, SystemChance
from moorage.ground.clock import Clock, SystemClock
from moorage.ground.fault import Validation
from moorage.ground.instant import hours, seconds
from moorage.iam.trust import take
from moorage.kernel.api import Api
from moorage.kernel.controller import Controller
from moorage.kernel.images import IMAGE_CLAIMS, TAG_DIGESTS
from moorage.kernel.perform import KEPT_ANSWERS
from moorage.kernel.site import PoolRule, Site
from moorage.shapes.moorage.constraints import CONSTRAINTS
from moorage.shapes.moorage.operations import OPERATIONS
from moorage.sql.document import Table
from moorage.sql.engine import POSTGRESQL, Database, open_database

TABLES: tuple[Table[Any], ...] = (
    KEPT_ANSWERS,
    TAG_DIGESTS,
    IMAGE_CLAIMS,
    *iam.TABLES,
    *ecr.TABLES,
    *ecs.TABLES,
)
CONTROLLERS: tuple[Controller, ...] = (*ecr.CONTROLLERS, *ecs.CONTROLLERS)
MIB = 1024 * 1024


def own_api() -> Api:
    """The table of our own operations, under the target Moorage_V1."""
    return Api(
        service="moorage",
        target="Moorage_V1",
        shapes=OPERATIONS,
        operations=(*iam.OWN, *ecs.OWN),
        constraints=CONSTRAINTS,
        invalid=Validation,
    )


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a running server consists of, before anything runs."""

    application: Application
    ground: Ground
    agents: AgentsDoor
    distribution: Distribution
    controllers: tuple[Controller, ...]
    custodian: Custodian | None = None
    foreman: Foreman | None = None


def site_of(settings: Settings, account: str = "") -> Site:
    """What decisions may know of the settings; `account` is the first one, whose pools are."""
    port = parted(settings.listen)[1]
    return Site(
        names=public_names(settings),
        scheme="https" if speaks_tls(settings) else "http",
        regions=settings.regions,
        settle=seconds(settings.settle_seconds),
        progress_deadline=seconds(settings.progress_deadline_seconds),
        stopped_task_retention=hours(settings.stopped_task_retention_hours),
        suspect_after=seconds(settings.suspect_seconds),
        lost_after=seconds(settings.lost_seconds),
        closed_grace=seconds(settings.closed_grace_seconds),
        goodbye_grace=seconds(settings.goodbye_grace_seconds),
        reconnect_window=seconds(settings.reconnect_window_seconds),
        engine_grace=seconds(settings.engine_grace_seconds),
        flapping_window=seconds(settings.flapping_window_seconds),
        flapping_rest=seconds(settings.flapping_rest_seconds),
        brake_window=seconds(settings.brake_window_seconds),
        brake_timeout=seconds(settings.brake_timeout_seconds),
        brake_pace=seconds(settings.brake_pace_seconds),
        heal_after=seconds(settings.heal_after_seconds),
        fence_after=seconds(settings.fence_after_seconds),
        fence_margin=seconds(settings.fence_margin_seconds),
        post_mortem_retention=hours(settings.post_mortem_retention_hours),
        avoid_failures=settings.avoid_failures,
        avoid_window=seconds(settings.avoid_window_seconds),
        avoid_rest=seconds(settings.avoid_seconds),
        rebalance_moves_max=settings.rebalance_moves_max,
        rebalance_pause=seconds(settings.rebalance_pause_seconds),
        rebalance_settling=seconds(settings.rebalance_settling_seconds),
        reserved_ports=(int(port),),
        provisioning_timeout=seconds(settings.provisioning_timeout_seconds),
        provisioning_tasks=settings.provisioning_tasks,
        pools=tuple(
            _rule(name, pool, pool.account or account, pool.region or settings.regions[0])
            for name, pool in settings.pools.items()
        ),
    )


def _rule(name: str, pool: PoolSettings, account: str, region: str) -> PoolRule:
    return PoolRule(
        name=name,
        account=account,
        region=region,
        cluster=pool.cluster,
        size_min=pool.size_min,
        size_max=pool.size_max,
        join=seconds(pool.join_seconds),
        scale_in=seconds(pool.scale_in_seconds),
        drain=seconds(pool.drain_seconds),
    )


def _foreman(settings: Settings, ground: Ground) -> Foreman | None:
    """Who sees to the machines of pools, where the settings have any."""
    configure(ground.database, ground.site)
    if not settings.pools:
        return None
    sourced = [
        Sourced(
            rule=rule,
            settings=settings.pools[rule.name],
            source=_source(rule.name, settings),
        )
        for rule in ground.site.pools
    ]
    return Foreman(ground.database, ground.clock, ground.site, sourced)


def _source(name: str, settings: Settings) -> Machines:
    pool = settings.pools[name]
    if pool.source == LOCAL:
        return LocalMachines(name, pool, Path(settings.data).absolute())
    return CommandMachines(name, pool)


def compose(settings: Settings) -> Server:
    """Build the server over its data folder.

    Raises FolderRefused, OpenRefused and CertificateRefused.
    """
    data = Path(settings.data)
    folder.prepare(data)
    clock, chance = SystemClock(), SystemChance()
    url = settings.database or f"sqlite:///{(data / 'moorage.db').absolute()}"
    database = open_database(url, clock=clock, chance=chance, tables=TABLES)
    return assemble(settings, database, clock, chance)


def _engine_of(settings: Settings) -> str:
    return "postgresql" if settings.database.startswith(POSTGRESQL) else "sqlite"


def assemble(settings: Settings, database: Database, clock: Clock, chance: Chance) -> Server:
    """Build the server on a database that is open; raises FolderRefused."""
    data = Path(settings.data)
    vault = AesVault(folder.master_key(data, chance), chance)
    account = ensure_keys(data, database, vault, settings.regions[0])
    take_up_restored(data, database)
    site = site_of(settings, account)
    ground = Ground(
        database=database,
        clock=clock,
        chance=chance,
        site=site,
        vault=vault,
        keyring=Keyring(vault),
    )
    database.watch(ground.keyring.changed)
    blobs = FilesystemBlobStore(data, Medium(reserve_bytes=settings.disk_reserve_mib * MIB))
    distribution = Distribution(
        desk=DatabaseDesk(ground), blobs=blobs, clock=clock, chance=chance, site=site
    )
    stage = Stage(
        site,
        clock,
        CONTROLLERS,
        ecs.FORESEE,
        {"ecs": ecs.ECS.operations, "moorage": ecs.FORESEEN},
    )
    aws = Door(ground, (ecs.ECS, ecr.ECR, iam.STS, own_api()), stage)
    agents = AgentsDoor(ground, aws, ecs.AGENT)
    return Server(
        application=Application(
            aws=aws,
            registry=RegistryDoor(distribution),
            agents=agents,
            logs=LogsDoor(aws, agents),
            backups=BackupDoor(aws, data, blobs, distribution, _engine_of(settings)),
            body_bytes_max=settings.request_body_kib * 1024,
        ),
        ground=ground,
        agents=agents,
        distribution=distribution,
        controllers=CONTROLLERS,
        custodian=_custodian(settings, ground),
        foreman=_foreman(settings, ground),
    )


def _custodian(settings: Settings, ground: Ground) -> Custodian | None:
    """Who sees to the certificate, where the server speaks TLS."""
    if not speaks_tls(settings):
        ground.database.write(lambda tx: take(tx, "none")).result()
        return None
    source: Source = OwnAuthority(settings, ground.database, ground.vault, ground.clock)
    if settings.certificate:
        source = GivenFiles(settings, ground.database, ground.clock)
    return Custodian(source)
