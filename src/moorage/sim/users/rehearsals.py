"""Steps: dry runs of writes. Whatever would be new in them bears a mark that laws look for."""

from moorage.sim.users.desk import ECS, OWN, Acts, Desk, Json, Picks, chosen
from moorage.sim.words import MARK, MARKED_COUNT


async def _rehearse(desk: Desk, step: int, picks: Picks) -> None:
    """Ask what one of many writes would do."""
    mark = f"{MARK}{desk.number()}"
    found = [*_of_definitions(desk, mark, picks), *_of_what_is_there(desk, mark, picks)]
    if found:
        operation, asked = chosen(found, picks[0])
        own = operation == "FreezeScheduling"
        await desk.rehearse(step, operation, asked, OWN if own else ECS)
        if operation == "RunTask":  # its token was not used up
            await desk.call(step, operation, {**asked, "startedBy": mark.removeprefix(MARK)})


def _of_definitions(desk: Desk, mark: str, picks: Picks) -> list[tuple[str, Json]]:
    """Something new, of some definition."""
    if not desk.definitions:
        return []
    definition, count = chosen(desk.definitions, picks[1]), 1 + picks[2] % 3
    service: Json = {"serviceName": mark, "taskDefinition": definition, "clientToken": mark}
    run: Json = {"taskDefinition": definition, "startedBy": mark, "clientToken": mark}
    return [
        ("CreateService", {**service, "desiredCount": count}),
        ("CreateService", {**service, "schedulingStrategy": "DAEMON"}),
        ("RunTask", {**run, "count": count}),
    ]


def _of_what_is_there(desk: Desk, mark: str, picks: Picks) -> list[tuple[str, Json]]:
    """A change of a service or of a host."""
    found: list[tuple[str, Json]] = []
    alive, here = desk.alive(), desk.here()
    if alive:
        name = chosen(alive, picks[1]).name
        scaled: Json = {"service": name, "desiredCount": MARKED_COUNT}
        found += [
            ("UpdateService", scaled),
            ("UpdateService", {**scaled, "forceNewDeployment": True}),
            ("DeleteService", {"service": name, "force": True}),
        ]
    if here:
        attribute = {"name": mark, "value": mark, "targetId": chosen(here, picks[1])}
        found += [
            ("PutAttributes", {"attributes": [attribute]}),
            ("FreezeScheduling", {"reason": mark, "durationSeconds": 60}),
        ]
    return found


ACTS: Acts = {"rehearse": _rehearse}
