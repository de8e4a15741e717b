"""Steps: tasks that no service keeps, tokens that come again, and tasks that are protected."""

from moorage.sim.users.desk import Acts, Desk, Json, Picks, chosen

RUN_MAX = 320
PROTECTED_AT_ONCE = 3
# Minutes; the shortest protection that there is, and one that outlasts most of a world.
PROTECTIONS = (1, 1, 2, 8)


async def run(desk: Desk, step: int, image: str, picks: Picks, more: Json, memory: int = 0) -> None:
    """Run some tasks of a fresh definition under a token; `more` is asked besides."""
    if len(desk.tasks) > RUN_MAX:
        return
    family = await desk.define(step, image, picks, memory=memory)
    if family is None:
        return
    token = f"run-{desk.number()}"
    asked = {
        "taskDefinition": family,
        "count": 1 + picks[1] % 3,
        "clientToken": token,
        "startedBy": token,
        **more,
    }
    desk.tokens.append(("RunTask", asked))
    got = await desk.call(step, "RunTask", asked)
    if got is not None:
        desk.tasks += [task["taskArn"] for task in got["tasks"]]


async def _run(desk: Desk, step: int, picks: Picks) -> None:
    await run(desk, step, "job" if picks[0] % 3 else "web", picks, {})


async def _repeat(desk: Desk, step: int, picks: Picks) -> None:
    if not desk.tokens:
        return
    operation, asked = chosen(desk.tokens, picks[0])
    kept = desk.services.get(asked.get("serviceName", ""))
    # Of a daemon nobody counts, and of those that share no host more may be more than there are.
    if picks[1] % 4 == 0 and not (kept is not None and (kept.is_daemon or kept.alone)):
        asked = {**asked, "count" if operation == "RunTask" else "desiredCount": 7}
    await desk.call(step, operation, asked)


async def _running(desk: Desk, step: int, more: Json) -> list[str]:
    got = await desk.call(step, "ListTasks", {"desiredStatus": "RUNNING", **more})
    return got["taskArns"] if got else []


async def _stop(desk: Desk, step: int, picks: Picks) -> None:
    arns = await _running(desk, step, {}) if picks[0] % 2 else list(desk.tasks)
    if arns:
        asked = {"task": chosen(arns, picks[1]), "reason": "a person wanted it"}
        await desk.call(step, "StopTask", asked)


async def _protect(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive()
    if not alive:
        return
    arns = await _running(desk, step, {"serviceName": chosen(alive, picks[0]).name})
    first = picks[1] % max(1, len(arns))
    arns = arns[first : first + 1 + picks[2] % PROTECTED_AT_ONCE]
    if not arns:
        return
    desk.protected.update(dict.fromkeys(arns))
    asked: Json = {
        "cluster": "default",
        "tasks": arns,
        "protectionEnabled": True,
        "expiresInMinutes": chosen(PROTECTIONS, picks[3]),
    }
    await desk.call(step, "UpdateTaskProtection", asked)


async def _unprotect(desk: Desk, step: int, picks: Picks) -> None:
    if desk.protected:
        arn = chosen(list(desk.protected), picks[0])
        asked = {"cluster": "default", "tasks": [arn], "protectionEnabled": False}
        await desk.call(step, "UpdateTaskProtection", asked)


ACTS: Acts = {
    "run": _run,
    "repeat": _repeat,
    "stop": _stop,
    "protect": _protect,
    "unprotect": _unprotect,
}
