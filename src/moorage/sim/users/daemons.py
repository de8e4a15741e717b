"""Steps: DAEMON services, on every host or on those of which an expression is true."""

from moorage.sim.users.desk import BAD, GOOD, Acts, Desk, Json, Kept, Picks, chosen
from moorage.sim.words import ANYWHERE

DAEMONS_MAX = 2
# minimumHealthyPercent; the maximum is 100 for every daemon.
LEAST = (0, 0, 50, 66)


async def _create(desk: Desk, step: int, picks: Picks) -> None:
    if len(desk.alive(daemons=True)) >= DAEMONS_MAX:
        return
    name = f"d{desk.number()}"
    kept = desk.services[name] = Kept(name=name, desired=0, is_daemon=True)
    family = await desk.define(step, chosen(GOOD, picks[1]), picks)
    if family is None:
        del desk.services[name]
        return
    kept.family = family
    asked: Json = {
        "serviceName": name,
        "taskDefinition": family,
        "schedulingStrategy": "DAEMON",
        "deploymentConfiguration": {"minimumHealthyPercent": chosen(LEAST, picks[2])},
        "clientToken": f"create-{name}",
    }
    if picks[3] % 2:
        expression = chosen(tuple(ANYWHERE), picks[4])
        asked["placementConstraints"] = [{"type": "memberOf", "expression": expression}]
    desk.tokens.append(("CreateService", asked))
    await desk.call(step, "CreateService", asked)


async def _deploy(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive(daemons=True)
    if not alive:
        return
    service = chosen(alive, picks[0])
    family = await desk.define(step, chosen(BAD if picks[1] % 5 == 0 else GOOD, picks[2]), picks)
    if family is None:
        return
    service.family = family
    await desk.call(step, "UpdateService", {"service": service.name, "taskDefinition": family})


async def _delete(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive(daemons=True)
    if alive:
        service = chosen(alive, picks[0])
        service.deleted = True
        await desk.call(step, "DeleteService", {"service": service.name})


ACTS: Acts = {
    "create-daemon": _create,
    "deploy-daemon": _deploy,
    "delete-daemon": _delete,
}
