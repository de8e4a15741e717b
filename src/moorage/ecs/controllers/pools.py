"""A pool of hosts: as many machines as its provider's managed scaling wants, no more, no fewer.

What is to be made and unmade is written as orders of machines; whoever speaks with the pool's
source carries them out. Hosts that go are drained first, and only empty ones go, unless there are
more than the settings allow and the provider does not protect them.
"""

from collections.abc import Sequence

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.records.container_instance import ContainerInstance, Drain
from moorage.ecs.records.machine import Machine, Pool
from moorage.ecs.rules.capacity.retirement import Member, chosen, gone_by, is_ready
from moorage.ecs.rules.capacity.scaling import Scaling, rule_of, scale
from moorage.ecs.rules.deployment.state import soonest
from moorage.ecs.store import (
    capacity_providers,
    container_instances,
    freezes,
    machines,
    tasks,
)
from moorage.ecs.store import pool_scenes as scenes
from moorage.ecs.store import pools as store
from moorage.ecs.store.pool_scenes import Scene
from moorage.ground.instant import Duration, Instant, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller
from moorage.kernel.site import PoolRule

MACHINE_ID_DIGITS = 12
CREATED_AT_ONCE_MAX = 100
# ECS measures once a minute; here a change is looked at when it happens, and time as often.
READING: Duration = minutes(1)
FROZEN_LOOK: Duration = seconds(15)
LATE = "The machine was made and no host of it joined within {:.0f} s."


@controller(kind=store.KIND, keys=store.every)
def pools(turn: Turn, key: str) -> Instant | None:
    """Bring one pool to its size; a pool that has left the settings is left alone."""
    account, region, name = key.split("/")
    rule = turn.site.pool(account, region, name)
    if rule is None:
        return None
    looks = [_follow(turn, rule, one) for one in machines.of_pool(turn.tx, account, region, name)]
    pool = store.get(turn.tx, account, region, name)
    if pool is None:
        return None
    provider = capacity_providers.of_pool(turn.tx, pool, name)
    scene = scenes.load(turn.tx, rule, provider, _known(turn, pool))
    sized = _resize(turn, rule, provider, scene)
    reading = later(turn.now, READING) if provider is not None and provider.scaling else None
    return soonest([*looks, sized, reading])


def _follow(turn: Turn, rule: PoolRule, machine: Machine) -> Instant | None:
    """What became of one machine's host; answers when time alone brings the next step."""
    if machine.status == "JOINING":
        return _joining(turn, rule, machine)
    if machine.status not in {"JOINED", "RETIRING"}:
        return None
    instance = container_instances.get(turn.tx, machine.instance)
    if instance is None or instance.status == "INACTIVE":
        _destroy(turn, machine)
        return None
    return _retiring(turn, machine, instance) if machine.status == "RETIRING" else None


def _joining(turn: Turn, rule: PoolRule, machine: Machine) -> Instant | None:
    host = container_instances.get(turn.tx, machine.instance) if machine.instance else None
    if host is not None and host.connected:  # it was there all the time, whatever the source said
        machines.move(turn.tx, machine, "JOINED")
        return None
    until = later(machine.made_at or machine.created_at, rule.join)
    if turn.now < until:
        return until
    store.failed(turn.tx, machine, LATE.format(rule.join / seconds(1)))
    _destroy(turn, machine)
    return None


def _retiring(turn: Turn, machine: Machine, instance: ContainerInstance) -> Instant | None:
    if instance.status == "ACTIVE":  # somebody wants it back
        machines.move(turn.tx, machine, "JOINED", joined_at=turn.now)
        return None
    live = tasks.live_of_instance(turn.tx, instance.arn)
    if not is_ready(instance, live, turn.now):
        return gone_by(instance)
    if live and freezes.is_frozen(turn.tx, machine):
        return later(turn.now, FROZEN_LOOK)
    _destroy(turn, machine)
    return None


def _destroy(turn: Turn, machine: Machine) -> None:
    machines.move(turn.tx, machine, "DESTROYING", due_at=turn.now, tries=0, reason="")


