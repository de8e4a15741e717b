"""Deployments on real hosts: one goes wrong and back, one was foretold, one waits for a person."""

import json
import re
import time
from collections import Counter
from typing import Any

import pytest

from tests.clients.place import AWS
from tests.clients.processes import tell, until
from tests.lab import ledger
from tests.lab.scene import ROLLING, Scene, since

pytestmark = pytest.mark.lab

ROLLED_BACK_SECONDS_MAX = 90.0
PAUSED_SECONDS_MAX = 30.0
HELD_SECONDS = 1.0
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
AWAITED = "AWAITING_ACTION"
STAGES = ("PRE_SCALE_UP", "POST_SCALE_UP")
EXPLAINED = dict(zip(STAGES, ("service", "deployment"), strict=True))
HOOK = {
    "targetType": "PAUSE",
    "lifecycleStages": [*STAGES],
    "timeoutConfiguration": {"timeoutInMinutes": 30, "action": "ROLLBACK"},
}
# One row of `moorage plan`: start or stop, how many, of which service, where.
ROW = re.compile(r"^\s*(start|stop)\s+(\d+)\s+(\S+)\s+(?:\S+:\d+\s+)?(h\d)\b", re.MULTILINE)
LEAVING = re.compile(r"To leave once others have taken their place: (\d+) tasks")
Json = dict[str, Any]


def newest(scene: Scene, name: str) -> Json:
    """The newest deployment of a service, as it is described."""
    ecs = scene.lab.ecs
    [listed] = ecs.list_service_deployments(service=name, maxResults=1)["serviceDeployments"]
    arn = listed["serviceDeploymentArn"]
    [found] = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    return dict(found)


def test_a_bad_image_rolls_back_by_itself_and_is_explained(scene: Scene):
    """One tag does not exist, one program ends with 1; not one of the old containers ends."""
    lab = scene.lab
    uri = lab.images["shell"].rpartition(":")[0]
    bad = {
        "absent": {"image": f"{uri}:never-pushed"},
        "broken": {"image": f"{uri}:1", "command": ["sh", "-c", "echo no database; exit 1"]},
    }
    for name in bad:
        scene.service(name, 3, {**ROLLING, **BREAKER})
    before = scene.containers()
    looked, began = time.monotonic(), time.time()
    for name, container in bad.items():
        lab.ecs.update_service(service=name, taskDefinition=lab.register(name, container))
    lasted = {}
    for name in bad:
        until(
            lambda name=name: newest(scene, name)["status"] == "ROLLBACK_SUCCESSFUL",
            ROLLED_BACK_SECONDS_MAX,
            f"{name} is rolled back",
            lambda name=name: (newest(scene, name), lab.messages(name)),
        )
        lasted[name] = since(looked)
        lab.steady(name)
        assert lab.service(name)["taskDefinition"].endswith(f"{name}:1")
        assert min(scene.watch.counts(name, looked)) >= 3
        old = [one for one in ledger.lives(lab, name) if one.container in before]
        assert ledger.least(old, began) == 3
    assert scene.containers() == before
    for name, cause in {"absent": "not found", "broken": "exit code 1"}.items():
        told(scene, name, cause)
    chain(scene, "absent", "not found")
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in lasted.items())
    tell(f"rolled back by itself: {times} after the update")


def told(scene: Scene, name: str, cause: str) -> None:
    """What a person reads who asks why: the cause, and what was done about it."""
    said = scene.typed("explain", "deployment", name)
    assert "failed and was rolled back" in said
    assert cause in said
    assert re.search(r"The circuit breaker tripped: \d+ failed tasks, and 3 are enough", said)
    assert "The service went back to deployment ecs-svc/" in said
    service = scene.typed("explain", "service", name)
    assert "It went back from its newest deployment ecs-svc/" in service
    assert cause in service


def chain(scene: Scene, name: str, cause: str) -> None:
    """What `moorage timeline` shows of it: from the call that began it to its end, in this order."""
    said = scene.typed("timeline", "--service", name, "--since", "10m")
    lines = [line.split(maxsplit=3) for line in said.splitlines()]
    kinds = [(line[2], line[3]) for line in lines]
    wanted = [
        ("deployment-made", "UpdateService by"),
        ("task-started", f"{name}:2"),
        ("task-stopped", cause),
        ("deployment-changed", "ecs-svc/"),
        ("deployment-ended", "ROLLBACK_SUCCESSFUL"),
    ]
    rest = iter(kinds)
    for kind, words in wanted:
        assert any(kind == one and words in text for one, text in rest), (kind, words, said)


