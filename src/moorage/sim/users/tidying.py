"""After the last fault: what users take back, so that all that is left can come to rest."""

import asyncio
from typing import cast

from moorage.sim.users.desk import OWN, Desk, Json
from moorage.sim.users.rollouts import UNDER_WAY, waiting

# What was under way as the first round went by (a rollback, say) is seen by the second.
ROUNDS = 2
BETWEEN_SECONDS = 20
AT_ONCE = 10
# And for as long as it may take to come to rest somebody looks whether a deployment has failed.
WATCHING_SECONDS = 30
WATCHING_ROUNDS_MAX = 90


async def tidy(desk: Desk) -> None:
    """Thaw, take hosts back, end protections, and replace what can never run or waits for a word."""
    await desk.insist("ThawScheduling", {}, OWN)
    protected = list(desk.protected)
    for first in range(0, len(protected), AT_ONCE):
        asked: Json = {"cluster": "default", "tasks": protected[first : first + AT_ONCE]}
        await desk.insist("UpdateTaskProtection", {**asked, "protectionEnabled": False})
    back: set[str] = set()
    for _ in range(ROUNDS):
        await _go_round(desk, back)
        await asyncio.sleep(BETWEEN_SECONDS)
    desk.is_tidy = True
    for _ in range(WATCHING_ROUNDS_MAX):
        await asyncio.sleep(WATCHING_SECONDS)
        await _go_round(desk, back)


async def _go_round(desk: Desk, back: set[str]) -> None:
    # One whose agent has lost its folder is drained still when it is known again.
    for machine in list(desk.machines):
        if machine.instance and machine.instance not in back:
            back.add(machine.instance)
            await _take_back(desk, machine.instance)
    listed = await desk.insist("ListServices", {"maxResults": 100})
    for arn in listed["serviceArns"]:
        await _mend(desk, arn)


async def _take_back(desk: Desk, arn: str) -> None:
    state = {"containerInstances": [arn], "status": "ACTIVE"}
    await desk.insist("UpdateContainerInstancesState", state)
    rack = {"name": "rack", "value": "a", "targetId": arn}
    await desk.insist("PutAttributes", {"attributes": [rack]})


async def _mend(desk: Desk, arn: str) -> None:
    """Let a paused deployment go on; deploy what is sound in the place of what is not, or is over.

    A deployment that failed or was stopped starts nothing more, though its definition is sound.
    """
    told = (await desk.insist("DescribeServices", {"services": [arn]}))["services"][0]
    if told["status"] != "ACTIVE":
        return
    for deployment, hook in waiting(await _under_way(desk, arn)):
        asked: Json = {"serviceDeploymentArn": deployment, "hookId": hook}
        await desk.insist("ContinueServiceDeployment", asked)
    family = told["taskDefinition"].rpartition("/")[2].partition(":")[0]
    newest = next(one for one in told["deployments"] if one["status"] == "PRIMARY")
    is_daemon = told["schedulingStrategy"] == "DAEMON"
    asked = {"service": arn}
    if not is_daemon:
        asked["deploymentConfiguration"] = {
            "lifecycleHooks": [],
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        }
    if not desk.families.get(family, False):
        name = told["serviceName"]
        port = desk.services[name].port if name in desk.services else 0
        mended = None
        while mended is None:
            mended = await desk.define(0, "web", (0, 0, 0, 0, 1, 1), port)
        await desk.insist("UpdateService", {**asked, "taskDefinition": mended})
    elif newest["rolloutState"] == "FAILED":
        await desk.insist("UpdateService", {**asked, "forceNewDeployment": True})


async def _under_way(desk: Desk, service: str) -> list[Json]:
    listed = await desk.insist("ListServiceDeployments", {"service": service, "status": UNDER_WAY})
    arns = [one["serviceDeploymentArn"] for one in listed.get("serviceDeployments", ())]
    if not arns:
        return []
    told = await desk.insist("DescribeServiceDeployments", {"serviceDeploymentArns": arns})
    return cast("list[Json]", told["serviceDeployments"])