def _known(turn: Turn, pool: Pool) -> Pool:
    """The pool, with what its hosts tell: their size, and that making them works again."""
    joined = [
        one
        for one in machines.of_pool(turn.tx, pool.account, pool.region, pool.name)
        if one.status == "JOINED"
    ]
    hosts = machines.hosts(turn.tx, joined)
    if hosts:
        newest = max(hosts.values(), key=lambda one: (one.registered_at, one.arn))
        pool = _kept(turn, pool, host=newest.resources)
    since = pool.failed_at
    if since is not None and any((one.joined_at or 0) > since for one in joined):
        pool = _kept(turn, pool, failures=0, failed_at=None, retry_at=None, reason="")
    return pool


def _kept(turn: Turn, pool: Pool, **members: object) -> Pool:
    after = evolve(pool, **members)
    return pool if after == pool else store.note(turn.tx, after)


def _resize(
    turn: Turn, rule: PoolRule, provider: CapacityProvider | None, scene: Scene
) -> Instant | None:
    managed = provider.scaling if provider else None
    scaling = scale(
        rule_of(managed, rule.size_min, rule.size_max, rule.scale_in), scene.standing, turn.now
    )
    pool = _kept(
        turn,
        scene.pool,
        wanted=scaling.wanted,
        reservation=scaling.reservation,
        low_since=scaling.low_since,
    )
    if scaling.create:
        return _grow(turn, rule, scene, pool, scaling.create)
    if scaling.retire and freezes.is_frozen(turn.tx, rule):
        return later(turn.now, FROZEN_LOOK)
    if scaling.retire:
        _shrink(turn, rule, provider, scene, scaling)
    return scaling.look_again


def _grow(turn: Turn, rule: PoolRule, scene: Scene, pool: Pool, count: int) -> Instant | None:
    """Take back hosts that were about to go, then make machines, as far as there may be more."""
    back = scene.retiring[:count]
    for member in back:
        container_instances.write(turn.tx, evolve(member.instance, status="ACTIVE", drain=None))
    room = rule.size_max - scene.machines
    count = max(0, min(count - len(back), room, CREATED_AT_ONCE_MAX))
    if count and pool.retry_at is not None and turn.now < pool.retry_at:
        return pool.retry_at
    for _ in range(count):
        identity = turn.chance.hex(MACHINE_ID_DIGITS)
        machines.create(
            turn.tx,
            Machine(
                account=rule.account,
                region=rule.region,
                cluster=rule.cluster,
                pool=rule.name,
                id=identity,
                name=f"{rule.name}-{identity}",
                status="CREATING",
                created_at=turn.now,
                due_at=turn.now,
            ),
        )
    return None


def _shrink(
    turn: Turn,
    rule: PoolRule,
    provider: CapacityProvider | None,
    scene: Scene,
    scaling: Scaling,
) -> None:
    protected = provider is not None and provider.protects
    drains = provider is None or provider.drains
    warmup = seconds(_warmup(provider))
    going = chosen(
        scene.joined,
        scaling.retire,
        warmup=Duration(0) if scaling.cause == "maximum" else warmup,
        used_too=scaling.cause == "maximum" and not protected,
        now=turn.now,
    )
    _retire(turn, going, rule.drain, drains=drains)


def _warmup(provider: CapacityProvider | None) -> int:
    scaling = provider.scaling if provider else None
    return (scaling.instance_warmup_period or 0) if scaling else 0


def _retire(turn: Turn, going: Sequence[Member], drain: Duration, *, drains: bool) -> None:
    """Drain hosts, and let their machines go; where draining is off they go at once."""
    for member in going:
        container_instances.write(
            turn.tx,
            evolve(
                member.instance,
                status="DRAINING",
                drain=Drain(deadline=later(turn.now, drain)),
            ),
        )
        if drains:
            machines.move(turn.tx, member.machine, "RETIRING")
        else:
            _destroy(turn, member.machine)
