"""Steps: deployments that pause at hooks, go on, and are stopped."""

from moorage.sim.users.desk import Acts, Desk, Json, Picks, chosen
from moorage.sim.users.services import BREAKERS, deploy

STAGES = (["PRE_SCALE_UP"], ["POST_SCALE_UP"], ["PRE_SCALE_UP", "POST_SCALE_UP"])
UNDER_WAY = ["PENDING", "IN_PROGRESS"]


async def _pause(desk: Desk, step: int, picks: Picks) -> None:
    """Bring out a definition that waits for somebody's word, a minute or two at the most."""
    hook: Json = {
        "targetType": "PAUSE",
        "lifecycleStages": chosen(STAGES, picks[3]),
        "timeoutConfiguration": {
            "timeoutInMinutes": 1 + picks[4] % 2,
            "action": chosen(("CONTINUE", "ROLLBACK"), picks[5]),
        },
    }
    more: Json = {"deploymentConfiguration": {"lifecycleHooks": [hook]}}
    if picks[5] % 3 == 0:
        more["deploymentConfiguration"]["deploymentCircuitBreaker"] = chosen(BREAKERS, picks[2])
    name = await deploy(desk, step, picks, more)
    if name:
        desk.paused[name] = None


async def _unpause(desk: Desk, step: int, picks: Picks) -> None:
    """Later deployments of a service wait for nobody."""
    alive = desk.alive()
    if alive:
        asked = {
            "service": chosen(alive, picks[0]).name,
            "deploymentConfiguration": {"lifecycleHooks": []},
        }
        await desk.call(step, "UpdateService", asked)


async def under_way(desk: Desk, step: int, service: str) -> list[Json]:
    """The deployments of a service that are under way, as they are described."""
    listed = await desk.call(
        step, "ListServiceDeployments", {"service": service, "status": UNDER_WAY}
    )
    arns = [one["serviceDeploymentArn"] for one in (listed or {}).get("serviceDeployments", ())]
    if not arns:
        return []
    asked = {"serviceDeploymentArns": arns}
    told = await desk.call(step, "DescribeServiceDeployments", asked)
    return list((told or {}).get("serviceDeployments", ()))


def waiting(deployments: list[Json]) -> list[tuple[str, str]]:
    """(deployment, hook) of all hooks at which these deployments wait."""
    return [
        (one["serviceDeploymentArn"], hook["hookId"])
        for one in deployments
        for hook in one.get("lifecycleHookDetails", ())
        if hook["status"] == "AWAITING_ACTION"
    ]


async def _go_on(desk: Desk, step: int, picks: Picks) -> None:
    """Let what is paused go on or back; now and then twice, as impatient people do."""
    found = [
        one
        for service in desk.alive()
        if service.name in desk.paused
        for one in waiting(await under_way(desk, step, service.name))
    ]
    if not found:
        return
    arn, hook = chosen(found, picks[1])
    action = "ROLLBACK" if picks[2] % 4 == 0 else "CONTINUE"
    asked = {"serviceDeploymentArn": arn, "hookId": hook, "action": action}
    await desk.call(step, "ContinueServiceDeployment", asked)
    if picks[3] % 4 == 0:
        await desk.call(step, "ContinueServiceDeployment", asked)


async def _break_off(desk: Desk, step: int, picks: Picks) -> None:
    alive = [*desk.alive(), *desk.alive(daemons=True)]
    if not alive:
        return
    found = await under_way(desk, step, chosen(alive, picks[0]).name)
    if found:
        asked: Json = {"serviceDeploymentArn": chosen(found, picks[1])["serviceDeploymentArn"]}
        stop_type = chosen(("ABORT", "ROLLBACK", ""), picks[2])
        await desk.call(
            step,
            "StopServiceDeployment",
            {**asked, "stopType": stop_type} if stop_type else asked,
        )


ACTS: Acts = {
    "pause": _pause,
    "unpause": _unpause,
    "go-on": _go_on,
    "break-off": _break_off,
}
