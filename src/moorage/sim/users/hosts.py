"""Steps: hosts are drained, taken back, removed, labelled, and balanced at once."""

from moorage.sim.users.desk import OWN, Acts, Desk, Json, Picks, chosen

ATTRIBUTES: tuple[Json, ...] = (
    {"name": "rack", "value": "a"},
    {"name": "rack", "value": "b"},
    {"name": "shelf", "value": "top"},
    {"name": "shelf", "value": "low"},
)


async def state(desk: Desk, step: int, arn: str, status: str) -> None:
    """Drain a host, or take it back."""
    asked = {"containerInstances": [arn], "status": status}
    await desk.call(step, "UpdateContainerInstancesState", asked)


async def _remove(desk: Desk, step: int, picks: Picks) -> None:
    here = desk.here()
    if len(here) > 3:  # noqa: PLR2004 - three hosts at least are to be left
        arn = chosen(here, picks[0])
        desk.removed.add(arn)
        asked = {"containerInstance": arn, "force": True}
        await desk.call(step, "DeregisterContainerInstance", asked)


async def _drain(desk: Desk, step: int, picks: Picks) -> None:
    here = desk.here()
    if len(here) > 2:  # noqa: PLR2004 - two hosts at least take tasks
        arn = chosen(here, picks[0])
        desk.draining.add(arn)
        await state(desk, step, arn, "DRAINING")


async def _activate(desk: Desk, step: int, picks: Picks) -> None:
    if desk.draining:
        arn = chosen(sorted(desk.draining), picks[0])
        desk.draining.discard(arn)
        await state(desk, step, arn, "ACTIVE")


async def _attribute(desk: Desk, step: int, picks: Picks) -> None:
    here = desk.here()
    if here:
        given = {**chosen(ATTRIBUTES, picks[1]), "targetId": chosen(here, picks[0])}
        await desk.call(step, "PutAttributes", {"attributes": [given]})


async def _unattribute(desk: Desk, step: int, picks: Picks) -> None:
    here = desk.here()
    if here:
        name = chosen(("rack", "shelf"), picks[1])
        asked = {"attributes": [{"name": name, "targetId": chosen(here, picks[0])}]}
        await desk.call(step, "DeleteAttributes", asked)


async def _balance(desk: Desk, step: int, picks: Picks) -> None:
    alive = desk.alive()
    asked: Json = {"cluster": "default"}
    if alive and picks[0] % 2:
        asked["service"] = chosen(alive, picks[1]).name
    await desk.call(step, "StartRebalancing" if picks[2] % 3 else "PreviewRebalancing", asked, OWN)


ACTS: Acts = {
    "remove": _remove,
    "drain": _drain,
    "activate": _activate,
    "attribute": _attribute,
    "unattribute": _unattribute,
    "balance": _balance,
}
