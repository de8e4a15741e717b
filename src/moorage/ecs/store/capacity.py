"""Capacity providers where they meet clusters, hosts, calls and services."""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.capacity.strategy import (
    BOTH,
    FARGATE,
    NO_FARGATE,
    PROVIDERS_MAX,
    refuse_strategy,
)
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ecs.store import (
    capacity_providers,
    container_instances,
    machines,
    pools,
    services,
    tasks,
)
from moorage.ecs.store.identity import Home
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.sql.transaction import Transaction

Strategy = Sequence[CapacityProviderStrategyItem]


def adopt(tx: Transaction, home: Home, pool: str, provider: str) -> None:
    """Let the hosts of a pool be those of a provider, or of none ("")."""
    for instance in _hosts(tx, home, pool).values():
        container_instances.write(tx, evolve(instance, capacity_provider=provider))


def pooled(tx: Transaction, instance: ContainerInstance) -> ContainerInstance:
    """A host that registers, with the pool of its machine and that pool's provider, if any."""
    name = instance.name
    machine = machines.of_name(tx, instance.cluster_arn, name) if name else None
    if machine is None:
        return instance
    provider = capacity_providers.of_pool(tx, machine, machine.pool)
    return evolve(instance, pool=machine.pool, capacity_provider=provider.name if provider else "")


def used_in(tx: Transaction, cluster: str) -> set[str]:
    """The names of the providers that live tasks or services of a cluster (an ARN) use."""
    running = {one.capacity_provider for one in tasks.live_of_cluster(tx, cluster)}
    kept = {
        item.capacity_provider or ""
        for one in services.live_of_cluster(tx, cluster)
        for item in one.capacity_provider_strategy
    }
    return (running | kept) - {""}


def refuse_association(call: Call, cluster: str, names: Sequence[str]) -> Refusal | None:
    """Why the cluster of that name cannot have these providers, or None."""
    fargate = next((name for name in names if name in FARGATE), None)
    if fargate:
        return unsupported(NO_FARGATE.format(fargate))
    if len(names) > PROVIDERS_MAX:
        return invalid(f"A cluster has at most {PROVIDERS_MAX} capacity providers.")
    if len(set(names)) < len(names):
        return invalid("The capacity providers cannot contain duplicates.")
    found = capacity_providers.active(call.tx, call, names)
    if len(found) < len(names):
        return invalid(
            "The specified capacity provider is not in an ACTIVE state, or does not exist. Specify "
            "a valid capacity provider and try again."
        )
    for provider in found.values():
        pool = call.site.pool(call.account, call.region, provider.pool)
        if pool is not None and pool.cluster != cluster:
            return invalid(
                f"The hosts of the capacity provider {provider.name} join the cluster "
                f"{pool.cluster}, as the pool {pool.name} of the settings says, and not "
                f"{cluster}."
            )
    return None


def strategy_of(
    cluster: Cluster, asked: Strategy | None, launch_type: str | None
) -> tuple[Strategy, Refusal | None]:
    """The strategy that a call means, empty for none, and why it cannot be used, if it cannot.

    The cluster's default holds where neither a strategy nor a launch type is given.
    """
    if asked and launch_type:
        return (), invalid(BOTH)
    if asked:
        return asked, refuse_strategy(asked, cluster.capacity_providers)
    if launch_type or asked is not None:
        return (), None
    return cluster.default_strategy, None


def scaled(call: Call, names: Sequence[str]) -> frozenset[str]:
    """Those of some providers whose pool grows for tasks that wait."""
    found = capacity_providers.active(call.tx, call, dict.fromkeys(names))
    return frozenset(
        name
        for name, one in found.items()
        if one.scaling is not None
        and call.site.pool(call.account, call.region, one.pool) is not None
    )


def wake_pools(tx: Transaction, home: Home, names: Iterable[str]) -> None:
    """Have the pools of some providers looked at: what is wanted of them has changed."""
    for provider in capacity_providers.active(tx, home, names).values():
        pools.wake(tx, provider.account, provider.region, provider.pool)


def _hosts(tx: Transaction, home: Home, pool: str) -> Mapping[str, ContainerInstance]:
    return machines.hosts(tx, machines.of_pool(tx, home.account, home.region, pool))
