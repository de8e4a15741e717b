"""Steps: a capacity provider on the pool of the simulated site, and what runs by it."""

from moorage.sim.plane import POOL
from moorage.sim.users.desk import Acts, Desk, Json, Picks, chosen
from moorage.sim.users.services import make
from moorage.sim.users.tasks import run

PROVIDER = "elastic"
STRATEGY: list[Json] = [{"capacityProvider": PROVIDER, "weight": 1}]
WARMUP_SECONDS = 10
GIANT_MEBIBYTES = 16_384


async def _provide(desk: Desk, step: int) -> bool:
    """Have the provider, and the cluster have it; made once, by whoever comes first."""
    if desk.has_provider:
        return True
    group: Json = {
        "autoScalingGroupArn": POOL,
        "managedScaling": {"status": "ENABLED", "instanceWarmupPeriod": WARMUP_SECONDS},
    }
    asked: Json = {"name": PROVIDER, "autoScalingGroupProvider": group}
    await desk.call(step, "CreateCapacityProvider", asked)
    asked = {
        "cluster": "default",
        "capacityProviders": [PROVIDER],
        "defaultCapacityProviderStrategy": [],
    }
    desk.has_provider = await desk.call(step, "PutClusterCapacityProviders", asked) is not None
    return desk.has_provider


async def _run(desk: Desk, step: int, picks: Picks) -> None:
    if await _provide(desk, step):
        more: Json = {"capacityProviderStrategy": STRATEGY}
        if picks[3] % 4 == 0:
            more["placementConstraints"] = [{"type": "distinctInstance"}]
        # One in five fits on no host that there will ever be, and waits in vain.
        memory = GIANT_MEBIBYTES if picks[4] % 5 == 0 else 0
        await run(desk, step, "job" if picks[0] % 6 else "web", picks, more, memory)


async def _create(desk: Desk, step: int, picks: Picks) -> None:
    if await _provide(desk, step):
        await make(desk, step, picks, {"capacityProviderStrategy": STRATEGY})


async def _change(desk: Desk, step: int, picks: Picks) -> None:
    """Turn termination protection or draining on and off, or the scaling itself."""
    if not await _provide(desk, step):
        return
    changes: tuple[Json, ...] = (
        {"managedTerminationProtection": "ENABLED"},
        {"managedTerminationProtection": "DISABLED"},
        {"managedDraining": "ENABLED"},
        {"managedDraining": "DISABLED"},
        {"managedScaling": {"targetCapacity": chosen((100, 60), picks[1])}},
    )
    asked = {"name": PROVIDER, "autoScalingGroupProvider": chosen(changes, picks[0])}
    await desk.call(step, "UpdateCapacityProvider", asked)


ACTS: Acts = {"run-pooled": _run, "create-pooled": _create, "change-provider": _change}
