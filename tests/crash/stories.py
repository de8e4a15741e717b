"""What is under way when the server is killed: seven stories, and how each of them must end.

A story's call is made once; where no answer came it is made again, as a client would, with the
same client token. What was acknowledged must be there before anything is called again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.crash.caller import Outcome
from tests.crash.scene import CONVERGED_SECONDS_MAX, Scene, accepted, check_hosts, check_rows

DESIRED = 3
MORE = 5
TOKEN = "the-same-token"


@dataclass(frozen=True)
class Story:
    """What is interrupted, and how it must end.

    `act` is the call; `again` whether it is to be made once more where it had no answer; `seen`
    what an acknowledgement promises; `ends` when all has come about; `most` how many tasks may
    ever run at once; `pause_seconds` how long nothing is committed before its end, at most.
    """

    name: str
    prepare: Callable[[Scene], Awaitable[None]]
    act: Callable[[Scene], Awaitable[Outcome]]
    again: Callable[[Scene], Awaitable[bool]]
    seen: Callable[[Scene, dict[str, Any]], Awaitable[bool]]
    ends: Callable[[Scene], Awaitable[bool]]
    most: int
    pause_seconds: float = 0.25


async def conclude(story: Story, scene: Scene, outcome: Outcome) -> None:
    """A new server runs: nothing acknowledged is lost, and the story comes to its end."""
    if accepted(outcome):
        assert await story.seen(scene, outcome.body), ("an acknowledged write is lost", outcome)
    elif await story.again(scene):
        outcome = await story.act(scene)
        assert outcome.acknowledged, outcome
        assert await story.seen(scene, outcome.body), outcome
    await scene.until(_bounded(story, scene), CONVERGED_SECONDS_MAX, f"the end of {story.name}")
    check_hosts(scene)
    await check_rows(scene)


def _bounded(story: Story, scene: Scene) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        assert len(scene.running()) <= story.most, scene.running()
        return await story.ends(scene)

    return look


async def define(scene: Scene, image: str) -> None:
    await scene.ask.must(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[{"name": "main", "image": image, "cpu": 64, "memory": 64}],
    )


async def steady(scene: Scene, desired: int) -> bool:
    now = await scene.service()
    done = (
        now["status"] == "ACTIVE"
        and len(now["deployments"]) == 1
        and now["deployments"][0]["rolloutState"] == "COMPLETED"
        and now["runningCount"] == now["desiredCount"] == desired
        and now["pendingCount"] == 0
    )
    return done and len(scene.running()) == desired


async def revision(scene: Scene) -> str:
    return str((await scene.service())["taskDefinition"]).rpartition(":")[2]


async def served(scene: Scene) -> None:
    """A service of DESIRED tasks, and a second revision of its definition."""
    await define(scene, "web:1")
    await scene.ask.must(
        "CreateService",
        cluster="default",
        serviceName="web",
        taskDefinition="web:1",
        desiredCount=DESIRED,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    await scene.until(lambda: steady(scene, DESIRED), CONVERGED_SECONDS_MAX, "a steady service")
    await define(scene, "web:2")
    await define(scene, "broken:3")


# --- create ---------------------------------------------------------------------------------------


async def _defined(scene: Scene) -> None:
    await define(scene, "web:1")


async def _create(scene: Scene) -> Outcome:
    return await scene.ask(
        "CreateService",
        cluster="default",
        serviceName="web",
        taskDefinition="web:1",
        desiredCount=DESIRED,
        clientToken=TOKEN,
    )


async def _created(scene: Scene, body: dict[str, Any]) -> bool:
    """The very deployment that was told, and the token brings the same answer again."""
    again = await _create(scene)
    told = body["service"]["deployments"][0]["id"]
    assert again.body["service"]["deployments"][0]["id"] == told
    return bool((await scene.service())["deployments"][0]["id"] == told)


async def always(_scene: Scene) -> bool:
    """A call that has one effect, however often it is made."""
    return True


# --- run ------------------------------------------------------------------------------------------


async def _run(scene: Scene) -> Outcome:
    return await scene.ask(
        "RunTask", cluster="default", taskDefinition="web:1", count=DESIRED, clientToken=TOKEN
    )


async def _ran(scene: Scene, body: dict[str, Any]) -> bool:
    """The token has one effect: the very same tasks."""
    assert not body["failures"], body["failures"]
    again = await _run(scene)
    told = sorted(task["taskArn"] for task in body["tasks"])
    assert sorted(task["taskArn"] for task in again.body["tasks"]) == told
    found = await scene.ask.surely("DescribeTasks", cluster="default", tasks=told)
    return len(found["tasks"]) == DESIRED


async def _all_run(scene: Scene) -> bool:
    tasks = await scene.tasks()
    running = [task for task in tasks if task["lastStatus"] == "RUNNING"]
    return len(running) == len(tasks) == len(scene.running()) == DESIRED


# --- update, rollback, scale ----------------------------------------------------------------------


def _update(**members: Any) -> Callable[[Scene], Awaitable[Outcome]]:
    async def act(scene: Scene) -> Outcome:
        return await scene.ask("UpdateService", cluster="default", service="web", **members)

    return act


async def _updated(scene: Scene, body: dict[str, Any]) -> bool:
    told = body["service"]["deployments"][0]["id"]
    return told in {one["id"] for one in (await scene.service())["deployments"]}


async def _is_second(scene: Scene) -> bool:
    return await steady(scene, DESIRED) and await revision(scene) == "2"


async def _is_first(scene: Scene) -> bool:
    """Whether nothing of an update is there: it is not made twice, nor once more when undone."""
    now = await scene.service()
    undone = any("rolling back" in event["message"] for event in now["events"])
    return len(now["deployments"]) == 1 and await revision(scene) == "1" and not undone


async def _broken(scene: Scene, body: dict[str, Any]) -> bool:
    """The deployment that was told is there, or the events say what became of it."""
    now = await scene.service()
    told = body["service"]["deployments"][0]["id"]
    known = {one["id"] for one in now["deployments"]}
    return told in known or any(told in event["message"] for event in now["events"])


async def _is_rolled_back(scene: Scene) -> bool:
    now = await scene.service()
    said = any("rolling back" in event["message"] for event in now["events"])
    return said and await steady(scene, DESIRED) and await revision(scene) == "1"


async def _scaled(scene: Scene, body: dict[str, Any]) -> bool:
    assert body["service"]["desiredCount"] == MORE
    return bool((await scene.service())["desiredCount"] == MORE)


# --- drain ----------------------------------------------------------------------------------------


async def _drain(scene: Scene) -> Outcome:
    return await scene.ask(
        "UpdateContainerInstancesState",
        cluster="default",
        containerInstances=[scene.agents[0].memory.instance],
        status="DRAINING",
    )


async def _draining(scene: Scene, _body: dict[str, Any]) -> bool:
    arn = scene.agents[0].memory.instance
    told = await scene.ask.surely(
        "DescribeContainerInstances", cluster="default", containerInstances=[arn]
    )
    return bool(told["containerInstances"][0]["status"] == "DRAINING")


async def _is_drained(scene: Scene) -> bool:
    return not scene.agents[0].running() and await steady(scene, DESIRED)


# --- delete ---------------------------------------------------------------------------------------


async def _is_active(scene: Scene) -> bool:
    return bool((await scene.service())["status"] == "ACTIVE")


async def _delete(scene: Scene) -> Outcome:
    return await scene.ask("DeleteService", cluster="default", service="web", force=True)


async def _deleted(scene: Scene, _body: dict[str, Any]) -> bool:
    return (await scene.service())["status"] in {"DRAINING", "INACTIVE"}


async def _is_gone(scene: Scene) -> bool:
    return (await scene.service())["status"] == "INACTIVE" and not scene.running()


_TO_SECOND, _TO_BROKEN = _update(taskDefinition="web:2"), _update(taskDefinition="web:3")
_TO_MORE = _update(desiredCount=MORE)


async def _has_all(scene: Scene) -> bool:
    return await steady(scene, DESIRED)


async def _has_more(scene: Scene) -> bool:
    return await steady(scene, MORE)


STORIES = (
    Story("create", _defined, _create, always, _created, _has_all, DESIRED),
    Story("run", _defined, _run, always, _ran, _all_run, DESIRED),
    Story("update", served, _TO_SECOND, _is_first, _updated, _is_second, 2 * DESIRED),
    Story("rollback", served, _TO_BROKEN, _is_first, _broken, _is_rolled_back, 2 * DESIRED, 3.0),
    Story("scale", served, _TO_MORE, always, _scaled, _has_more, 2 * MORE),
    Story("drain", served, _drain, always, _draining, _is_drained, 2 * DESIRED),
    Story("delete", served, _delete, _is_active, _deleted, _is_gone, DESIRED),
)
