"""Moorage_V1 DescribePools: how large pools of hosts are, and why they are no larger."""

from moorage.ecs.records.machine import Machine, Pool
from moorage.ecs.store import capacity_providers, machines, pools, tasks
from moorage.ground.arn import make_arn
from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, maybe_epoch
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.site import PoolRule
from moorage.shapes.moorage import pool as shapes


@operation(reads=True)
def describe_pools(
    call: Call, request: shapes.DescribePoolsRequest
) -> shapes.DescribePoolsResponse:
    """Describe the pools of the settings that are the caller's; raises Validation for another."""
    mine = [
        one for one in call.site.pools if (one.account, one.region) == (call.account, call.region)
    ]
    found = [one for one in mine if request.pool in {None, one.name}]
    if request.pool is not None and not found:
        raise Validation(
            f"There is no pool {request.pool} in {call.region}. Pools are tables [pools.NAME] of the "
            "server's settings."
        )
    ordered = sorted(found, key=lambda one: one.name)
    return shapes.DescribePoolsResponse(pools=[_shown(call, rule) for rule in ordered])


def _shown(call: Call, rule: PoolRule) -> shapes.HostPool:
    tx = call.tx
    pool = pools.get(tx, rule.account, rule.region, rule.name)
    known = pool or Pool(account=rule.account, region=rule.region, name=rule.name)
    provider = capacity_providers.of_pool(tx, call, rule.name)
    cluster = make_arn("cluster", rule.region, rule.account, rule.cluster)
    waiting = tasks.provisioning(tx, cluster) if provider else []
    return shapes.HostPool(
        name=rule.name,
        cluster=rule.cluster,
        capacity_provider=provider.name if provider else None,
        minimum=rule.size_min,
        maximum=rule.size_max,
        wanted=known.wanted,
        reservation=known.reservation,
        waiting_tasks=sum(
            provider is not None and task.capacity_provider == provider.name for task in waiting
        ),
        surplus_since=maybe_epoch(known.low_since),
        failures=known.failures,
        retry_at=maybe_epoch(known.retry_at),
        reason=known.reason or None,
        machines=[
            _machine(one) for one in machines.of_pool(tx, rule.account, rule.region, rule.name)
        ],
    )


def _machine(machine: Machine) -> shapes.PoolMachine:
    ordered = machine.status in machines.ORDERED
    return shapes.PoolMachine(
        name=machine.name,
        status=machine.status,
        container_instance_arn=machine.instance or None,
        created_at=epoch(machine.created_at),
        tries=machine.tries,
        next_try_at=epoch(machine.due_at) if ordered and machine.tries else None,
        reason=machine.reason or None,
    )
