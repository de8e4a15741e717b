"""I4: when faults and users have stopped, what is desired runs, within a bound, and goes on running.

The bound is CALM_SECONDS after the last fault, and longer only for as long as a written rule says
so: a service that waits with its next start (`StartBackoff`), a host that is rested because it
flapped, a wave that the brake holds.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moorage.ecs.rules.deployment.rolling import lower_limit, percentages, upper_limit
from moorage.ground.instant import Instant, seconds

if TYPE_CHECKING:
    from moorage.sim.scene import Scene

LAW = "I4 calm"
CALM_SECONDS = 240.0
CALM_SECONDS_MAX = 2400.0
SLACK_SECONDS = 90.0


def is_at_rest(scene: "Scene") -> bool:
    """Whether services, tasks and containers agree."""
    return scene.users.is_tidy and next(astray(scene), None) is None


def astray(scene: "Scene") -> Iterator[str]:
    """In what they differ."""
    if not scene.users.is_tidy:
        yield "the users have not done what they wanted"
    books = scene.plane.sight
    live = books.live
    for service in books.services:
        if service.status != "ACTIVE":
            continue
        tasks = [task for task in live if task.service == service.arn]
        running = [t for t in tasks if t.last_status == t.desired_status == "RUNNING"]
        if len(tasks) != service.desired_count or len(running) != service.desired_count:
            yield (
                f"{service.name} wants {service.desired_count}, and has {len(running)} running "
                f"of {len(tasks)} tasks"
            )
        least, most = percentages(service.deployment_configuration)
        desired = service.desired_count
        # Where the percentages leave no room to move (100 % of one task), no task is ever replaced.
        if lower_limit(desired, least) >= upper_limit(desired, most):
            continue
        wrong = [t for t in running if t.task_definition != service.task_definition]
        if wrong:
            yield f"{service.name} runs {len(wrong)} tasks of another definition"
    for machine in scene.machines:
        wanted = Counter(
            task.arn
            for task in live
            if task.instance == machine.instance and task.last_status == "RUNNING"
        )
        found = Counter(arn for arn, _ in machine.running)
        for arn in sorted({*wanted, *found}):
            if wanted[arn] != found[arn]:
                yield f"{machine.name} runs {found[arn]} containers of {arn}, {wanted[arn]} wanted"
    for task in live:
        if scene.machine_of(task.instance) is None and task.instance:
            yield f"{task.arn} is on a host that no machine is"
        if task.last_status != "RUNNING" or task.desired_status != "RUNNING":
            yield f"{task.arn} is {task.last_status}, and to be {task.desired_status}"


def deadline(scene: "Scene", began: float) -> float:
    """Up to when it may take, in seconds of the world."""
    ends = [began + CALM_SECONDS]
    now = scene.plane.clock.now()

    def excused(until: Instant | None) -> None:
        if until is not None and until > now:
            ends.append(scene.world.seconds + (until - now) / seconds(1) + SLACK_SECONDS)

    for service in scene.plane.sight.services:
        if service.status == "ACTIVE":
            excused(service.backoff.until)
    for host in scene.plane.sight.instances:
        excused(host.flapping_until)
    return min(max(ends), began + CALM_SECONDS_MAX)
