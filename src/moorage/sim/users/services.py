"""Steps: services are made, scaled, deployed and deleted, each somehow placed and configured."""

from moorage.sim.users.desk import BAD, GOOD, Acts, Desk, Json, Kept, Picks, chosen
from moorage.sim.words import IN_RACK, IN_ZONES, ZONE

SERVICES_MAX = 4
DESIRED_MAX = 5
DESIRED_SUM_MAX = 12
PERCENTS = ((100, 200), (50, 100), (50, 200), (0, 100), (66, 150), (100, 150))
PORT_FIRST = 8000
# Each is open to a service with any number of tasks; what comes after narrows where they may be.
STRATEGIES: tuple[list[Json], ...] = (
    [{"type": "spread", "field": "instanceId"}],
    [{"type": "binpack", "field": "memory"}],
    [],
)
PLACED: tuple[list[Json], ...] = (
    [{"type": "spread", "field": ZONE}],
    [{"type": "spread", "field": ZONE}, {"type": "spread", "field": "instanceId"}],
    [{"type": "spread", "field": ZONE}, {"type": "binpack", "field": "cpu"}],
    [{"type": "binpack", "field": "cpu"}],
    [{"type": "random"}],
    [],
)
DISTINCT: Json = {"type": "distinctInstance"}
# The racks are those of `hosts.py`; when all is tidied up, every host is in this one.
CONSTRAINTS: tuple[list[Json], ...] = (
    [DISTINCT],
    [{"type": "memberOf", "expression": IN_ZONES}],
    [{"type": "memberOf", "expression": IN_RACK}],
    [],
    [],
)
BREAKERS: tuple[Json, ...] = (
    {"enable": True, "rollback": True},
    {"enable": True, "rollback": False},
    {
        "enable": True,
        "rollback": True,
        "thresholdConfiguration": {"type": "COUNT", "value": 2},
    },
    {
        "enable": True,
        "rollback": True,
        "resetOnHealthyTask": False,
        "thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 100},
    },
    {"enable": False, "rollback": False},
)


def room(desk: Desk) -> int:
    """How many tasks more the users want of all services together."""
    return DESIRED_SUM_MAX - sum(one.desired for one in desk.services.values() if not one.deleted)


async def make(desk: Desk, step: int, picks: Picks, more: Json, port: int = 0) -> None:
    """Make a service of a good image, where there may be one more; `more` is asked besides.

    One whose tasks cannot share a host wants fewer than there are hosts, or none could be replaced.
    """
    free = room(desk)
    if free < 1 or len(desk.alive()) >= SERVICES_MAX:
        return
    alone = bool(port) or DISTINCT in more.get("placementConstraints", ())
    most = min(DESIRED_MAX, free, desk.hosts_first - 1 if alone else DESIRED_MAX)
    desired = 1 + picks[2] % most
    name = f"s{desk.number()}"
    kept = desk.services[name] = Kept(name=name, desired=desired, port=port, alone=alone)
    family = await desk.define(step, chosen(GOOD, picks[1]), picks, port)
    if family is None:
        del desk.services[name]
        return
    kept.family = family
    least, most = PERCENTS[picks[0] % len(PERCENTS)]
    configuration: Json = {"minimumHealthyPercent": least, "maximumPercent": most}
    if picks[3] % 2:
        configuration["deploymentCircuitBreaker"] = {"enable": True, "rollback": True}
    asked: Json = {
        "serviceName": name,
        "taskDefinition": family,
        "desiredCount": desired,
        "deploymentConfiguration": configuration,
        "clientToken": f"create-{name}",
        **more,
    }
    desk.tokens.append(("CreateService", asked))
    await desk.call(step, "CreateService", asked)


async def _create(desk: Desk, step: int, picks: Picks) -> None:
    strategy = STRATEGIES[picks[4] % len(STRATEGIES)]
    await make(desk, step, picks, {"placementStrategy": strategy} if strategy else {})


async def _create_placed(desk: Desk, step: int, picks: Picks) -> None:
    port = PORT_FIRST + desk.number() if picks[4] % 4 == 0 else 0
    # Two of them together may leave no host to replace a task on.
    constraints = [] if port else CONSTRAINTS[picks[5] % len(CONSTRAINTS)]
    more: Json = {"placementConstraints": constraints} if constraints else {}
    strategy = PLACED[picks[3] % len(PLACED)]
    if strategy:
        more["placementStrategy"] = strategy
    await make(desk, step, picks, more, port)


async def _scale(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive()
    if not alive:
        return
    service = chosen(alive, picks[0])
    free = max(0, room(desk) + service.desired)
    most = min(DESIRED_MAX, free, desk.hosts_first - 1 if service.alone else DESIRED_MAX)
    service.desired = picks[1] % (1 + most)
    asked = {"service": service.name, "desiredCount": service.desired}
    await desk.call(step, "UpdateService", asked)


async def _deploy(desk: Desk, step: int, picks: Picks) -> None:
    await deploy(desk, step, picks, {})


async def deploy(desk: Desk, step: int, picks: Picks, more: Json) -> str:
    """Bring out another definition of a service, now and then a bad one; `more` besides.

    Answers the service's name, "" where nothing was done.
    """
    alive = desk.alive()
    if not alive:
        return ""
    service = chosen(alive, picks[0])
    image = chosen(BAD if picks[1] % 5 == 0 else GOOD, picks[2])
    family = await desk.define(step, image, picks, service.port)
    if family is None:
        return ""
    service.family = family
    asked = {"service": service.name, "taskDefinition": family, **more}
    await desk.call(step, "UpdateService", asked)
    return service.name


async def _redeploy(desk: Desk, step: int, picks: Picks) -> None:
    alive = [*desk.alive(), *desk.alive(daemons=True)]
    if alive:
        asked = {"service": chosen(alive, picks[0]).name, "forceNewDeployment": True}
        await desk.call(step, "UpdateService", asked)


async def _delete(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive()
    if len(alive) < 2:  # noqa: PLR2004 - something is to be left
        return
    service = chosen(alive, picks[0])
    service.deleted = True
    await desk.call(step, "DeleteService", {"service": service.name, "force": True})


async def _reshape(desk: Desk, step: int, picks: Picks) -> None:
    """Change how a service is deployed and balanced, which makes no deployment."""
    alive = desk.alive()
    if not alive:
        return
    least, most = PERCENTS[picks[2] % len(PERCENTS)]
    changes: tuple[Json, ...] = (
        {"availabilityZoneRebalancing": "ENABLED"},
        {"availabilityZoneRebalancing": "DISABLED"},
        {"deploymentConfiguration": {"deploymentCircuitBreaker": chosen(BREAKERS, picks[3])}},
        {"deploymentConfiguration": {"minimumHealthyPercent": least, "maximumPercent": most}},
        {"placementStrategy": PLACED[picks[4] % len(PLACED)]},
    )
    asked = {"service": chosen(alive, picks[0]).name, **chosen(changes, picks[1])}
    await desk.call(step, "UpdateService", asked)


ACTS: Acts = {
    "create": _create,
    "create-placed": _create_placed,
    "scale": _scale,
    "deploy": _deploy,
    "redeploy": _redeploy,
    "delete": _delete,
    "reshape": _reshape,
}