def test_a_plan_is_what_comes_to_pass(scene: Scene):
    """A new revision, fewer tasks, and more than fit: as many starts and stops, on the same hosts."""
    lab = scene.lab
    scene.service("planned", 6)
    lab.register("planned", {"image": lab.images["shell"], "environment": [
        {"name": "VERSION", "value": "2"}]})  # fmt: skip
    update = ("update-service", "--service", "planned")
    took = []
    for member, option, value in (
        ("taskDefinition", "--task-definition", "planned:2"),
        ("desiredCount", "--desired-count", 2),
    ):
        foretold = plan(scene, *update, option, str(value))
        began = time.time()
        lab.ecs.update_service(service="planned", **{member: value})
        lab.steady("planned")
        took.append(time.time() - began)
        found = ledger.lives(lab, "planned")
        assert ledger.started(found, began) == rows(foretold, "start"), foretold
        stops = rows(foretold, "stop")
        leaving = LEAVING.search(foretold)
        if leaving is None:
            assert ledger.ended(found, began) == stops, foretold
        assert ledger.ended(found, began).total() == (int(leaving[1]) if leaving else stops.total())
    apart = [{"type": "distinctInstance"}]
    foretold = plan(
        scene,
        *("create-service", "--service-name", "apart", "--task-definition", "planned:2"),
        *("--desired-count", "4", "--placement-constraints", json.dumps(apart)),
    )
    assert "apart then waits: It waits for room." in foretold
    began = time.time()
    lab.ecs.create_service(
        serviceName="apart",
        taskDefinition="planned:2",
        desiredCount=4,
        placementConstraints=apart,
    )
    scene.says("apart", "unable to place a task")
    scene.await_count("apart", 3)
    assert rows(foretold, "start") == ledger.started(ledger.lives(lab, "planned"), began)
    assert "It waits for room." in scene.typed("explain", "service", "apart")
    lab.ecs.update_service(service="apart", desiredCount=3)
    tell(f"plans came true: 6 tasks renewed in {took[0]:.1f} s, 4 of 6 stopped in {took[1]:.1f} s")


def plan(scene: Scene, *words: str) -> str:
    """What `moorage plan -- aws ecs ...` prints; nothing is changed by it."""
    before = scene.containers()
    said = scene.typed("plan", then=(AWS, "ecs", *words))
    assert "Nothing was changed." in said
    assert scene.containers() == before
    return said


def rows(said: str, what: str) -> Counter[str]:
    """How many starts or stops a plan foretells, by host."""
    found: Counter[str] = Counter()
    for kind, count, _service, host in ROW.findall(said):
        if kind == what:
            found[host] += int(count)
    return found


def test_a_hook_holds_a_deployment_until_somebody_continues(scene: Scene):
    """Before the first new task and after the last; as long as it holds, nothing moves."""
    lab = scene.lab
    scene.service("held", 3)
    old = scene.containers()
    definition = lab.register("held", {"image": lab.images["shell"], "environment": [
        {"name": "VERSION", "value": "2"}]})  # fmt: skip
    began = time.time()
    lab.ecs.update_service(
        service="held",
        taskDefinition=definition,
        deploymentConfiguration={**ROLLING, "lifecycleHooks": [HOOK]},
    )
    continued = began
    for stage, running in zip(STAGES, (3, 6), strict=True):
        hook = awaited(scene, "held", stage)
        before = scene.containers()
        assert len(before) == running
        assert old.items() <= before.items()
        said = scene.typed("explain", EXPLAINED[stage], "held")
        assert f"is paused at {stage} by a lifecycle hook" in said, said
        assert hook["hookId"] in said
        scene.holds(lambda before=before: scene.containers() == before, HELD_SECONDS, stage)
        continued = time.time()
        lab.ecs.continue_service_deployment(
            serviceDeploymentArn=newest(scene, "held")["serviceDeploymentArn"],
            hookId=hook["hookId"],
        )
    lab.steady("held")
    assert newest(scene, "held")["status"] == "SUCCESSFUL"
    assert not old.keys() & scene.containers().keys()
    found = ledger.lives(lab, "held")
    assert ledger.least(found, began) >= 3
    assert ledger.started(found, continued).total() == 0
    assert min(one.ended for one in found if one.ended) > continued
    tell(f"a hook let go: completed {time.time() - continued:.1f} s after the last CONTINUE")


def awaited(scene: Scene, name: str, stage: str) -> Json:
    """The hook of the newest deployment that waits at this stage."""

    def look() -> Json | None:
        shown = newest(scene, name)
        waits = [x for x in shown.get("lifecycleHookDetails", ()) if x["status"] == AWAITED]
        held = (shown["status"], shown.get("lifecycleStage")) == ("IN_PROGRESS", stage)
        return dict(waits[0]) if held and waits else None

    found = until(look, PAUSED_SECONDS_MAX, f"a hook waits at {stage}",
                  lambda: (newest(scene, name), scene.lab.messages(name)[:5]))  # fmt: skip
    assert found
    return found
