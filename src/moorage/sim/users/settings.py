"""Steps: freezes, definitions that go, settings, and looks that change nothing."""

from moorage.sim.users.desk import OWN, Acts, Desk, Json, Picks, chosen

FREEZE_SECONDS_MAX = 90
SHOWN = 10


async def _freeze(desk: Desk, step: int, picks: Picks) -> None:
    asked: Json = {"reason": "a look", "durationSeconds": 5 + picks[0] % FREEZE_SECONDS_MAX}
    alive = desk.alive()
    if alive and picks[1] % 2:
        asked["service"] = chosen(alive, picks[2]).name
    await desk.call(step, "FreezeScheduling", asked, OWN)


async def _thaw(desk: Desk, step: int, _picks: Picks) -> None:
    await desk.call(step, "ThawScheduling", {}, OWN)


async def _deregister(desk: Desk, step: int, picks: Picks) -> None:
    if desk.definitions:
        name = chosen(desk.definitions, picks[0])
        await desk.call(step, "DeregisterTaskDefinition", {"taskDefinition": name})
        if picks[1] % 3 == 0:
            await desk.call(step, "DeleteTaskDefinitions", {"taskDefinitions": [name]})


async def _set(desk: Desk, step: int, picks: Picks) -> None:
    insights = [{"name": "containerInsights", "value": chosen(("enabled", "disabled"), picks[1])}]
    wishes: tuple[tuple[str, Json], ...] = (
        ("PutAccountSetting", {"name": "containerInsights", "value": insights[0]["value"]}),
        ("PutAccountSettingDefault", {"name": "taskLongArnFormat", "value": "enabled"}),
        ("DeleteAccountSetting", {"name": "containerInsights"}),
        ("UpdateClusterSettings", {"cluster": "default", "settings": insights}),
        ("UpdateCluster", {"cluster": "default", "settings": insights}),
    )
    operation, asked = chosen(wishes, picks[0])
    await desk.call(step, operation, asked)


async def look(desk: Desk, step: int, picks: Picks) -> None:
    """Ask how services, tasks or hosts are."""
    alive = [*desk.alive(), *desk.alive(daemons=True)]
    if alive and picks[0] % 2:
        names = [one.name for one in alive][:SHOWN]
        await desk.call(step, "DescribeServices", {"services": names})
    elif desk.tasks:
        await desk.call(step, "DescribeTasks", {"tasks": desk.tasks[-SHOWN:]})
    else:
        await desk.call(step, "ListContainerInstances", {})


ACTS: Acts = {
    "freeze": _freeze,
    "thaw": _thaw,
    "deregister": _deregister,
    "set": _set,
    "look": look,
}
